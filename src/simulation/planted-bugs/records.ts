/**
 * Purpose: for each fault of which replication.md says that it must not come back, replication that has it; the simulator
 * must find every one of them.
 * Keeps true: what goes unfound is not proven to be absent, and fails the build.
 */
import {
  believesAnyStamp,
  compactsAll,
  cursorFirst,
  echoes,
  forgetsHistory,
  forgetsOrigin,
  forgetsStamp,
  forgetsVector,
  generationHidden,
  heldBackIsHad,
  hidesHoles,
  missesIssuedAgain,
  oneIsBoth,
  onEngine,
  onSpoke,
  overWay,
  pagesByBirth,
  pagesByUnpadded,
  poisonFailsAll,
  takesTwice,
  vouchesForAnyClock,
} from "./lying-replicas.ts";
import type { PlantedBug } from "./planted-bug.ts";

const AROUND = { policy: "on-air", spokes: 3 } as const;

/** The table. */
export const PLANTED_RECORD_BUGS: readonly PlantedBug[] = [
  { name: "cursor outside the transaction", rule: "R1", bites: ["R1", "R5"], wrapSpoke: cursorFirst, ...AROUND },
  { name: "echo of what was brought", rule: "R3", bites: ["R3"], wrapPorts: onEngine(echoes), ...AROUND },
  {
    name: "pages by birth, not by arrival",
    rule: "R1",
    bites: ["R1", "R4"],
    wrapPorts: onEngine(pagesByBirth),
    ...AROUND,
  },
  { name: "stamps not padded", rule: "R1", bites: ["R1", "R4"], wrapPorts: onEngine(pagesByUnpadded), ...AROUND },
  {
    name: "applied without vector",
    rule: "R5",
    bites: ["R5", "no-throw"],
    wrapSpoke: onSpoke(forgetsVector),
    ...AROUND,
  },
  { name: "applied twice", rule: "R2", bites: ["R2"], wrapSpoke: onSpoke(takesTwice), ...AROUND },
  { name: "cursor kept by address", rule: "R1", bites: ["R1"], wrapSpoke: overWay(generationHidden), ...AROUND },
  { name: "one poison stops everything", rule: "R1", bites: ["R1"], wrapSpoke: overWay(poisonFailsAll), ...AROUND },
  { name: "compacted beyond what others have", rule: "R7", bites: ["R7"], wrapPorts: onEngine(compactsAll), ...AROUND },
  { name: "had by one engine is had by both", rule: "R7", bites: ["R7"], wrapSpoke: onSpoke(oneIsBoth), ...AROUND },
  { name: "held back is had", rule: "R7", bites: ["R7"], wrapSpoke: overWay(heldBackIsHad), ...AROUND },
  { name: "holes not told", rule: "R1", bites: ["R1"], wrapPorts: onEngine(hidesHoles), ...AROUND },
  { name: "stamp not kept", rule: "R6", bites: ["R6", "no-throw"], wrapSpoke: onSpoke(forgetsStamp), ...AROUND },
  {
    name: "histories compared by their length alone",
    rule: "RP1",
    bites: ["RP1", "R1"],
    wrapPorts: onEngine(forgetsHistory),
    ...AROUND,
    // Restored from a copy of a while ago, and alone at first.
    faults: [{ kind: "disk-restored", target: "b", atMs: 5_000, forMs: 6_000, amount: 0.2 }],
  },
  {
    name: "what was issued again keeps its place",
    rule: "RP1",
    bites: ["RP1"],
    wrapSpoke: onSpoke(missesIssuedAgain),
    ...AROUND,
    faults: [{ kind: "disk-restored", target: "b", atMs: 5_000, forMs: 6_000, amount: 0.2 }],
  },
  {
    name: "new origin forgotten by a restart",
    rule: "RP2",
    bites: ["RP2"],
    wrapPorts: onEngine(forgetsOrigin),
    ...AROUND,
    faults: [
      { kind: "disk-restored", target: "b", atMs: 5_000, forMs: 6_000, amount: 0.2 },
      { kind: "kill", target: "b", atMs: 20_000, forMs: 500, amount: 0.5 },
    ],
  },
  { name: "stamp far ahead believed", rule: "R6", bites: ["R6"], wrapSpoke: believesAnyStamp, ...AROUND },
  {
    name: "any clock counts as put right",
    rule: "CK2",
    bites: ["CK2"],
    wrapPorts: vouchesForAnyClock,
    ...AROUND,
    // Behind by hours, after records were written.
    faults: [{ kind: "clock-wrong", target: "b", atMs: 12_000, forMs: 6_000, amount: 0.5 }],
  },
];
