/**
 * Purpose: for each promise of the federation, a pair or a site that breaks it; the simulator must find every one.
 * Keeps true: what goes unfound is not proven to be absent, and fails the build.
 */
import { cursorPastFailed, otherMode, pinForgotten, roomForAll } from "./lying-peers.ts";
import { onEngine } from "./lying-replicas.ts";
import type { PlantedBug } from "./planted-bug.ts";

const AROUND = { policy: "on-air", sites: 2 } as const;

/** The table. */
export const PLANTED_SITE_BUGS: readonly PlantedBug[] = [
  { name: "pin ignored", rule: "R8", bites: ["R8"], wrapPorts: onEngine(pinForgotten), ...AROUND },
  { name: "clock cap ignored", rule: "R9", bites: ["R9"], wrapPorts: onEngine(roomForAll), ...AROUND },
  { name: "cursor past a failed page", rule: "R1", bites: ["R1"], wrapPorts: onEngine(cursorPastFailed), ...AROUND },
  { name: "publish pulls", rule: "R10", bites: ["R10"], wrapSite: otherMode("publish"), ...AROUND },
  { name: "subscribe serves", rule: "R10", bites: ["R10"], wrapSite: otherMode("subscribe"), ...AROUND },
];
