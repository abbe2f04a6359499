/**
 * Purpose: the same records on both engines of a pair: a change is told at once, and what got lost is asked for.
 * Keeps true: what came from the peer is not told back; a pair that has no records says nothing.
 */
import type { Json } from "../core/canonical-json.ts";
import type { EngineId } from "../core/ids.ts";
import type { PeerMessage, RecordNews, SyncAnswerMessage, SyncCall } from "../core/messages.ts";
import { opFlaw, recordOrigin, type Op } from "../core/operation.ts";
import { compareClocks } from "../core/vector-clock.ts";
import { type Asked, Exchange } from "./exchange.ts";
import { type History, isHead, type Meeting, readDigests } from "./history.ts";
import type { Hub, SyncIdentity } from "./hub.ts";
import type { SyncTransport } from "../ports/sync-transport.ts";
import type { Intake } from "./intake.ts";
import type { OriginBindings } from "./origin-bindings.ts";
import { baseOrigin } from "./own-origin.ts";
import type { PairHoldings } from "./pair-holdings.ts";
import { PairTransport } from "./pair-transport.ts";
import { peerHost, type ReplicationParts } from "./parts.ts";
import type { Seals } from "./seals.ts";
import { SyncPeer } from "./sync-peer.ts";

export interface PairLinkDeps {
  readonly hub: Hub;
  readonly holdings: PairHoldings;
  readonly bindings: OriginBindings;
  readonly intake: Intake;
  readonly seals: Seals;
  readonly history: History;
  /** See `ExchangeParts.met`. */
  met(identity: SyncIdentity, asked: Asked, transport: SyncTransport): Promise<Meeting>;
  send(message: PeerMessage): boolean;
  /** The other engine; null before it was heard. */
  peerId(): EngineId | null;
}

/** The channel has proven who the peer is: the challenge only asks for all that an identity tells. */
const PAIR_CHALLENGE = "pair";
/** Operations and about bytes of one frame, so that heartbeats never queue behind one. */
const FRAME_OPS = 128;
const FRAME_BYTES = 131_072;
/** Heartbeats between two comparisons of vectors. */
const COMPARE_BEATS = 25;
/** How often an exchange is made once there are records: it also says how far the peer has come. */
const INTERVAL_MS = 60_000;

export class PairLink {
  readonly #parts: ReplicationParts;
  readonly #deps: PairLinkDeps;
  readonly #transport: PairTransport;
  readonly #peer: SyncPeer;
  #beats = 0;

  constructor(parts: ReplicationParts, deps: PairLinkDeps) {
    this.#parts = parts;
    this.#deps = deps;
    this.#transport = new PairTransport({ ...parts, send: (call) => deps.send(call) });
    const exchange = new Exchange(
      {
        replica: parts.store.replica,
        intake: deps.intake,
        seals: deps.seals,
        transport: this.#transport,
        clock: parts.clock,
        met: (identity, asked) => deps.met(identity, asked, this.#transport),
        challenge: () => PAIR_CHALLENGE,
        accept: ({ engineId }) => (engineId === deps.peerId() ? null : "identity_mismatch"),
      },
      { name: "pair", limit: FRAME_OPS, maxBytes: FRAME_BYTES, pushes: false },
    );
    const host = peerHost(parts);
    deps.bindings.onChanged(() => this.#tellBindings());
    this.#peer = new SyncPeer({ host, exchange }, { name: "pair", intervalMs: INTERVAL_MS, pushes: false });
  }

  get machineValue(): string {
    return this.#peer.machineValue;
  }

  linkUp(): void {
    this.#tell([]);
    const claims = this.#parts.store.replica.ops.quarantined(FRAME_OPS).map(({ content }) => content);
    this.claimed(claims.filter((op) => opFlaw(op) === null) as unknown as readonly Op[]);
    this.#tellBindings();
  }

  /** Called at every heartbeat. */
  beat(): void {
    this.#beats += 1;
    if (this.#beats % COMPARE_BEATS === 0) this.#tell([]);
  }

  /** These have become durable here; the peer is told unless they came from it. */
  committed(ops: readonly Op[], via: string): void {
    const peerId = this.#deps.peerId();
    if (peerId === null || via === recordOrigin(peerId)) return;
    for (const frame of framesOf(this.#deps.seals.leaving(ops))) if (!this.#tell(frame)) return;
  }

  /**
   * These came here under numbers that stand for others. The peer learns of its own: they prove that its history forked,
   * where who holds them asks only this engine [RP2].
   */
  claimed(ops: readonly Op[]): void {
    const peerId = this.#deps.peerId();
    if (peerId === null) return;
    const own = ops.filter(({ origin }) => baseOrigin(origin) === recordOrigin(peerId));
    for (const frame of framesOf(own)) if (!this.#tell(frame)) return;
  }

  takeNews({ ops, vector, heads, bound = [] }: RecordNews): void {
    const peerId = this.#deps.peerId();
    if (peerId === null) return;
    this.#deps.bindings.told(bound);
    if (ops.length > 0) {
      this.#deps.hub.beforeTaking(ops, recordOrigin(peerId));
      this.#deps.intake.take({ via: recordOrigin(peerId), ops, base: null });
    }
    const order = compareClocks(this.#parts.store.replica.ops.vector(), vector);
    const theirs = heads === undefined ? null : readHeads(heads);
    if (order === "equal" && theirs !== null && this.#deps.history.differs(vector, theirs)) this.#ask();
    if (order === "before" || order === "concurrent") this.#ask();
    if (order === "after" && ops.length === 0) this.#tell([]);
    this.#deps.holdings.told(peerId, vector);
  }

  takeCall({ requestId, call, after, limit, maxBytes, own = false, heads = {} }: SyncCall): void {
    const peerId = this.#deps.peerId();
    if (peerId === null) return;
    const { hub } = this.#deps;
    const bounds = { limit: Math.min(limit, FRAME_OPS), maxBytes: Math.min(maxBytes, FRAME_BYTES) };
    const caller = { origin: own ? "" : recordOrigin(peerId), token: null };
    const answer = (): unknown => {
      if (call === "identity") return hub.identity(PAIR_CHALLENGE);
      if (call === "compare") return { heads: hub.compare(caller, readDigests(heads) ?? {}) };
      return hub.pull({ caller, after, ...bounds });
    };
    this.#deps.send({ type: "sync-answer", requestId, value: answer() as Json });
  }

  takeAnswer(answer: SyncAnswerMessage): void {
    this.#transport.take(answer);
  }

  stop(): void {
    this.#peer.stop();
    this.#transport.close();
  }

  #ask(): void {
    if (this.#peer.machineValue === "refused") this.#peer.reset();
    else this.#peer.start();
  }

  /** Which origins are bound to which tokens: a spoke may come to the other engine next. */
  #tellBindings(): void {
    const bound = this.#deps.bindings.toTell();
    if (bound.length === 0) return;
    this.#deps.send({ type: "record-news", ops: [], vector: this.#parts.store.replica.ops.vector(), bound });
  }

  #tell(ops: readonly Op[]): boolean {
    const vector = this.#parts.store.replica.ops.vector();
    if (Object.keys(vector).length === 0) return true;
    const heads = ops.length > 0 ? {} : { heads: this.#deps.history.heads() };
    return this.#deps.send({ type: "record-news", ops, vector, ...heads });
  }
}

/** Digests from the peer; null where they are none. */
function readHeads(heads: Readonly<Record<string, string>>): Readonly<Record<string, string>> | null {
  return typeof heads === "object" && heads !== null && Object.values(heads).every(isHead) ? heads : null;
}

function* framesOf(ops: readonly Op[]): Generator<readonly Op[]> {
  let frame: Op[] = [];
  let bytes = 0;
  for (const op of ops) {
    const weight = JSON.stringify(op).length;
    if (frame.length > 0 && (frame.length >= FRAME_OPS || bytes + weight > FRAME_BYTES)) {
      yield frame;
      frame = [];
      bytes = 0;
    }
    frame.push(op);
    bytes += weight;
  }
  if (frame.length > 0) yield frame;
}
