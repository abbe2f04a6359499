/**
 * The one timeline on which both engines execute: that of the engine which accepted a command.
 * Keeps true: when nothing outside disciplines the clocks, a timeline runs with the monotonic clock and is led back to
 * the wall clock slowly, so that no step of a wall clock moves an execution; the follower maps the leader's timeline onto
 * its own monotonic clock, and goes on with it when it takes over.
 */
import { offsetJitterMs, peerUnixMinusMonoMs, type OffsetFilter } from "../core/failure-detector.ts";
import type { EngineId } from "../core/ids.ts";
import type { ClockReading } from "../ports/basics.ts";
import type { Kit } from "./kit.ts";

/** An offset over one frame of 60 fields a second degrades lockstep visibly. */
const FRAME_MS = 16.7;
/** Wall clocks further apart than this are a fault of the plant, ms. */
const FAR_APART_MS = 1_000;

/** How fast our timeline is led back to our wall clock: a share of the time that passes. */
const SLEW = 0.0005;

export class ProgrammeClock {
  readonly #kit: Kit;
  readonly #peerOffset: () => OffsetFilter;
  readonly #peerWallMs: () => number | null;
  /** Own timeline minus monotonic ms. */
  #ownOffsetMs: number;
  #slewedAtMonoMs: number;

  /** `wallMs`: the peer's wall clock minus our monotonic clock, ms; null: it is not heard. */
  constructor(kit: Kit, peer: { readonly offset: () => OffsetFilter; readonly wallMs: () => number | null }) {
    this.#kit = kit;
    this.#peerOffset = peer.offset;
    this.#peerWallMs = peer.wallMs;
    this.#slewedAtMonoMs = kit.ports.clock.monoMs();
    this.#ownOffsetMs = this.#wallOffsetMs;
  }

  /** Now, on the timeline of `origin`, unix µs. */
  nowUs(origin: EngineId): number {
    return Math.round((this.#kit.ports.clock.monoMs() + this.#offsetMs(origin)) * 1_000);
  }

  /** A reading of our monotonic clock on our timeline, unix µs. */
  ownUs(monoMs: number): number {
    return Math.round((monoMs + this.#offsetMs(this.#kit.self.engineId)) * 1_000);
  }

  /** Our monotonic instant of `executeAtUs` on the timeline of `origin`. */
  toMonoMs(executeAtUs: number, origin: EngineId): number {
    return executeAtUs / 1_000 - this.#offsetMs(origin);
  }

  /** This engine takes the programme over: its timeline goes on where the old leader's was, without a jump [A10]. */
  continuePeers(): void {
    this.#ownOffsetMs = peerUnixMinusMonoMs(this.#peerOffset()) ?? this.#ownOffsetMs;
  }

  /** How well the clocks agree, for `clockSync`. */
  reading(): ClockReading {
    const outside = this.#kit.ports.clockSource?.reading();
    if (outside !== undefined && outside.mode !== "free") return outside;
    const filter = this.#peerOffset();
    const peerMs = peerUnixMinusMonoMs(filter);
    if (peerMs === null) return { mode: "free", offsetNs: 0, jitterNs: 0 };
    return {
      mode: "peer",
      offsetNs: Math.round((peerMs - this.#wallOffsetMs) * 1e6),
      jitterNs: Math.round(offsetJitterMs(filter) * 1e6),
    };
  }

  /** Leads our timeline back to the wall clock, and says what an engineer must know of the clocks. */
  watch(): void {
    this.#slew();
    const { alarms, ports } = this.#kit;
    const reading = this.reading();
    const offsetMs = Math.abs(reading.offsetNs) / 1e6;
    const disciplined = reading.mode === "ptp" || reading.mode === "ntp";
    const lost = ports.clockSource !== null && ports.clockSource.undisciplined !== true && !disciplined;
    const degraded = lost || (disciplined && offsetMs > FRAME_MS) || reading.jitterNs / 1e6 > FRAME_MS;
    alarms.set("lockstep-degraded", degraded, `clock ${reading.mode}, offset ${offsetMs.toFixed(3)} ms`);
    const peerMs = this.#peerWallMs();
    const apartMs = peerMs === null ? 0 : peerMs - this.#wallOffsetMs;
    alarms.set(
      "clocks-far-apart",
      Math.abs(apartMs) > FAR_APART_MS,
      `wall clocks are ${Math.round(Math.abs(apartMs))} ms apart, ${apartMs < 0 ? "this engine" : "the peer"} is ahead: ` +
        "the engine that is ahead cannot give its records to the other; commands are not affected",
    );
  }

  /** Jitter of the clocks, ms: it widens the lead time of commands. */
  get jitterMs(): number {
    return this.reading().jitterNs / 1e6;
  }

  #offsetMs(origin: EngineId): number {
    const outside = this.#kit.ports.clockSource?.reading().mode ?? "free";
    if (outside === "ptp" || outside === "ntp") return this.#wallOffsetMs;
    if (origin === this.#kit.self.engineId) return this.#ownOffsetMs;
    return peerUnixMinusMonoMs(this.#peerOffset()) ?? this.#ownOffsetMs;
  }

  #slew(): void {
    const now = this.#kit.ports.clock.monoMs();
    const stepMs = (now - this.#slewedAtMonoMs) * SLEW;
    this.#slewedAtMonoMs = now;
    const awayMs = this.#wallOffsetMs - this.#ownOffsetMs;
    this.#ownOffsetMs += Math.sign(awayMs) * Math.min(Math.abs(awayMs), stepMs);
  }

  /** Own wall clock minus monotonic ms. */
  get #wallOffsetMs(): number {
    return this.#kit.ports.clock.unixMs() - this.#kit.ports.clock.monoMs();
  }
}
