/**
 * What an engineer must know now. One entry for each code. The actor that knows raises it and clears it.
 */
import { ChangeoverError } from "../core/errors.ts";
import type { Alarm, AlarmCode, CoordinatorEvent } from "../core/events.ts";
import type { Clock, Logger } from "../ports/basics.ts";

export class Alarms {
  readonly #standing = new Map<AlarmCode, Alarm>();
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #emit: (event: CoordinatorEvent) => void;

  constructor(components: { clock: Clock; logger: Logger; emit: (event: CoordinatorEvent) => void }) {
    this.#clock = components.clock;
    this.#logger = components.logger;
    this.#emit = components.emit;
  }

  /** Raises `code`, or renews its detail while it stands. */
  raise(code: AlarmCode, detail: string): void {
    const standing = this.#standing.get(code);
    if (standing !== undefined) {
      if (standing.detail !== detail) this.#standing.set(code, { ...standing, detail });
      return;
    }
    const alarm = { code, since: this.#clock.unixMs(), detail };
    this.#standing.set(code, alarm);
    this.#logger.warn({ alarm: code, detail }, "alarm raised");
    this.#emit({ type: "alarm", alarm, raised: true });
  }

  clear(code: AlarmCode): void {
    const alarm = this.#standing.get(code);
    if (alarm === undefined) return;
    this.#standing.delete(code);
    this.#logger.info({ alarm: code }, "alarm cleared");
    this.#emit({ type: "alarm", alarm, raised: false });
  }

  /** Raises or clears by a condition. */
  set(code: AlarmCode, raised: boolean, detail: string): void {
    if (raised) this.raise(code, detail);
    else this.clear(code);
  }

  stands(code: AlarmCode): boolean {
    return this.#standing.has(code);
  }

  list(): readonly Alarm[] {
    return [...this.#standing.values()];
  }
}

/**
 * Commands that do not stand after a split, and that `whose` log has compacted away: both engines held them, then one of them
 * came back from an older copy of its disk. There is nothing left to keep as a conflict [SB3].
 */
export function raiseGone(alarms: Pick<Alarms, "raise">, whose: string, fromSeq: number, toSeq: number): void {
  alarms.raise(
    "history-forked",
    `commands ${fromSeq} to ${toSeq} of ${whose} do not stand, and its log no longer holds them as conflicts: an engine came ` +
      "back from a copy of its disk that is older than what commands.keep covers",
  );
}

/** Whether a write failed because the disk refuses it. Everything else is a fault of what was to be written. */
export function isOfDisk(error: unknown): boolean {
  return error instanceof ChangeoverError;
}

/**
 * Raises what a failed write of the store means: `store-failed` when the disk refuses, `store-inconsistent` when what was
 * to be written does not fit what is held. The second is a fault of the content, and no disk cures it [SB6].
 */
export function raiseStoreAlarm(
  alarms: Pick<Alarms, "raise">,
  error: unknown,
  what: string,
): "store-failed" | "store-inconsistent" {
  if (isOfDisk(error)) {
    alarms.raise("store-failed", what);
    return "store-failed";
  }
  alarms.raise("store-inconsistent", `${what}: ${error instanceof Error ? error.message : String(error)}`);
  return "store-inconsistent";
}
