/**
 * Purpose: the one timeline on which both engines execute: the wall clock of the engine that accepted a command.
 * Keeps true: when nothing outside disciplines the clocks, the follower maps the leader's wall clock onto its own
 * monotonic one, so that a step of its own wall clock moves no execution.
 */
import { offsetJitterMs, peerUnixMinusMonoMs, type OffsetFilter } from "../core/clock-offset.ts";
import type { EngineId } from "../core/ids.ts";
import type { ClockReading } from "../ports/clock-source.ts";
import type { Kit } from "./kit.ts";

/** An offset over one frame of 60 fields a second degrades lockstep visibly. */
const FRAME_MS = 16.7;
/** Wall clocks further apart than this are a fault of the plant, ms. */
const FAR_APART_MS = 1_000;

export class ProgrammeClock {
  readonly #kit: Kit;
  readonly #peerOffset: () => OffsetFilter;

  constructor(kit: Kit, peerOffset: () => OffsetFilter) {
    this.#kit = kit;
    this.#peerOffset = peerOffset;
  }

  /** Own unix minus monotonic ms. */
  get #ownOffsetMs(): number {
    return this.#kit.ports.clock.unixMs() - this.#kit.ports.clock.monoMs();
  }

  /** Now, as the wall clock of `origin`, unix µs. */
  nowUs(origin: EngineId): number {
    return Math.round((this.#kit.ports.clock.monoMs() + this.#offsetMs(origin)) * 1_000);
  }

  /** The own monotonic instant of `executeAtUs` on the timeline of `origin`. */
  toMonoMs(executeAtUs: number, origin: EngineId): number {
    return executeAtUs / 1_000 - this.#offsetMs(origin);
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
      offsetNs: Math.round((peerMs - this.#ownOffsetMs) * 1e6),
      jitterNs: Math.round(offsetJitterMs(filter) * 1e6),
    };
  }

  /** Says what an engineer must know of the clocks. */
  watch(): void {
    const { alarms, ports } = this.#kit;
    const reading = this.reading();
    const offsetMs = Math.abs(reading.offsetNs) / 1e6;
    const disciplined = reading.mode === "ptp" || reading.mode === "ntp";
    const lost = ports.clockSource !== null && ports.clockSource.undisciplined !== true && !disciplined;
    const degraded = lost || (disciplined && offsetMs > FRAME_MS) || reading.jitterNs / 1e6 > FRAME_MS;
    alarms.set("lockstep-degraded", degraded, `clock ${reading.mode}, offset ${offsetMs.toFixed(3)} ms`);
    alarms.set(
      "clocks-far-apart",
      !disciplined && offsetMs > FAR_APART_MS,
      `wall clocks are ${Math.round(offsetMs)} ms apart`,
    );
  }

  /** Jitter of the clocks, ms: it widens the lead time of commands. */
  get jitterMs(): number {
    return this.reading().jitterNs / 1e6;
  }

  #offsetMs(origin: EngineId): number {
    const outside = this.#kit.ports.clockSource?.reading().mode ?? "free";
    if (origin === this.#kit.self.engineId || outside === "ptp" || outside === "ntp") return this.#ownOffsetMs;
    return peerUnixMinusMonoMs(this.#peerOffset()) ?? this.#ownOffsetMs;
  }
}
