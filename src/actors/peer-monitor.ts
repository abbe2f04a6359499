/**
 * The other engine as it seems from here: its heartbeats, whether it lives, its promise kept, its clock.
 * Binds `peer-link`. Keeps true: only a fresh heartbeat of the pinned engine extends anything [HB2]; only a refusal of
 * every address is death [DP1].
 */
import { peerLinkMachine } from "../../machines/peer-link.machine.ts";
import {
  NO_SAMPLES,
  peerUnixMinusMonoMs,
  takeExchange,
  type OffsetFilter,
  heard,
  liveness,
  nextDeadlineMs,
  silentAtMs,
  watchFrom,
  type Detector,
} from "../core/failure-detector.ts";
import type { IncarnationId } from "../core/ids.ts";
import type { Heartbeat } from "../core/messages.ts";
import type { TimerHandle } from "../ports/basics.ts";
import type { ProbeResult } from "../ports/peer-channel.ts";
import type { Kit } from "./kit.ts";
import { startMachine } from "./start-machine.ts";
import type { Votes } from "./votes.ts";

export type PeerState = "connecting" | "alive" | "suspect" | "silent" | "dead";

export interface PeerMonitorHandlers {
  /** The judgement on the peer has changed. */
  onChange(state: PeerState): void;
  /** A deadline has passed: if this engine itself slept, that must be noticed before the peer is judged [CP5]. */
  lookForPause?(): void;
}

/** The last heartbeat and what was noted at its receipt. */
export interface LastHeartbeat {
  readonly heartbeat: Heartbeat;
  readonly receivedAtMonoMs: number;
}

const NONE_CLOSED: ReadonlySet<string> = new Set();

/** Heartbeats of which the peer's wall clock is taken. */
const WALL_SAMPLES = 5;

export class PeerMonitor {
  readonly #kit: Kit;
  readonly #votes: Votes;
  readonly #handlers: PeerMonitorHandlers;
  readonly #machine;
  #detector: Detector;
  #deadline: TimerHandle | null = null;
  #deadlineAtMs = Number.POSITIVE_INFINITY;
  #last: LastHeartbeat | null = null;
  #incarnation: IncarnationId | null = null;
  #offset: OffsetFilter = NO_SAMPLES;
  #wall: readonly number[] = [];
  #promiseUntilMs = Number.NEGATIVE_INFINITY;
  #state: PeerState = "connecting";
  #probing = false;

  constructor(kit: Kit, votes: Votes, handlers: PeerMonitorHandlers) {
    this.#kit = kit;
    this.#votes = votes;
    this.#handlers = handlers;
    this.#detector = watchFrom(kit.nowMs(), kit.failover.heartbeatMs, kit.failover.missLimit);
    this.#machine = startMachine(
      kit,
      peerLinkMachine.provide({
        actions: {
          peerAlive: () => this.#changed("alive"),
          peerSuspect: () => this.#changed("suspect"),
          peerSilent: () => this.#changed("silent"),
          peerDead: () => this.#changed("dead"),
        },
      }),
    );
  }

  start(): void {
    this.#detector = watchFrom(this.#kit.nowMs(), this.#kit.failover.heartbeatMs, this.#kit.failover.missLimit);
    this.#armDeadline();
  }

  stop(): void {
    if (this.#deadline !== null) this.#kit.ports.clock.clearTimeout(this.#deadline);
    this.#deadline = null;
    this.#machine.stop();
  }

  get state(): PeerState {
    return this.#state;
  }

  get machineValue(): string {
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
   * that was on its way for the shortest time counts: a delay only makes the peer seem to be behind.
   */
  get wallUnixMinusMonoMs(): number | null {
    return this.#wall.length === 0 ? peerUnixMinusMonoMs(this.#offset) : Math.max(...this.#wall);
  }

  get lastHeardMs(): number {
    return this.#detector.lastHeardMs;
  }

  get silentAtMs(): number {
    return silentAtMs(this.#detector);
  }

  /** Until here this engine has promised not to campaign [VT2]. */
  get promiseUntilMs(): number {
    return this.#promiseUntilMs;
  }

  get alive(): boolean {
    return this.#state === "alive" || this.#state === "suspect";
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
    const { wallUnixMs } = heartbeat;
    if (wallUnixMs !== undefined) this.#wall = [...this.#wall, wallUnixMs - receivedAtMonoMs].slice(-WALL_SAMPLES);
    this.#incarnation = heartbeat.incarnation;
    counters.heartbeatsReceived += 1;
    this.#last = { heartbeat, receivedAtMonoMs };
    this.#detector = heard(this.#detector, receivedAtMonoMs);
    this.#measure(heartbeat, receivedAtMonoMs);
    if (this.#state !== "alive") this.#machine.send({ type: "HEARD" });
    this.#armDeadline();
    return true;
  }

  /** After a pause of this engine: what was missed while it slept does not count against the peer. */
  forgive(): void {
    this.#detector = { ...this.#detector, lastHeardMs: this.#kit.nowMs() };
    this.#armDeadline();
  }

  /** Asks every address of the peer whether a process still listens there [DP1]; `onProof` hears of it before anyone acts on it. */
  async probe(
    onProof: (sentAtMs: number) => void,
    closed: ReadonlySet<string> = NONE_CLOSED,
  ): Promise<{ result: ProbeResult; sentAtMs: number } | null> {
    if (this.#probing) return null;
    this.#probing = true;
    const sentAtMs = this.#kit.nowMs();
    const heardBefore = this.#detector.lastHeardMs;
    const result = await this.#kit.ports.peerProbe.probe(this.#kit.failover.deathProbeMs, closed);
    this.#probing = false;
    const heardSince = this.#detector.lastHeardMs > heardBefore;
    if (this.#kit.rules.provesDeath(result) && !heardSince) {
      onProof(sentAtMs);
      if (this.#state !== "dead") this.#machine.send({ type: "REFUSED" });
    } else if (this.#state === "dead") {
      this.#machine.send({ type: "DOUBTED" });
    }
    return { result, sentAtMs };
  }

  /** Its watch says that it is busy and lives [EN5]. That delays a campaign, and is neither a heartbeat nor a promise. */
  vouched(): void {
    this.#detector = heard(this.#detector, this.#kit.nowMs());
    if (this.#state === "suspect" || this.#state === "silent") this.#machine.send({ type: "HEARD" });
    this.#armDeadline();
  }

  /** A link came up: a process lives there, whatever a probe said before. */
  linkUp(): void {
    if (this.#state === "dead") this.#machine.send({ type: "DOUBTED" });
  }

  #measure(heartbeat: Heartbeat, receivedMonoMs: number): void {
    const { echo } = heartbeat;
    const sentMonoMs = echo === null ? null : this.#votes.sentAtMs(echo.n);
    if (echo === null || sentMonoMs === null) return;
    this.#offset = takeExchange(this.#offset, {
      sentMonoMs,
      peerReceivedUnixMs: echo.receivedAtUnixUs / 1_000,
      peerSentUnixMs: heartbeat.sentAtUnixUs / 1_000,
      receivedMonoMs,
    });
  }

  /** One timer: a deadline that moved on is only noticed when the old one fires, which costs nothing in between. */
  #armDeadline(): void {
    const now = this.#kit.nowMs();
    const nextMs = nextDeadlineMs(this.#detector, now);
    if (nextMs === null || (this.#deadline !== null && this.#deadlineAtMs <= nextMs)) return;
    if (this.#deadline !== null) this.#kit.ports.clock.clearTimeout(this.#deadline);
    this.#deadlineAtMs = nextMs;
    this.#deadline = this.#kit.ports.clock.setTimeout(() => this.#deadlinePassed(), Math.max(0, nextMs - now));
  }

  #deadlinePassed(): void {
    this.#deadline = null;
    this.#deadlineAtMs = Number.POSITIVE_INFINITY;
    this.#handlers.lookForPause?.();
    const judged = liveness(this.#detector, this.#kit.nowMs());
    if (judged === "suspect" && this.#state === "alive") this.#machine.send({ type: "MISSED" });
    if (judged === "silent" && this.#state !== "silent") this.#machine.send({ type: "SILENT" });
    this.#armDeadline();
  }

  #changed(state: PeerState): void {
    this.#state = state;
    this.#handlers.onChange(state);
  }
}
