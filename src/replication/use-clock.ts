/**
 * How long this log has been in use, ms, over all lives of the process: by the monotonic clock, and only while it runs. Who
 * was not seen for long is told by this. A wall clock that jumps by months makes nobody look as if it had stayed away [R7].
 * A crash forgets ten minutes at most.
 */
import { ChangeoverError } from "../core/errors.ts";
import type { ReplicationBasics } from "./record-log.ts";

const KEY = "use:ms";
const NOTE_EVERY_MS = 600_000;

export class UseClock {
  readonly #basics: Pick<ReplicationBasics, "clock" | "replica">;
  readonly #before: number;
  readonly #startMonoMs: number;
  #noted: number;

  constructor(basics: Pick<ReplicationBasics, "clock" | "replica">) {
    this.#basics = basics;
    const kept = Number(basics.replica.peerState.get(KEY) ?? 0);
    this.#before = Number.isFinite(kept) && kept > 0 ? kept : 0;
    this.#noted = this.#before;
    this.#startMonoMs = basics.clock.monoMs();
  }

  get nowMs(): number {
    const { clock, replica } = this.#basics;
    const nowMs = this.#before + clock.monoMs() - this.#startMonoMs;
    if (nowMs - this.#noted >= NOTE_EVERY_MS) {
      this.#noted = nowMs;
      try {
        replica.peerState.set(KEY, String(Math.floor(nowMs)));
      } catch (error) {
        // The disk is full: it is noted later.
        if (!(error instanceof ChangeoverError)) throw error;
      }
    }
    return nowMs;
  }
}
