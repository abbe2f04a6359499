/**
 * Large texts over the peer channel in small pieces with flow control, sending and receiving.
 * Keeps true: at most `WINDOW` pieces are under way, so that heartbeats never queue behind a transfer; a piece out of
 * order ends the transfer.
 */
import type { Json } from "../core/canonical-json.ts";
import type { RequestId } from "../core/ids.ts";
import type { PeerMessage, SnapshotPiece, SnapshotTransfer } from "../core/messages.ts";
import type { TimerHandle } from "../ports/basics.ts";
import { jsonPieces } from "../json/pieces.ts";
import { parseJsonPatiently } from "../json/read.ts";
import type { Kit } from "./kit.ts";

const PIECE_CHARS = 49_152;
const WINDOW = 4;
const STALLED_MS = 5_000;
/** The largest text that is put together again, characters. */
const MAX_TEXT_CHARS = 128 * 1_048_576;

export interface Sending {
  readonly requestId: RequestId;
  readonly epoch: number;
  readonly lock: SnapshotPiece["lock"];
}

export class OutgoingTransfer {
  readonly #kit: Kit;
  readonly #sending: Sending;
  readonly #send: (message: PeerMessage) => boolean;
  readonly #pieces: Generator<string, void, undefined>;
  #index = 0;
  #acknowledged = 0;
  #ended = false;
  #timer: TimerHandle | null = null;
  readonly done: Promise<boolean>;
  #settle: (sent: boolean) => void = () => undefined;

  constructor(kit: Kit, sending: Sending, value: Json, send: (message: PeerMessage) => boolean) {
    this.#kit = kit;
    this.#sending = sending;
    this.#send = send;
    this.#pieces = grouped(jsonPieces(value));
    this.done = new Promise((settle) => (this.#settle = settle));
  }

  /** Sends as many pieces as may be under way. */
  start(): void {
    while (!this.#ended && this.#index - this.#acknowledged < WINDOW) this.#sendNext();
  }

  acknowledge(index: number): void {
    this.#acknowledged = Math.min(this.#index, Math.max(this.#acknowledged, index + 1));
    if (this.#ended && this.#acknowledged >= this.#index) this.end(true);
    else this.start();
  }

  /** Ends it; idempotent. */
  end(sent: boolean): void {
    if (this.#timer !== null) this.#kit.ports.clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#ended = true;
    this.#settle(sent);
  }

  #sendNext(): void {
    const next = this.#pieces.next();
    const last = next.done === true;
    const text = next.done === true ? "" : next.value;
    const { requestId, epoch, lock } = this.#sending;
    const took = this.#send({ type: "snapshot-piece", requestId, epoch, index: this.#index, last, text, lock });
    if (!took) return this.end(false);
    this.#index += 1;
    this.#ended = last;
    if (this.#timer !== null) this.#kit.ports.clock.clearTimeout(this.#timer);
    this.#timer = this.#kit.ports.clock.setTimeout(() => this.end(false), STALLED_MS);
  }
}

/** Puts a text together again from pieces that come in order. */
export class IncomingTransfer {
  readonly requestId: RequestId;
  #texts: string[] = [];
  #chars = 0;

  constructor(requestId: RequestId) {
    this.requestId = requestId;
  }

  /** `whole` carries the text; `broken`: a piece is missing or it has grown too large. */
  take(piece: SnapshotPiece): { state: "more" } | { state: "whole"; text: string } | { state: "broken" } {
    if (piece.index !== this.#texts.length) return { state: "broken" };
    this.#chars += piece.text.length;
    if (this.#chars > MAX_TEXT_CHARS) return { state: "broken" };
    this.#texts.push(piece.text);
    return piece.last ? { state: "whole", text: this.#texts.join("") } : { state: "more" };
  }
}

/** The transfer that `text` holds; null when it is none. Whether it may be installed is judged there. */
export async function readTransfer(kit: Kit, text: string): Promise<SnapshotTransfer | null> {
  let value: Partial<SnapshotTransfer> | null;
  try {
    const soon = (next: () => void): void => kit.ports.clock.soon(next);
    value = (await parseJsonPatiently(Buffer.from(text), soon, {
      source: "engine",
    })) as Partial<SnapshotTransfer> | null;
  } catch {
    return null;
  }
  const lists = [value?.commands, value?.conflicts, value?.keys, value?.shape, value?.outbox];
  const whole = typeof value?.snapshot === "object" && value.snapshot !== null && lists.every(Array.isArray);
  return whole ? (value as SnapshotTransfer) : null;
}

function* grouped(pieces: Generator<string, void, undefined>): Generator<string, void, undefined> {
  let text = "";
  for (const piece of pieces) {
    text += piece;
    while (text.length >= PIECE_CHARS) {
      yield text.slice(0, PIECE_CHARS);
      text = text.slice(PIECE_CHARS);
    }
  }
  if (text !== "") yield text;
}
