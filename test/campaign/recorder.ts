/**
 * Looks at `GET /leader` of both engines from outside, every 5 ms, over raw sockets that stay open.
 *
 * A sample counts for the span from when the question was sent to when its answer came, by the clock of this process;
 * it proves nothing about any other instant. So what is called a violation here is one. A question that is not answered
 * for a while keeps its socket, and sampling goes on over another: the late answer of a frozen engine still counts.
 */
import { connect, type Socket } from "node:net";
import type { Label } from "../../src/core/ids.ts";

export interface Sample {
  readonly label: Label;
  readonly sentMs: number;
  readonly answeredMs: number;
  /** Answered 200: says that it may act as leader. */
  readonly acts: boolean;
  readonly role: string;
  readonly epoch: number;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

const PACE_MS = 5;
/** After so long another socket asks. */
const LATE_MS = 40;
const MOST_SOCKETS = 4;
/** A socket that was silent for so long is given up. */
const GIVEN_UP_MS = 6_000;

export class Recorder {
  readonly samples: Sample[] = [];
  readonly #lines: readonly Line[][];
  readonly #timer: NodeJS.Timeout;

  constructor(engines: Readonly<Record<Label, Address>>) {
    const keep = (sample: Sample): void => void this.samples.push(sample);
    this.#lines = (["a", "b"] as const).map((label) =>
      Array.from({ length: MOST_SOCKETS }, () => new Line(label, engines[label], keep)),
    );
    this.#timer = setInterval(() => this.#tick(), PACE_MS);
  }

  /** Who answered 200 last within the last 200 ms, at the highest epoch; null: nobody. */
  leader(): Label | null {
    const sinceMs = performance.now() - 200;
    let found: Sample | null = null;
    for (let at = this.samples.length - 1; at >= 0; at -= 1) {
      const sample = this.samples[at];
      if (sample === undefined || sample.answeredMs < sinceMs) break;
      if (sample.acts && (found === null || sample.epoch > found.epoch)) found = sample;
    }
    return found?.label ?? null;
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const line of this.#lines.flat()) line.close();
  }

  #tick(): void {
    const nowMs = performance.now();
    for (const lines of this.#lines) {
      const waiting = lines.find((line) => line.waitsSince !== null && nowMs - line.waitsSince < LATE_MS);
      if (waiting === undefined) lines.find((line) => line.waitsSince === null)?.ask(nowMs);
      for (const line of lines) line.giveUpAfter(nowMs, GIVEN_UP_MS);
    }
  }
}

/** One socket to one engine, with one question at a time. */
class Line {
  readonly #label: Label;
  readonly #address: Address;
  readonly #keep: (sample: Sample) => void;
  #socket: Socket | null = null;
  #text = "";
  #askedMs: number | null = null;

  constructor(label: Label, address: Address, keep: (sample: Sample) => void) {
    this.#label = label;
    this.#address = address;
    this.#keep = keep;
  }

  /** Since when a question waits for its answer; null: none does. */
  get waitsSince(): number | null {
    return this.#askedMs;
  }

  ask(nowMs: number): void {
    this.#askedMs = nowMs;
    this.#text = "";
    this.#socket ??= this.#open();
    this.#socket.write(`GET /leader HTTP/1.1\r\nHost: ${this.#address.host}\r\n\r\n`);
  }

  giveUpAfter(nowMs: number, afterMs: number): void {
    if (this.#askedMs !== null && nowMs - this.#askedMs > afterMs) this.#socket?.destroy();
  }

  close(): void {
    this.#socket?.destroy();
  }

  #open(): Socket {
    const socket = connect({ ...this.#address, noDelay: true });
    socket.on("data", (bytes: Buffer) => this.#read(bytes.toString("latin1")));
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#askedMs = null;
    });
    return socket;
  }

  #read(text: string): void {
    this.#text += text;
    const [, status, body] = /^HTTP\/1\.1 (\d+)[^]*?\r\n\r\n(\{[^]*\})/.exec(this.#text) ?? [];
    const sentMs = this.#askedMs;
    if (body === undefined || sentMs === null) return;
    const { role, epoch } = JSON.parse(body) as { readonly role: string; readonly epoch: number };
    this.#askedMs = null;
    this.#keep({ label: this.#label, sentMs, answeredMs: performance.now(), acts: status === "200", role, epoch });
  }
}
