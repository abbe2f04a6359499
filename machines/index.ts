/** The catalogue of the statecharts: name → machine. The visualiser, the export and the tests read it. */
import { campaignMachine } from "./campaign.machine.ts";
import { catchUpMachine } from "./catch-up.machine.ts";
import { engineMachine } from "./engine.machine.ts";
import { handoverMachine } from "./handover.machine.ts";
import { leadershipMachine } from "./leadership.machine.ts";
import { outboxPumpMachine } from "./outbox-pump.machine.ts";
import { pairMachine } from "./pair.machine.ts";
import { peerLinkMachine } from "./peer-link.machine.ts";
import { reconcileLockMachine } from "./reconcile-lock.machine.ts";
import { splitBrainMachine } from "./split-brain.machine.ts";
import { syncPeerMachine } from "./sync-peer.machine.ts";
import { witnessVoteMachine } from "./witness-vote.machine.ts";

export {
  campaignMachine,
  catchUpMachine,
  engineMachine,
  handoverMachine,
  leadershipMachine,
  outboxPumpMachine,
  pairMachine,
  peerLinkMachine,
  reconcileLockMachine,
  splitBrainMachine,
  syncPeerMachine,
  witnessVoteMachine,
};

export const machines = {
  pair: pairMachine,
  leadership: leadershipMachine,
  campaign: campaignMachine,
  "peer-link": peerLinkMachine,
  "witness-vote": witnessVoteMachine,
  handover: handoverMachine,
  "catch-up": catchUpMachine,
  "reconcile-lock": reconcileLockMachine,
  "split-brain": splitBrainMachine,
  engine: engineMachine,
  "sync-peer": syncPeerMachine,
  "outbox-pump": outboxPumpMachine,
} as const;

export type MachineName = keyof typeof machines;

/** The charts that a chart starts as its children. */
function chartsBelow(name: MachineName): MachineName[] {
  return Object.keys(machines[name].implementations.actors).filter((actor): actor is MachineName => actor in machines);
}

/** All charts, each below the one that starts it: what the page, the drawings and the export call the actor tree. */
export function actorTree(): readonly { readonly name: MachineName; readonly parent: MachineName | null }[] {
  const names = Object.keys(machines) as MachineName[];
  const started = new Set(names.flatMap(chartsBelow));
  const below = (
    name: MachineName,
    parent: MachineName | null,
  ): { name: MachineName; parent: MachineName | null }[] => [
    { name, parent },
    ...chartsBelow(name).flatMap((child) => below(child, name)),
  ];
  return names.filter((name) => !started.has(name)).flatMap((name) => below(name, null));
}
