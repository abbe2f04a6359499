/**
 * The beat of the engine: one tick every `heartbeatMs`, and the notice of having been paused between two [CP5].
 * Keeps true: a pause is found at the first look after it, be that a tick or an effect that asks [VT5].
 */
import type { TimerHandle } from "../ports/basics.ts";
import type { Kit } from "./kit.ts";

export class Pulse {
  readonly #kit: Kit;
  readonly #onBeat: () => void;
  readonly #onPause: (gapMs: number) => void;
  #timer: TimerHandle | null = null;
  #dueMs = 0;
  /** At the last look; null before the start, when there is nothing to compare with. */
  #seen: { readonly monoMs: number; readonly unixMs: number } | null = null;

  constructor(kit: Kit, handlers: { onBeat: () => void; onPause: (gapMs: number) => void }) {
    this.#kit = kit;
    this.#onBeat = handlers.onBeat;
    this.#onPause = handlers.onPause;
  }

  start(): void {
    this.#dueMs = this.#kit.ports.clock.monoMs();
    this.#look();
    this.#arm();
  }

  stop(): void {
    if (this.#timer !== null) this.#kit.ports.clock.clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Whether the engine has begun, and was not paused since the last look. */
  get isAwake(): boolean {
    return this.#seen !== null && this.#pausedMs() === null;
  }

  /** Finds out whether the engine was paused since the last look; true when it was just found. */
  check(): boolean {
    const gapMs = this.#pausedMs();
    if (gapMs === null) return false;
    this.#look();
    this.#onPause(gapMs);
    return true;
  }

  /** Ms for which the engine was paused since the last look; null: it was not, or has not begun. */
  #pausedMs(): number | null {
    const { clock } = this.#kit.ports;
    if (this.#seen === null) return null;
    const monoGapMs = clock.monoMs() - this.#seen.monoMs;
    const unixGapMs = clock.unixMs() - this.#seen.unixMs;
    const isPause = this.#kit.rules.pauseSuspected(monoGapMs, unixGapMs, this.#kit.failover.leaseMs);
    return isPause ? Math.max(monoGapMs, unixGapMs) : null;
  }

  #arm(): void {
    const { clock } = this.#kit.ports;
    const { heartbeatMs } = this.#kit.failover;
    const now = clock.monoMs();
    this.#dueMs = this.#dueMs + heartbeatMs > now ? this.#dueMs + heartbeatMs : now + heartbeatMs;
    this.#timer = clock.setTimeout(() => this.#tick(), this.#dueMs - now);
  }

  #tick(): void {
    this.#arm();
    this.check();
    this.#look();
    this.#onBeat();
  }

  #look(): void {
    const { clock } = this.#kit.ports;
    this.#seen = { monoMs: clock.monoMs(), unixMs: clock.unixMs() };
  }
}
