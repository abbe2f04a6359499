/**
 * Everything that an onlooker of the virtual world can see, as hooks; checkers implement the ones they need.
 * Keeps true: an onlooker sees each thing at the true time at which it happens, and changes nothing.
 */
import type { FeedEntry } from "../../adapters/memory-sink.ts";
import type { Side } from "../../adapters/ws-peer-channel/handshake.ts";
import type { Command } from "../../core/command.ts";
import type { ControlEvent } from "../../core/control-event.ts";
import type { CoordinatorEvent } from "../../core/events.ts";
import type { Label } from "../../core/ids.ts";
import type { PeerMessage } from "../../core/messages.ts";
import type { Op } from "../../core/operation.ts";
import type {
  ApplySnapshotOutcome,
  CommandInput,
  ForceLeaderOutcome,
  ForceLeaderRequest,
  SubmitOutcome,
} from "../../core/outcomes.ts";
import type { ArrivedOp } from "../../ports/replica.ts";
import type { Adoption } from "../../ports/store.ts";
import type { PushedBase } from "../../ports/sync-transport.ts";
import type { WitnessRecord } from "../../ports/witness.ts";
import type { PullPage } from "../../replication/hub.ts";
import type { Executed } from "../ports/sim-engine.ts";

/** What a client asked and was told. */
export interface Submission {
  readonly client: string;
  readonly key: string;
  readonly to: Label;
  readonly input: CommandInput;
  /** When the request reached the engine. */
  readonly askedMs: number;
  readonly outcome: SubmitOutcome;
}

/** How a process ended. */
export type Death = "killed" | "stopped" | "lost power";

/** Hooks of an onlooker. Every one is called synchronously, in the step in which the thing happens. */
export interface Watch {
  /** A process began a new life; `coordinator.start()` is called right after. */
  booted?(label: Label): void;
  /** A person lets an engine put its record in the place of one that is not its own [VT7]. */
  adoptsWitness?(label: Label): void;
  died?(label: Label, how: Death): void;
  /** The peer of an engine has told it that it has pinned another one. */
  refusedByPeer?(label: Label): void;
  /** The disk of an engine that does not run is another one: a copy, or empty. */
  diskReplaced?(label: Label): void;
  /** A process was frozen for `forMs`, and may act from now on. */
  woke?(label: Label, forMs: number): void;
  /** The wall clock of an engine's machine was moved. */
  wallStepped?(label: Label, byMs: number): void;
  /** A hello or a proof was sent over a link. */
  shookHands?(from: Label, frame: { readonly side: Side; readonly link: string; readonly text: string }): void;
  /** Something that an impostor did has counted. */
  fooled?(at: Label, how: string): void;
  /** A coordinator hands a message to its link, whose codec may still refuse it. */
  sending?(from: Label, message: PeerMessage): void;
  sent?(from: Label, message: PeerMessage): void;
  delivered?(to: Label, message: PeerMessage): void;
  /** A swap of the witness record is on its way. */
  swapSent?(from: Label, next: WitnessRecord): void;
  /** The witness has taken it. */
  swapped?(from: Label, previous: WitnessRecord | null, next: WitnessRecord): void;
  /** The store of an engine has committed something. */
  wrote?(label: Label, method: string): void;
  appended?(label: Label, commands: readonly Command[]): void;
  adopted?(label: Label, adoption: Adoption): void;
  /** A coordinator gives a command to its engine for the first time. */
  executing?(label: Label, command: Command): void;
  executed?(label: Label, command: Command, past: Executed | null, repeated: boolean): void;
  told?(label: Label, event: CoordinatorEvent): void;
  /** A command has just reached a coordinator. */
  submitting?(to: Label): void;
  submitted?(submission: Submission): void;
  forced?(label: Label, request: ForceLeaderRequest, outcome: ForceLeaderOutcome): void;
  /** A tool posted a snapshot under a lock that it once had. */
  snapshotAnswered?(label: Label, lockId: string, outcome: ApplySnapshotOutcome): void;
  /** An operation on a record has become durable at a place: an engine's label, or the name of a spoke or a site. */
  recorded?(place: string, op: Op, via: string): void;
  /** A spoke has kept another step of its exchange. */
  exchanged?(spoke: string): void;
  /** A place asked another one for a page, which was made; through `held` it says to have everything. */
  asked?(place: string, to: string, held: string): void;
  /** A page was made for a place. */
  pulled?(place: string, from: string, page: PullPage): void;
  /** A spoke's push reached an engine. */
  pushed?(spoke: string, to: string, base: PushedBase | null): void;
  /** A site is about to begin anew, with an empty store, behind the same address. */
  replaced?(site: string): void;
  /** A person made an engine forget what it keeps of a peer. */
  peerReset?(place: string, peer: string): void;
  /** A place has compacted `gone` away. */
  compacted?(place: string, gone: readonly ArrivedOp[]): void;
  /** An engine hands events to the feed, now. */
  publishing?(label: Label, batch: readonly ControlEvent[]): void;
  /** An engine asks the changeover switch, now. */
  routed?(label: Label, epoch: number): void;
  /** A script of `label` has set the device to it, for a leadership in `epoch`. `orphaned`: the engine could not stop it. */
  scriptRan?(label: Label, epoch: number, orphaned: boolean): void;
  /** The engine of `label` is told that it may act as leader for so long [EN12]. */
  mayActFor?(label: Label, forMs: number): void;
  /** An engine answered `GET /ready`. */
  readyAnswered?(label: Label, ready: boolean): void;
  /** An engine answered `GET /leader`; `leads`: with 200. */
  leaderAnswered?(label: Label, leads: boolean): void;
  /** An event stands in the feed from now on. */
  published?(entry: FeedEntry): void;
  /** The wall clock of a spoke or a site is about to be moved. */
  clockSteps?(place: string): void;
  /** A step is over, the promises that it resolved included. */
  afterStep?(): void;
  /** All faults have been taken back. */
  healed?(): void;
  /** The run is over and the pair has settled. */
  settled?(): void;
}

/** Calls a hook of every onlooker that has it. */
export class Watchers {
  readonly #watches: Watch[] = [];
  #steppers: Watch[] = [];

  add(watch: Watch): void {
    this.#watches.push(watch);
    this.#steppers = this.#watches.filter((known) => known.afterStep !== undefined);
  }

  each(call: (watch: Watch) => void): void {
    for (const watch of this.#watches) call(watch);
  }

  afterStep(): void {
    for (const watch of this.#steppers) watch.afterStep?.();
  }
}
