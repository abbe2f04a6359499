/**
 * The witness's vote: rewriting the record as leader [VT3], watching it as follower [VT4]. Binds `witness-vote`.
 *
 * A vote counts from the send time of a rewrite that succeeded. An unknown result is read back. One regular call is under
 * way at a time. A record that is not this pair's, or that makes no sense, makes the witness unusable [VT7]: to everyone
 * else it is then out of reach, and nothing but a person's word writes over it.
 */
import type { UsableRead } from "../../machines/campaign.machine.ts";
import { witnessVoteMachine } from "../../machines/witness-vote.machine.ts";
import type { Epoch } from "../core/epoch.ts";
import type { EngineId } from "../core/ids.ts";
import type { AdoptOutcome } from "../core/outcomes.ts";
import { sight, wentBack, type RecordKey, type Sighting } from "../core/failure-detector.ts";
import type { ExpectedRecord, StrangeContent, WitnessRead, WitnessRecord, WitnessSwap } from "../ports/witness.ts";
import type { Kit } from "./kit.ts";
import { startMachine } from "./start-machine.ts";
import type { Votes } from "./votes.ts";

export interface WitnessVoteHandlers {
  /** The record names a higher epoch than this engine's [EP3]. */
  onHigherEpoch(epoch: Epoch): void;
  /** The witness has forgotten: no campaign for a while [CP5]. */
  onAmnesia(): void;
  /** What is written into the next rewrite. */
  describe(): Omit<WitnessRecord, "seq" | "released">;
  /** Whether a leader may assert its record over a forgotten or older one [CP5]. */
  mayReassert(): boolean;
  /** The pinned peer; null before the first contact. */
  peerId(): EngineId | null;
  /** Whether an epoch can be one of this pair [EP6]. */
  believes(epoch: Epoch): boolean;
  /** An epoch that was in use: every later ballot of this engine must be above it. */
  sees(epoch: Epoch): void;
}

type UsableSwap = Exclude<WitnessSwap, { outcome: "corrupt" }>;

/** Something stands in the witness that this engine neither obeys nor overwrites [VT7]. */
interface Strange {
  readonly code: "witness-foreign" | "witness-corrupt";
  readonly detail: string;
  /** What a person's swap replaces. */
  readonly standing: WitnessRecord | StrangeContent;
  /** No peer has been met yet, so that the record may be the peer's. */
  readonly mayBePeers: boolean;
}

/** A person's swap is tried again where the stranger rewrote its record in between. */
const ADOPT_TRIES = 10;
/** A damaged record is shown only so far in an alarm. */
const SHOWN_CHARS = 80;

export class WitnessVote {
  readonly #kit: Kit;
  readonly #votes: Votes;
  readonly #handlers: WitnessVoteHandlers;
  readonly #machine;
  #sighting: Sighting | null = null;
  #record: WitnessRecord | null = null;
  #runId: string | null = null;
  #leading = false;
  /**
   * The last rewrite that was sent [HB1]. Within an epoch its seq only rises, also where the role is offered and kept: the
   * follower takes a seq that is not above what it was told of for a record that stands still [VT4].
   */
  #sent: Pick<WitnessRecord, "epoch" | "seq"> | null = null;
  #busy = false;
  #forgotAtMs = Number.NEGATIVE_INFINITY;
  /** Calls are numbered, so that an answer that was overtaken by a later one is not taken for news. */
  #asked = 0;
  #newestAnswered = 0;
  #reachable: boolean | null = null;
  /** Why the last call was not answered. */
  #cause = "no answer yet";
  #strange: Strange | null = null;
  #strangeSinceMs = 0;
  #lastAnswerMs: number | null = null;

  constructor(kit: Kit, votes: Votes, handlers: WitnessVoteHandlers) {
    this.#kit = kit;
    this.#votes = votes;
    this.#handlers = handlers;
    const { alarms } = kit;
    this.#machine = startMachine(
      kit,
      witnessVoteMachine.provide({
        actions: {
          witnessLost: () => this.#raiseUnreachable(),
          witnessBack: () => alarms.clear("witness-unreachable"),
          witnessForgot: () => alarms.raise("witness-amnesia", "the witness has lost memory; no campaign for a while"),
        },
      }),
    );
  }

  stop(): void {
    this.#machine.stop();
  }

  get configured(): boolean {
    return this.#kit.ports.witness.kind !== "none";
  }

  get machineValue(): unknown {
    return this.#machine.getSnapshot().value;
  }

  /** Whether it answers; null: never asked, or none is configured. */
  get reachable(): boolean | null {
    return this.configured ? this.#reachable : null;
  }

  /** Whether it answers with a record of this pair, or with none: only then it can vote or be watched [VT7]. */
  get usable(): boolean {
    return this.#reachable === true && this.#strange === null;
  }

  /** A record of an unknown engine stands, and this engine has never met its peer: it may itself be the stray one. */
  get amongStrangers(): boolean {
    return this.#strange !== null && this.#handlers.peerId() === null;
  }

  /** The record of this pair; null: there is none, or the witness is unusable. */
  get record(): WitnessRecord | null {
    return this.#strange === null ? this.#record : null;
  }

  /** The record that stands, of any owner: for people. */
  get standing(): WitnessRecord | null {
    if (this.#strange === null) return this.#record;
    return "content" in this.#strange.standing ? null : this.#strange.standing;
  }

  get sighting(): Sighting | null {
    return this.#sighting;
  }

  /** seq of the last rewrite sent in the epoch in which this engine leads; null: none. */
  get sentSeq(): number | null {
    return this.#leading ? this.#sentIn(this.#handlers.describe().epoch) : null;
  }

  get lastAnswerMs(): number | null {
    return this.#lastAnswerMs;
  }

  /** The leader has named the rewrite it last sent: a sight of the record at the receipt of its heartbeat [VT4]. */
  sightByHeartbeat(key: RecordKey, atMs: number): void {
    if (key !== null) this.#sighting = sight(this.#sighting, key, atMs, this.#maxGapMs);
  }

  /** One regular look or rewrite; nothing while the last one is still under way. */
  beat(): void {
    if (!this.configured || this.#busy) return;
    if (this.#leading) void this.#rewrite();
    else void this.read();
  }

  /** From now on this engine rewrites. */
  lead(): void {
    this.#leading = true;
    this.#machine.send({ type: "LEAD" });
    this.#stillUnreachable();
  }

  follow(): void {
    if (!this.#leading) return;
    this.#leading = false;
    this.#machine.send({ type: "FOLLOW" });
    this.#stillUnreachable();
  }

  /** Reads the record and notes the sight. A strange record is no record: the witness is out of reach then. */
  async read(): Promise<UsableRead> {
    const call = ++this.#asked;
    const answer = await this.#kit.ports.witness.read();
    if (answer.outcome === "unreachable") {
      this.#unreachable(answer.reason);
      return answer;
    }
    const strange = this.#strangeIn(answer);
    if (strange !== null) return this.#unusable(call, strange);
    if (answer.outcome === "read") this.#observe(call, answer.record, answer.runId);
    return answer as UsableRead;
  }

  /** Swaps `next` in for exactly `expected`; a success counts as vote from its send time. */
  async swap(expected: ExpectedRecord, next: WitnessRecord): Promise<UsableSwap> {
    const sentAtMs = this.#kit.nowMs();
    const runId = this.#runId;
    const call = ++this.#asked;
    this.#kit.counters.witnessSwaps += 1;
    const answer = await this.#send(expected, next);
    switch (answer.outcome) {
      case "swapped":
        this.#note(call, next, answer.runId);
        return this.#counted(runId, answer, sentAtMs, next);
      case "lost":
      case "corrupt": {
        const strange = this.#strangeIn(answer);
        if (strange !== null) return this.#unusable(call, strange);
        if (answer.outcome === "lost") this.#observe(call, answer.record, answer.runId);
        return answer as UsableSwap;
      }
      case "unknown":
        return this.#readBack(next, { sentAtMs, runId }, answer);
      case "unreachable":
        this.#unreachable(answer.reason);
        return answer;
    }
  }

  /** Marks the record as released, so that nobody need wait for it [DP3]. Best effort. */
  async release(): Promise<void> {
    const { sentSeq } = this;
    const expected = this.#record;
    if (!this.configured || expected === null || sentSeq === null) return;
    const mine = { ...this.#handlers.describe(), seq: sentSeq + 1, released: true };
    if (expected.engineId === mine.engineId && expected.epoch === mine.epoch) await this.swap(expected, mine);
  }

  /**
   * A person says that the witness is this pair's, whatever stands there [VT7]. A leader puts its own record in its place.
   * A follower puts one of no leadership there, which automation then judges as any other: it must stand still.
   */
  adopt(): Promise<AdoptOutcome> {
    return this.#replace((found) => this.#strangeIn(found));
  }

  /** The same, whatever stands there: also a record of this pair, whose commands no engine has any more. */
  reset(): Promise<AdoptOutcome> {
    return this.#replace((found) => {
      if (found.outcome !== "read" || found.record === null) return this.#strangeIn(found);
      const { holder, engineId, epoch, seq, lastCommandSeq } = found.record;
      const detail = `the record of ${holder} (${engineId}), epoch ${epoch}, seq ${seq}, through command ${lastCommandSeq}`;
      return { standing: found.record, detail };
    });
  }

  async #replace(
    chosen: (
      found: Exclude<WitnessRead, { readonly outcome: "unreachable" }>,
    ) => Pick<Strange, "standing" | "detail"> | null,
  ): Promise<AdoptOutcome> {
    if (!this.configured) return { outcome: "no-witness" };
    let reason = "the record kept changing";
    for (let tries = 0; tries < ADOPT_TRIES; tries += 1) {
      const found = await this.#kit.ports.witness.read();
      if (found.outcome === "unreachable") return found;
      const strange = chosen(found);
      if (strange === null) {
        await this.read();
        return { outcome: "nothing-to-adopt" };
      }
      // The record may be of an engine of this pair whose disk is gone. Its epochs must not be used a second time [EP1].
      if ("epoch" in strange.standing) this.#handlers.sees(strange.standing.epoch);
      const described = this.#handlers.describe();
      const seq = (this.#sentIn(described.epoch) ?? 0) + 1;
      const answer = await this.#send(strange.standing, { ...described, seq, released: false });
      if (answer.outcome === "swapped") {
        await this.read();
        return { outcome: "adopted", replaced: strange.detail };
      }
      if (answer.outcome === "unreachable" || answer.outcome === "unknown") reason = answer.reason;
    }
    return { outcome: "unreachable", reason };
  }

  async #rewrite(): Promise<void> {
    this.#busy = true;
    if (this.#strange !== null && (await this.read()).outcome === "unreachable") {
      this.#busy = false;
      return;
    }
    const described = this.#handlers.describe();
    const standing = this.#record;
    const own = standing !== null && standing.engineId === described.engineId && standing.epoch === described.epoch;
    if (own ? !(await this.#mayRenew()) : !(await this.#canReassert(described.epoch))) {
      this.#busy = false;
      return;
    }
    const { epoch } = described;
    const seq = Math.max(this.#sentIn(epoch) ?? 0, this.#record?.epoch === epoch ? this.#record.seq : 0) + 1;
    const answer = await this.swap(this.#record, { ...described, seq, released: false });
    this.#busy = false;
    if (!this.#leading) return;
    if (answer.outcome === "swapped") this.#answered();
    else this.#kit.counters.witnessFailures += 1;
  }

  /** Every rewrite goes out here. */
  #send(expected: ExpectedRecord | StrangeContent, next: WitnessRecord): Promise<WitnessSwap> {
    this.#sent = next;
    return this.#kit.ports.witness.swap(expected, next);
  }

  #sentIn(epoch: Epoch): number | null {
    return this.#sent?.epoch === epoch ? this.#sent.seq : null;
  }

  /** The record that stands is not this leadership's: whether to assert it, after a fresh look [CP5]. */
  async #canReassert(epoch: Epoch): Promise<boolean> {
    const answer = await this.read();
    if (answer.outcome === "unreachable" || !this.#leading) return false;
    if (answer.record !== null && answer.record.epoch > epoch) return false;
    return this.#handlers.mayReassert();
  }

  /**
   * A witness that has lost memory may show a lapsed leader its own record, and have forgotten its successor's: until
   * that one has had its time to assert itself, only a leader whose votes still count rewrites [CP5].
   */
  async #mayRenew(): Promise<boolean> {
    const waitedMs = this.#kit.nowMs() - this.#forgotAtMs;
    if (waitedMs >= this.#kit.failover.campaignWaitMs || this.#handlers.mayReassert()) return true;
    await this.read();
    return false;
  }

  /** A swap that another memory took than the one it was judged by is a vote only for a leader that still has one. */
  #counted(
    judgedBy: string | null,
    answer: Extract<WitnessSwap, { outcome: "swapped" }>,
    sentAtMs: number,
    next: WitnessRecord,
  ): UsableSwap {
    const { runId } = answer;
    const another = judgedBy !== null && judgedBy !== runId;
    if (another) this.#forgot();
    if (another && !this.#handlers.mayReassert()) return { outcome: "lost", record: next, runId };
    this.#votes.witnessVotedFor(sentAtMs);
    return answer;
  }

  async #readBack(
    next: WitnessRecord,
    sent: { readonly sentAtMs: number; readonly runId: string | null },
    unknown: UsableSwap,
  ): Promise<UsableSwap> {
    // A witness that is known to be away stays so: another call without an answer is no news.
    if (this.#leading && this.#reachable !== false) this.#machine.send({ type: "UNKNOWN" });
    const answer = await this.read();
    if (answer.outcome === "unreachable") return unknown;
    const { record, runId } = answer;
    const done = record?.engineId === next.engineId && record.epoch === next.epoch && record.seq === next.seq;
    if (!done) return { outcome: "lost", record, runId };
    return this.#counted(sent.runId, { outcome: "swapped", runId }, sent.sentAtMs, next);
  }

  /** Why what stands is neither obeyed nor overwritten [VT7]; null: it is this pair's record, or there is none. */
  #strangeIn(found: { readonly record: WitnessRecord | null } | StrangeContent): Strange | null {
    const { rules, self } = this.#kit;
    if ("content" in found) {
      const shown = found.content.slice(0, SHOWN_CHARS);
      return this.#corrupt({ content: found.content }, `what stands in the witness is no record: ${shown}`);
    }
    const { record } = found;
    if (record === null) return null;
    const peerId = this.#handlers.peerId();
    const who = `engine ${record.engineId}, label ${record.holder}, epoch ${record.epoch}`;
    if (!rules.recordIsOurs(record, self.engineId, peerId)) {
      const ours = `this is ${self.engineId}, its peer ${peerId ?? "has not been met yet"}`;
      const causes = "Another pair uses the same name on this witness, or an engine runs with a copied configuration";
      const detail = `the record is of ${who}; ${ours}. ${causes}; once that has ended: changeover witness adopt`;
      return { code: "witness-foreign", detail, standing: record, mayBePeers: peerId === null };
    }
    if (!this.#handlers.believes(record.epoch)) {
      return this.#corrupt(record, `the record names epoch ${record.epoch}, which is out of reach (${who})`);
    }
    return null;
  }

  #corrupt(standing: WitnessRecord | StrangeContent, what: string): Strange {
    const detail = `${what}. Nothing overwrites it; to put this pair's record there: changeover witness adopt`;
    return { code: "witness-corrupt", detail, standing, mayBePeers: false };
  }

  #unusable(call: number, strange: Strange): { readonly outcome: "unreachable"; readonly reason: string } {
    const now = this.#kit.nowMs();
    this.#answered();
    if (call >= this.#newestAnswered) {
      this.#newestAnswered = call;
      if (this.#strange === null) this.#strangeSinceMs = now;
      this.#strange = strange;
      this.#machine.send({ type: "STRANGE" });
    }
    const { alarms, failover } = this.#kit;
    // Before the first contact it is most likely the peer's, which will soon be met.
    if (!strange.mayBePeers || now - this.#strangeSinceMs >= failover.campaignWaitMs) {
      alarms.clear(strange.code === "witness-foreign" ? "witness-corrupt" : "witness-foreign");
      alarms.raise(strange.code, strange.detail);
    }
    return { outcome: "unreachable", reason: strange.detail };
  }

  #observe(call: number, record: WitnessRecord | null, runId: string): void {
    const forgot = call > this.#newestAnswered && this.#hasForgotten(record, runId);
    if (forgot) this.#sighting = null;
    this.#note(call, record, runId);
    if (forgot) this.#forgot();
    if (record !== null) this.#handlers.onHigherEpoch(record.epoch);
  }

  #forgot(): void {
    this.#forgotAtMs = this.#kit.nowMs();
    this.#machine.send({ type: "FORGOTTEN" });
    this.#handlers.onAmnesia();
  }

  #hasForgotten(record: WitnessRecord | null, runId: string): boolean {
    return (this.#runId !== null && this.#runId !== runId) || wentBack(this.#record, record);
  }

  #note(call: number, record: WitnessRecord | null, runId: string): void {
    this.#answered();
    if (call < this.#newestAnswered) return;
    this.#newestAnswered = call;
    if (this.#strange !== null) this.#usableAgain();
    this.#runId = runId;
    this.#record = record;
    this.#sighting = sight(this.#sighting, record, this.#kit.nowMs(), this.#maxGapMs);
  }

  #usableAgain(): void {
    this.#strange = null;
    this.#kit.alarms.clear("witness-foreign");
    this.#kit.alarms.clear("witness-corrupt");
    this.#machine.send({ type: "ANSWERED" });
  }

  #answered(): void {
    this.#lastAnswerMs = this.#kit.nowMs();
    if (this.#reachable === true && !this.#leading) return;
    const before = this.#reachable;
    this.#reachable = true;
    if (before !== true || this.#machine.getSnapshot().matches({ renewing: "readingBack" })) {
      this.#machine.send({ type: "ANSWERED" });
    }
  }

  #unreachable(cause: string): void {
    if (!this.configured) return;
    this.#kit.counters.witnessFailures += 1;
    const changed = cause !== this.#cause;
    this.#cause = cause;
    if (changed && this.#kit.alarms.stands("witness-unreachable")) {
      this.#raiseUnreachable();
      this.#kit.ports.logger.warn({ cause }, "witness unreachable");
    }
    if (this.#reachable !== false) this.#machine.send({ type: "UNREACHABLE" });
    this.#reachable = false;
  }

  #raiseUnreachable(): void {
    this.#kit.alarms.raise("witness-unreachable", `the witness does not answer: ${this.#cause}`);
  }

  /** A change of role brings no witness back. */
  #stillUnreachable(): void {
    if (this.#reachable === false) this.#machine.send({ type: "UNREACHABLE" });
    else if (this.#strange !== null) this.#machine.send({ type: "STRANGE" });
  }

  /** Two polls, and the slack of one call. */
  get #maxGapMs(): number {
    return this.#kit.failover.heartbeatMs * 2 + this.#kit.failover.witnessTimeoutMs;
  }
}
