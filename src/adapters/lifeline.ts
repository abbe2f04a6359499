/**
 * The lifeline of an engine beside the coordinator [EN2]: `GET /lifeline` answers 200 with a body that never ends, and the
 * engine writes a line at least every `intervalMs`. When no line has come for `intervalMs × missLimit`, the engine is
 * stalled.
 *
 * Any bytes may come. A line that is too long is dropped up to its end, a flood is read at a bounded rate, and what makes no
 * sense is reported while the line still counts as a sign of life. The deadline begins with the first line: an engine that
 * answers every path with 200 has no lifeline. Time during which this process itself stood still is not held against the
 * engine.
 */
import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Clock, TimerHandle } from "../ports/basics.ts";
import { type EngineReport, parseReport } from "./engine-report.ts";

export interface LifelineInit {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly intervalMs: number;
  readonly missLimit: number;
  /** For the head of the answer. */
  readonly openTimeoutMs: number;
}

export interface LifelineListener {
  /** A line came; null: an empty one, or one that makes no sense. */
  onLine(report: EngineReport | null): void;
  /** No line came in time. */
  onStalled(): void;
  /** The connection ended, so the process may be gone; `refused`: it is gone. */
  onEnded(refused: boolean): void;
  /** A line that makes no sense, and why. */
  onStrange(fault: string): void;
}

/** `none`: the engine has no lifeline and `why` says what it answered instead. */
export type LifelineState =
  { readonly at: "opening" | "live" | "stalled" } | { readonly at: "none"; readonly why: string };

/** Longest line. */
const MAX_LINE_BYTES = 65_536;
/** Bytes that are read in one interval; beyond it the connection waits for the next one. */
const MAX_INTERVAL_BYTES = 262_144;
/** Lines of one chunk that are looked at, the newest ones. */
const MAX_CHUNK_LINES = 8;
/** Wait for the first line of a connection. */
const FIRST_LINE_MS = 1_000;
/** Pause before the next connection: the first comes at once, so that a dead process is found. */
const RETRY_MS = [0, 10, 50, 200, 1_000] as const;
/** An engine without a lifeline may get one by an update. */
const ASK_AGAIN_MS = 30_000;
/** A connection that has been silent for this long is replaced by a new one. */
const REOPEN_MS = 5_000;
const NEWLINE = 0x0a;

export class Lifeline {
  readonly #clock: Clock;
  readonly #init: LifelineInit;
  readonly #listener: LifelineListener;
  readonly #limitMs: number;
  #state: LifelineState = { at: "opening" };
  #request: ClientRequest | null = null;
  #openTimer: TimerHandle | null = null;
  #deadline: TimerHandle | null = null;
  #deadlineDueMs = 0;
  #lastLineMs = 0;
  #openedMs = 0;
  #failures = 0;
  #partial: Buffer[] = [];
  #partialBytes = 0;
  /** The present line is too long: its rest is dropped. */
  #dropping = false;
  #windowMs = 0;
  #windowBytes = 0;
  #closed = false;

  constructor(components: { readonly clock: Clock }, init: LifelineInit, listener: LifelineListener) {
    this.#clock = components.clock;
    this.#init = init;
    this.#listener = listener;
    this.#limitMs = init.intervalMs * init.missLimit;
  }

  get state(): LifelineState {
    return this.#state;
  }

  /** Asks for the lifeline unless a connection is open or under way. */
  open(): void {
    if (this.#closed || this.#request !== null) return;
    this.#disarmOpen();
    const { url, headers, openTimeoutMs } = this.#init;
    let request: ClientRequest;
    try {
      const options = { method: "GET", headers: { ...headers, connection: "close" }, agent: false as const };
      request = url.startsWith("https:") ? httpsRequest(url, options) : httpRequest(url, options);
    } catch (error) {
      this.#none(error instanceof Error ? error.message : String(error));
      return;
    }
    this.#request = request;
    this.#openedMs = this.#clock.monoMs();
    const timer = this.#clock.setTimeout(() => request.destroy(new Error("no answer")), openTimeoutMs);
    request.on("response", (response) => {
      this.#clock.clearTimeout(timer);
      if (this.#request === request) this.#answered(request, response);
    });
    request.on("error", (error: NodeJS.ErrnoException) => {
      this.#clock.clearTimeout(timer);
      this.#ended(request, error.code === "ECONNREFUSED", error.message);
    });
    request.end();
  }

  close(): void {
    this.#closed = true;
    this.#disarmOpen();
    if (this.#deadline !== null) this.#clock.clearTimeout(this.#deadline);
    this.#deadline = null;
    const request = this.#request;
    this.#request = null;
    request?.destroy();
  }

  #answered(request: ClientRequest, response: IncomingMessage): void {
    const status = response.statusCode ?? 0;
    if (status !== 200) {
      response.resume();
      this.#drop(request);
      return this.#without(`GET /lifeline answers ${status}`, status === 404);
    }
    this.#partial = [];
    this.#partialBytes = 0;
    this.#dropping = false;
    // Until its first line nothing is owed.
    const first = this.#clock.setTimeout(() => {
      this.#drop(request);
      this.#without("GET /lifeline answers 200 and then writes no line", false);
    }, FIRST_LINE_MS);
    let lines = false;
    response.on("data", (chunk: Buffer) => {
      if (this.#request !== request) return;
      if (this.#take(chunk) && !lines) {
        lines = true;
        this.#failures = 0;
        this.#clock.clearTimeout(first);
      }
      this.#slowDown(response, chunk.length);
    });
    const over = (): void => {
      this.#clock.clearTimeout(first);
      this.#ended(request, false, lines ? "GET /lifeline ends" : "GET /lifeline answers 200 and ends without a line");
    };
    response.on("end", over);
    response.on("error", over);
    response.on("close", over);
  }

  /** At most so many bytes in one interval: what an engine writes beyond it waits in the sockets. */
  #slowDown(response: IncomingMessage, bytes: number): void {
    const now = this.#clock.monoMs();
    if (now >= this.#windowMs + this.#init.intervalMs) {
      this.#windowMs = now;
      this.#windowBytes = 0;
    }
    this.#windowBytes += bytes;
    if (this.#windowBytes < MAX_INTERVAL_BYTES) return;
    response.pause();
    this.#clock.setTimeout(() => response.resume(), this.#init.intervalMs);
  }

  /** Reads one chunk; true when a line ended in it. */
  #take(chunk: Buffer): boolean {
    const end = chunk.lastIndexOf(NEWLINE);
    if (end < 0) {
      this.#keep(chunk);
      return false;
    }
    const lines: Buffer[] = [];
    let stop = end;
    while (stop >= 0 && lines.length < MAX_CHUNK_LINES) {
      const start = stop === 0 ? -1 : chunk.lastIndexOf(NEWLINE, stop - 1);
      if (start >= 0) lines.push(chunk.subarray(start + 1, stop));
      else {
        const whole = this.#endOfPartial(chunk.subarray(0, stop));
        if (whole !== null) lines.push(whole);
      }
      stop = start;
    }
    this.#partial = [];
    this.#partialBytes = 0;
    this.#dropping = false;
    this.#keep(chunk.subarray(end + 1));
    this.#lived();
    for (const line of lines.reverse()) this.#read(line);
    return true;
  }

  /** The rest of the line that began in earlier chunks; null: it was too long. */
  #endOfPartial(rest: Buffer): Buffer | null {
    if (this.#dropping || this.#partialBytes + rest.length > MAX_LINE_BYTES) {
      if (!this.#dropping) this.#listener.onStrange(TOO_LONG);
      return null;
    }
    return this.#partial.length === 0 ? rest : Buffer.concat([...this.#partial, rest]);
  }

  #keep(rest: Buffer): void {
    if (rest.length === 0 || this.#dropping) return;
    if (this.#partialBytes + rest.length > MAX_LINE_BYTES) {
      this.#partial = [];
      this.#partialBytes = 0;
      this.#dropping = true;
      this.#listener.onStrange(TOO_LONG);
      return;
    }
    // A copy: what is kept must not hold the socket's buffer.
    this.#partial.push(Buffer.from(rest));
    this.#partialBytes += rest.length;
  }

  #read(line: Buffer): void {
    const text = line.toString("utf8").trim();
    if (text === "") return this.#listener.onLine(null);
    const { report, fault } = parseReport(text);
    if (fault !== null) this.#listener.onStrange(`a line: ${fault}`);
    this.#listener.onLine(report);
  }

  #lived(): void {
    this.#lastLineMs = this.#clock.monoMs();
    this.#state = { at: "live" };
    if (this.#deadline === null) this.#arm(this.#limitMs);
  }

  #arm(ms: number): void {
    this.#deadlineDueMs = this.#clock.monoMs() + ms;
    this.#deadline = this.#clock.setTimeout(() => this.#due(), ms);
  }

  #due(): void {
    const lateMs = this.#clock.monoMs() - this.#deadlineDueMs;
    if (lateMs > this.#limitMs / 2) {
      // This process stood still, and the engine perhaps with it: its time begins again.
      this.#lastLineMs = Math.max(this.#lastLineMs, this.#clock.monoMs());
      return this.#arm(this.#limitMs);
    }
    // What has already arrived is read first.
    this.#clock.soon(() => this.#clock.soon(() => this.#judge()));
  }

  #judge(): void {
    this.#deadline = null;
    if (this.#closed || this.#state.at === "none") return;
    const leftMs = this.#lastLineMs + this.#limitMs - this.#clock.monoMs();
    if (leftMs > 0) return this.#arm(leftMs);
    if (this.#state.at !== "live") return;
    this.#state = { at: "stalled" };
    this.#listener.onStalled();
    this.#reopenLater();
  }

  /** Whatever serves the lifeline may have died alone; a new connection tells. */
  #reopenLater(): void {
    this.#disarmOpen();
    this.#openTimer = this.#clock.setTimeout(() => {
      this.#openTimer = null;
      if (this.#state.at !== "stalled") return;
      if (this.#request !== null && this.#clock.monoMs() >= this.#openedMs + REOPEN_MS) this.#drop(this.#request);
      this.open();
      this.#reopenLater();
    }, REOPEN_MS);
  }

  #drop(request: ClientRequest): void {
    if (this.#request === request) this.#request = null;
    request.destroy();
  }

  #ended(request: ClientRequest, refused: boolean, why: string): void {
    if (this.#request !== request || this.#closed) return;
    this.#drop(request);
    // The process is gone: it owes no lines.
    if (refused) this.#state = { at: "opening" };
    this.#listener.onEnded(refused);
    const waitMs = RETRY_MS[this.#failures] ?? RETRY_MS.at(-1) ?? 0;
    this.#failures += 1;
    // It answers, and again and again without a single line: it has none.
    if (!refused && this.#state.at === "opening" && this.#failures > RETRY_MS.length) return this.#none(why);
    this.#openAfter(waitMs);
  }

  /** One that had a lifeline still owes its lines, unless it says with a 404 that it has none. */
  #without(why: string, certain: boolean): void {
    if (certain || this.#state.at === "opening") return this.#none(why);
    this.#openAfter(RETRY_MS.at(-1) ?? 0);
  }

  #none(why: string): void {
    this.#state = { at: "none", why };
    this.#failures = 0;
    this.#openAfter(ASK_AGAIN_MS);
  }

  #openAfter(ms: number): void {
    if (this.#closed) return;
    this.#disarmOpen();
    this.#openTimer = this.#clock.setTimeout(() => {
      this.#openTimer = null;
      this.open();
    }, ms);
  }

  #disarmOpen(): void {
    if (this.#openTimer !== null) this.#clock.clearTimeout(this.#openTimer);
    this.#openTimer = null;
  }
}

const TOO_LONG = `a line longer than ${MAX_LINE_BYTES} bytes`;
