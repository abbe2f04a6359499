/** A socket on which nothing comes is asked, then given up; a pause of this process is not silence of the other. */
import { describe, expect, it } from "vitest";
import { type PeerSocket, SilenceWatch } from "../../src/adapters/ws-peer-channel/peer-socket.ts";
import { SystemClock } from "../../src/adapters/basics.ts";

/** Time as a test sets it, with the one timer that the watch has. */
class SteppedClock extends SystemClock {
  #nowMs = 1_000;
  #timer: { readonly fn: () => void; readonly atMs: number } | null = null;

  override monoMs(): number {
    return this.#nowMs;
  }

  override setTimeout(fn: () => void, delayMs: number): object {
    this.#timer = { fn, atMs: this.#nowMs + delayMs };
    return this.#timer;
  }

  override clearTimeout(): void {
    this.#timer = null;
  }

  /** Goes on in steps of `stepMs`; a timer that is due fires late, at the end of its step. */
  pass(ms: number, stepMs = 100): void {
    for (const endMs = this.#nowMs + ms; this.#nowMs < endMs;) {
      this.#nowMs += stepMs;
      const timer = this.#timer;
      if (timer === null || timer.atMs > this.#nowMs) continue;
      this.#timer = null;
      timer.fn();
    }
  }
}

function watched(): { clock: SteppedClock; socket: { lastHeardMonoMs: number }; done: string[]; watch: SilenceWatch } {
  const clock = new SteppedClock();
  const done: string[] = [];
  const socket = {
    lastHeardMonoMs: clock.monoMs(),
    ping: () => void done.push("ping"),
    drop: () => void done.push("drop"),
  };
  const watch = new SilenceWatch({ clock, sockets: () => [socket as unknown as PeerSocket] });
  watch.start();
  return { clock, socket, done, watch };
}

describe("SilenceWatch", () => {
  it("leaves a socket alone that is heard", () => {
    const { clock, socket, done } = watched();
    for (let beat = 0; beat < 50; beat++) {
      clock.pass(200);
      socket.lastHeardMonoMs = clock.monoMs();
    }
    expect(done).toEqual([]);
  });

  it("asks a silent socket for a sign of life, and gives it up after 2 to 3 s", () => {
    const { clock, done } = watched();
    clock.pass(2_000);
    expect(done).toEqual(["ping", "ping"]);
    clock.pass(1_000);
    expect(done).toEqual(["ping", "ping", "drop"]);
  });

  it("gives every socket a new chance after a pause of this process", () => {
    const { clock, done } = watched();
    clock.pass(10_000, 10_000);
    expect(done).toEqual([]);
    clock.pass(3_000);
    expect(done.at(-1)).toBe("drop");
  });

  it("does nothing once it is closed", () => {
    const { clock, done, watch } = watched();
    watch.close();
    clock.pass(5_000);
    expect(done).toEqual([]);
  });
});
