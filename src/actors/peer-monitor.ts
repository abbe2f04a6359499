/**
 * The other engine as it seems from here: its heartbeats, its promise kept, its clock. Whether it lives is decided by the
 * `peer-link` chart. Keeps true: only a fresh heartbeat of the pinned engine extends anything [HB2]; only a refusal of
 * every address is death [DP1].
 */
import type { Actor } from "xstate";
import { peerLinkMachine } from "../../machines/peer-link.machine.ts";
import {
  exchangeMs,
  NO_SAMPLES,
  peerUnixMinusMonoMs,
  takeExchange,
  type OffsetFilter,
} from "../core/failure-detector.ts";
import { MAX_DRIFT_MS } from "../core/hlc.ts";
import type { IncarnationId } from "../core/ids.ts";
import type { Heartbeat } from "../core/messages.ts";
import type { ProbeResult } from "../ports/peer-channel.ts";
import type { Kit } from "./kit.ts";
import type { Pulse } from "./pulse.ts";
import { startMachine } from "./start-machine.ts";
import type { Votes } from "./votes.ts";

export type PeerState = "connecting" | "alive" | "suspect" | "silent" | "dead";

export interface PeerMonitorHandlers {
  /** The judgement on the peer has changed. */
  onChange(state: PeerState): void;
  /** Tells whether this engine itself slept: then the silence may be its own [CP5]. */
  readonly pulse: Pick<Pulse, "isAwake" | "check">;
}

/** The last heartbeat and what was noted at its receipt. */
export interface LastHeartbeat {
  readonly heartbeat: Heartbeat;
  readonly receivedAtMonoMs: number;
}

const NONE_CLOSED: ReadonlySet<string> = new Set();

/** Heartbeats of which the peer's wall clock is taken. */
const WALL_SAMPLES = 5;

/** One that was held up for longer, here or on its way, says too little about it: half of what makes a stamp too far ahead. */
const WALL_ROUND_TRIP_MS = MAX_DRIFT_MS / 2;

/** Half an interval of grace: a heartbeat is missed once the next one is that late. */
const SUSPECT_AFTER_INTERVALS = 1.5;

export class PeerMonitor {
  readonly #kit: Kit;
  readonly #votes: Votes;
  readonly #machine: Actor<typeof peerLinkMachine>;
  #last: LastHeartbeat | null = null;
  #incarnation: IncarnationId | null = null;
  #offset: OffsetFilter = NO_SAMPLES;
  #wall: readonly number[] = [];
  #promiseUntilMs = Number.NEGATIVE_INFINITY;
  #probing = false;

  constructor(kit: Kit, votes: Votes, handlers: PeerMonitorHandlers) {
    this.#kit = kit;
    this.#votes = votes;
    const { heartbeatMs, missLimit } = kit.failover;
    const left =
      (intervals: number) =>
      ({ context }: { readonly context: { readonly signAtMs: number } }): number =>
        Math.max(0, context.signAtMs + heartbeatMs * intervals - kit.nowMs());
    let told: PeerState = "connecting";
    this.#machine = startMachine(
      kit,
      peerLinkMachine.provide({
        delays: { untilSuspect: left(SUSPECT_AFTER_INTERVALS), untilSilent: left(missLimit) },
        guards: { isAwake: () => handlers.pulse.isAwake },
        actions: { noticeSleep: () => void handlers.pulse.check() },
      }),
      ({ value }) => {
        if (value === told) return;
        told = value;
        handlers.onChange(value);
      },
    );
  }

  stop(): void {
    this.#machine.stop();
  }

  get state(): PeerState {
    return this.#machine.getSnapshot().value;
  }

  get last(): LastHeartbeat | null {
    return this.#last;
  }

  get offset(): OffsetFilter {
    return this.#offset;
  }

  /**
   * The peer's wall clock minus this engine's monotonic clock, ms; null: it is not known. Of the last heartbeats the one
   * that was on its way for the shortest time counts: a delay only makes the peer seem to be behind. One that answers none
   * of this engine's is left out: nobody knows how long it was held up.
   */
  get wallUnixMinusMonoMs(): number | null {
    if (this.#wall.length > 0) return Math.max(...this.#wall);
    const tellsItsWall = this.#last?.heartbeat.wallUnixMs !== undefined;
    return tellsItsWall ? null : peerUnixMinusMonoMs(this.#offset);
  }

  get lastHeardMs(): number {
    return this.#machine.getSnapshot().context.signAtMs;
  }

  get silentAtMs(): number {
    return this.lastHeardMs + this.#kit.failover.heartbeatMs * this.#kit.failover.missLimit;
  }

  /** Until here this engine has promised not to campaign [VT2]. */
  get promiseUntilMs(): number {
    return this.#promiseUntilMs;
  }

  get alive(): boolean {
    return this.state === "alive" || this.state === "suspect";
  }

  /** Keeps still until `untilMs` at least [VT2] [CP7]. */
  promiseUntil(untilMs: number): void {
    this.#promiseUntilMs = Math.max(this.#promiseUntilMs, untilMs);
  }

  /** Takes a heartbeat; false: it is old, and extends nothing [HB2]. */
  take(heartbeat: Heartbeat, receivedAtMonoMs: number): boolean {
    const { rules, counters } = this.#kit;
    const known = heartbeat.incarnation === this.#incarnation;
    if (known && this.#last !== null && !rules.heartbeatIsFresh(this.#last.heartbeat.n, heartbeat.n)) {
      counters.heartbeatsRefused += 1;
      return false;
    }
    if (!known) [this.#offset, this.#wall] = [NO_SAMPLES, []];
    this.#incarnation = heartbeat.incarnation;
    counters.heartbeatsReceived += 1;
    this.#last = { heartbeat, receivedAtMonoMs };
    this.#measure(heartbeat, receivedAtMonoMs);
    this.#machine.send({ type: "HEARD", atMs: receivedAtMonoMs });
    return true;
  }

  /** At the start and after a pause of this engine: what was missed until now does not count against the peer. */
  forgive(): void {
    this.#machine.send({ type: "AWAKE", atMs: this.#kit.nowMs() });
  }

  /** Asks every address of the peer whether a process still listens there [DP1]; `onProof` hears of it before anyone acts on it. */
  async probe(
    onProof: (sentAtMs: number) => void,
    closed: ReadonlySet<string> = NONE_CLOSED,
  ): Promise<{ result: ProbeResult; sentAtMs: number } | null> {
    if (this.#probing) return null;
    this.#probing = true;
    const sentAtMs = this.#kit.nowMs();
    const heardBefore = this.lastHeardMs;
    const result = await this.#kit.ports.peerProbe.probe(this.#kit.failover.deathProbeMs, closed);
    this.#probing = false;
    const heardSince = this.lastHeardMs > heardBefore;
    if (this.#kit.rules.provesDeath(result) && !heardSince) {
      onProof(sentAtMs);
      this.#machine.send({ type: "REFUSED" });
    } else this.#machine.send({ type: "DOUBTED" });
    return { result, sentAtMs };
  }

  /** Its watch says that it is busy and lives [EN5]. That delays a campaign, and is neither a heartbeat nor a promise. */
  vouched(): void {
    this.#machine.send({ type: "VOUCHED", atMs: this.#kit.nowMs() });
  }

  /** A link came up: a process lives there, whatever a probe said before. */
  linkUp(): void {
    this.#machine.send({ type: "DOUBTED" });
  }

  #measure(heartbeat: Heartbeat, receivedMonoMs: number): void {
    const { echo } = heartbeat;
    const sentMonoMs = echo === null ? null : this.#votes.sentAtMs(echo.n);
    if (echo === null || sentMonoMs === null) return;
    const exchange = {
      sentMonoMs,
      peerReceivedUnixMs: echo.receivedAtUnixUs / 1_000,
      peerSentUnixMs: heartbeat.sentAtUnixUs / 1_000,
      receivedMonoMs,
    };
    this.#offset = takeExchange(this.#offset, exchange);
    const { wallUnixMs } = heartbeat;
    if (wallUnixMs === undefined || exchangeMs(exchange) > WALL_ROUND_TRIP_MS) return;
    this.#wall = [...this.#wall, wallUnixMs - receivedMonoMs].slice(-WALL_SAMPLES);
  }
}
