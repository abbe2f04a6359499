/**
 * Purpose: the invariants that the virtual world checks: those of protocol.md §8, and of records R1 to R10 (docs/replication-proof.md).
 * I12 is a matter of the statecharts' tables; `no-throw` stands for what no statechart may do: an
 * exception that nobody expected.
 */
import type { World } from "../world/world.ts";
import { agreement } from "./agreement.ts";
import { alarms } from "./alarms.ts";
import { answers } from "./answers.ts";
import { Campaigns } from "./campaigns.ts";
import { clockCap } from "./clock-cap.ts";
import { commandStamps } from "./command-stamps.ts";
import { commands } from "./commands.ts";
import { compaction } from "./compaction.ts";
import { contentClock } from "./content-clock.ts";
import { correctedClocks } from "./corrected-clocks.ts";
import { cursors } from "./cursors.ts";
import { engineState } from "./engine-state.ts";
import { Entitlement } from "./entitlement.ts";
import { epochs } from "./epochs.ts";
import { equalRecords } from "./equal-records.ts";
import { federationModes } from "./federation-modes.ts";
import { feed } from "./feed.ts";
import { Giving } from "./giving.ts";
import { heartbeats } from "./heartbeats.ts";
import { histories } from "./histories.ts";
import { holds } from "./holds.ts";
import { impostors } from "./impostors.ts";
import { logs } from "./logs.ts";
import { operations } from "./operations.ts";
import { ownSleep } from "./own-sleep.ts";
import { promptTakeOver } from "./prompt-take-over.ts";
import { readyFollower } from "./ready-follower.ts";
import { routing } from "./routing.ts";
import { namedRewrites } from "./named-rewrites.ts";
import { unfitLeader } from "./unfit-leader.ts";
import { peerPins } from "./peer-pins.ts";
import { refusedEngine } from "./refused-engine.ts";
import { reconciling } from "./reconciling.ts";
import { requests } from "./requests.ts";
import { namedStrangers, strangers } from "./strangers.ts";
import { returning } from "./returning.ts";
import { stamps } from "./stamps.ts";
import { switchBack } from "./switch-back.ts";
import { vectors } from "./vectors.ts";
import { votes } from "./votes.ts";
import { whoActs } from "./who-acts.ts";

/** Puts every checker into the world. `boundedGaps`: one fault at a time, so that I10 can be demanded throughout. */
export function watchInvariants(world: World, init: { readonly boundedGaps: boolean }): void {
  const entitlement = new Entitlement(world);
  world.watch(entitlement);
  world.watch(whoActs(world, entitlement, init));
  world.watch(new Giving(world, entitlement));
  world.watch(holds(world));
  world.watch(ownSleep(world));
  world.watch(logs(world));
  world.watch(commandStamps(world));
  world.watch(epochs(world));
  world.watch(strangers(world));
  world.watch(namedStrangers(world));
  world.watch(refusedEngine(world));
  world.watch(votes(world));
  world.watch(namedRewrites(world));
  world.watch(returning(world));
  world.watch(heartbeats(world));
  world.watch(impostors(world));
  world.watch(new Campaigns(world));
  world.watch(requests(world));
  world.watch(commands(world));
  world.watch(answers(world));
  world.watch(reconciling(world));
  world.watch(contentClock(world));
  world.watch(agreement(world));
  world.watch(alarms(world));
  world.watch(engineState(world));
  world.watch(readyFollower(world));
  world.watch(promptTakeOver(world));
  world.watch(unfitLeader(world));
  world.watch(routing(world));
  world.watch(switchBack(world));
  if (world.ground.feed !== null) world.watch(feed(world));
  if (world.around.length === 0) return;
  world.watch(histories(world));
  world.watch(equalRecords(world));
  world.watch(operations(world));
  world.watch(cursors(world));
  world.watch(vectors(world));
  world.watch(stamps(world));
  world.watch(correctedClocks(world));
  world.watch(compaction(world));
  if (world.sites.length === 0) return;
  world.watch(peerPins(world));
  world.watch(clockCap(world));
  world.watch(federationModes(world));
}
