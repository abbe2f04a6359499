/**
 * Whether two places hold the same operations under the same numbers [RP1]. Each origin's history has a chained digest;
 * places compare them when they meet. Where they differ, the history forked: a data folder was restored from a backup, or
 * copied. Both sides say so. The writer itself goes on under a new origin [RP2]; anybody else keeps what differs as a
 * conflict of its record (`intake.ts`).
 */
import type { Json } from "../core/canonical-json.ts";
import type { EngineId } from "../core/ids.ts";
import { isOrigin, type Op, opFlaw, recordOrigin } from "../core/operation.ts";
import { counterOf, MAX_CLOCK_ENTRIES, type VectorClock } from "../core/vector-clock.ts";
import type { SyncTransport } from "../ports/sync-transport.ts";
import { baseOrigin, isIssuedAgain, type OwnOrigin } from "./own-origin.ts";
import { checksumOfOp, type RecordHooks, type ReplicationBasics } from "./record-log.ts";
import type { Renewal, Renewed } from "./renewal.ts";
import type { Seals } from "./seals.ts";

/** What the other side has said of itself, as far as histories are compared. */
interface Introduced {
  readonly engineId: string;
  readonly clock?: VectorClock;
  readonly heads?: Readonly<Record<string, string>>;
}

/** Of each origin, a number and the digest of its history through it; null where it is not known. */
export type Digests = Readonly<Record<string, { readonly n: number; readonly head: string | null }>>;

/** What a meeting has shown. */
export interface Meeting {
  /**
   * The other place's log is read from its start: it holds operations of this engine that this engine does not, or others
   * in the place of what was issued again since.
   */
  readonly takesBack: boolean;
  readonly renewed: Renewed | null;
  /** Of the other place's own origins, through which number it still holds what it wrote: the rest is given back to it. */
  readonly returns: VectorClock;
}

/** The digest of no operation at all: what stands under any number is something else. */
const UNLIKE = "";
/** Between two readings of a whole log for what was issued again: where it was compacted there, it does not come. */
const READ_AGAIN_EVERY_MS = 30_000;
/** Origins whose forks are remembered. */
const MAX_FORKS = 256;

export class History {
  readonly #parts: ReplicationBasics & {
    readonly hooks: RecordHooks;
    readonly own: OwnOrigin;
    readonly renewal: Renewal;
    readonly seals: Seals;
  };
  /** The lowest number that is known to differ, by origin. */
  readonly #forks = new Map<string, number>();
  /** When a whole log was read for what was issued again. */
  #readAgainAtMonoMs: number | null = null;

  constructor(
    parts: ReplicationBasics & {
      readonly hooks: RecordHooks;
      readonly own: OwnOrigin;
      readonly renewal: Renewal;
      readonly seals: Seals;
    },
  ) {
    this.#parts = parts;
  }

  /** The digest of each origin through what the vector counts. */
  heads(): Readonly<Record<string, string>> {
    const known = Object.entries(this.#parts.replica.ops.heads());
    return Object.fromEntries(known.filter((entry): entry is [string, string] => entry[1] !== null));
  }

  /** `who` asks about its digests: the same ones here, as far as they are known. Forks are told. */
  answer(asked: Digests, who: string): Digests {
    return Object.fromEntries(
      Object.entries(asked).map(([origin, { n, head }]) => {
        const here = this.#at(origin, n);
        const held = counterOf(this.#parts.replica.ops.vector(), origin);
        if (head !== null && here !== null && head !== here) this.#forked(origin, n, who);
        // Nobody holds more of what this engine wrote than the engine itself, unless it has lost that.
        else if (head !== null && n > held && this.#parts.own.has(origin)) this.#forked(origin, held + 1, who);
        return [origin, { n, head: here }];
      }),
    );
  }

  /** Whether what another place holds differs from what is held here, as far as that shows without asking. */
  differs(clock: VectorClock, heads: Readonly<Record<string, string>>): boolean {
    return Object.entries(heads).some(([origin, head]) => {
      const here = this.#at(origin, counterOf(clock, origin));
      return here !== null && here !== head;
    });
  }

  /**
   * Compares with the place that has just said who it is, and puts right what is this engine's own. `heldBefore`: what was
   * held here before that place said what it holds.
   */
  async meet(introduced: Introduced, transport: SyncTransport, heldBefore: VectorClock): Promise<Meeting> {
    const { clock = {}, heads = {}, engineId } = introduced;
    this.#adopt(clock, heads);
    const theirs = await this.#digestsOf(clock, heads, transport);
    let renewed: Renewed | null = null;
    let readsAgain = false;
    const returns: Record<string, number> = {};
    for (const [origin, { n, head }] of Object.entries(theirs)) {
      const here = this.#at(origin, n);
      if (head === null || here === null || head === here) continue;
      const agreed = await this.#agreedThrough(origin, n, transport);
      this.#forked(origin, agreed + 1, engineId);
      if (origin === this.#parts.own.current) renewed = this.#parts.renewal.renewHistory(agreed, clock);
      else if (this.#givesWay(origin, agreed + 1)) readsAgain = true;
      else if (baseOrigin(origin) === recordOrigin(engineId as EngineId)) returns[origin] = agreed;
    }
    // What is written here from now on is not what the other place holds under those numbers.
    const { current } = this.#parts.own;
    const same = theirs[current]?.n ?? counterOf(heldBefore, current);
    const lost = await this.#lost(clock, { renewed, same }, transport);
    if (introduced.clock !== undefined) {
      await this.#tellLoss(clock, recordOrigin(engineId as EngineId), transport, heldBefore);
    }
    return { ...lost, takesBack: lost.takesBack || (readsAgain && this.#mayReadAgain()), returns };
  }

  /** Whether what stands here was issued again by its writer: then what the other place holds takes its place. */
  #givesWay(origin: string, originSeq: number): boolean {
    const { ops } = this.#parts.replica;
    const standing = ops.find(origin, originSeq)?.op;
    return standing !== undefined && isIssuedAgain(standing, ops);
  }

  #mayReadAgain(): boolean {
    const nowMonoMs = this.#parts.clock.monoMs();
    const last = this.#readAgainAtMonoMs;
    if (last !== null && nowMonoMs - last < READ_AGAIN_EVERY_MS) return false;
    this.#readAgainAtMonoMs = nowMonoMs;
    return true;
  }

  /** `who` holds less of what it wrote itself than was held here before it was asked: it has lost that, and is told. */
  async #tellLoss(clock: VectorClock, who: string, transport: SyncTransport, heldBefore: VectorClock): Promise<void> {
    for (const origin of Object.keys(heldBefore)) {
      const [there, n] = [counterOf(clock, origin), counterOf(heldBefore, origin)];
      if (baseOrigin(origin) !== who || there >= n) continue;
      this.#forked(origin, there + 1, who);
      await this.#ask({ [origin]: { n, head: this.#at(origin, n) ?? UNLIKE } }, transport);
    }
  }

  /** A living copy of this engine's own folder answers: both say so. Nothing is exchanged with it. */
  async metCopy({ clock = {} }: Introduced, transport: SyncTransport): Promise<void> {
    const { current } = this.#parts.own;
    const n = counterOf(clock, current);
    this.#parts.hooks.alarm?.(
      "history-forked",
      `this engine and another one that answers as ${current} run on copies of one data folder; nothing is exchanged ` +
        "between them: stop one of them, empty its dataDir and start it again",
    );
    await this.#ask({ [current]: { n: n + 1, head: UNLIKE } }, transport);
  }

  /**
   * This engine has lost what another place still holds of it: it takes that back, and writes under a new origin. `same`:
   * through here both hold the same of the origin under which it writes now.
   */
  async #lost(
    clock: VectorClock,
    before: { readonly renewed: Renewed | null; readonly same: number },
    transport: SyncTransport,
  ): Promise<Omit<Meeting, "returns">> {
    const { own, replica, renewal } = this.#parts;
    const held = replica.ops.vector();
    const base = baseOrigin(own.current);
    const lacked = Object.keys(clock).filter(
      (origin) => baseOrigin(origin) === base && counterOf(clock, origin) > counterOf(held, origin),
    );
    let { renewed } = before;
    const isCurrent = lacked.includes(own.current);
    // An origin of this line that this engine never heard of: it was begun after the copy that it runs on was made.
    if (isCurrent || lacked.some((origin) => !own.has(origin))) {
      const { current } = own;
      const keepThrough = isCurrent ? Math.min(before.same, counterOf(held, current)) : counterOf(held, current);
      renewed ??= renewal.renewHistory(keepThrough, clock);
      if (isCurrent) this.#forked(current, keepThrough + 1, "this engine, which has lost its operations");
    }
    for (const origin of lacked) {
      // Its own digests are equal as far as they go: this engine says that it does not have what follows.
      const first = counterOf(held, origin) + 1;
      const told = await this.#ask({ [origin]: { n: first, head: UNLIKE } }, transport);
      const n = counterOf(clock, origin);
      if (told[origin]?.head === null && n > first) await this.#ask({ [origin]: { n, head: UNLIKE } }, transport);
    }
    return { takesBack: lacked.length > 0, renewed };
  }

  /**
   * `who` brings operations. Those of this engine that it does not hold, or that others stand for here under their numbers,
   * prove that its folder was restored: it goes on under a new origin before they are taken. Whether it does.
   */
  broughtBack(came: readonly unknown[], who: string): boolean {
    const { own, replica, renewal } = this.#parts;
    const origin = own.current;
    for (const op of came) {
      if ((op as Partial<Op> | null)?.origin !== origin || !this.#isMine(op)) continue;
      const standing = replica.ops.find(origin, op.originSeq)?.op;
      const held = counterOf(replica.ops.vector(), origin);
      if (op.originSeq <= held && (standing === undefined || standing.checksum === op.checksum)) continue;
      const keepThrough = Math.min(held, op.originSeq - 1);
      const renewed = renewal.renewHistory(keepThrough, {});
      if (renewed !== null) this.#forked(origin, keepThrough + 1, who);
      return renewed !== null;
    }
    return false;
  }

  /** Whether this engine wrote it: by its signature, or, where nobody signs, by its name alone. */
  #isMine(came: unknown): came is Op {
    const { seals, digest } = this.#parts;
    if (opFlaw(came) !== null) return false;
    const op = came as Op;
    try {
      return (seals.mode === "off" || seals.proves(op)) && checksumOfOp(digest, op) === op.checksum;
    } catch {
      return false;
    }
  }

  /** The digests of the other place, each through what both hold. What it does not tell at once is asked for. */
  async #digestsOf(
    clock: VectorClock,
    heads: Readonly<Record<string, string>>,
    transport: SyncTransport,
  ): Promise<Digests> {
    const held = this.#parts.replica.ops.vector();
    const common = Object.keys(held).filter((origin) => counterOf(clock, origin) > 0);
    const isSame = (origin: string): boolean =>
      counterOf(clock, origin) === counterOf(held, origin) &&
      heads[origin] === this.#at(origin, counterOf(held, origin));
    const open = common.filter((origin) => heads[origin] !== undefined && !isSame(origin));
    if (open.length === 0) return {};
    const asked = open.map((origin) => {
      const n = Math.min(counterOf(clock, origin), counterOf(held, origin));
      return [origin, { n, head: this.#at(origin, n) }] as const;
    });
    return this.#ask(Object.fromEntries(asked), transport);
  }

  /** Through which number both hold the same; what nobody knows any more was the same. */
  async #agreedThrough(origin: string, differsAt: number, transport: SyncTransport): Promise<number> {
    let [agreed, differing] = [0, differsAt];
    while (differing - agreed > 1) {
      const n = Math.floor((agreed + differing) / 2);
      const head = this.#at(origin, n);
      const told = head === null ? {} : await this.#ask({ [origin]: { n, head } }, transport);
      const there = told[origin]?.head ?? null;
      if (there !== null && there !== head) differing = n;
      else agreed = n;
    }
    return agreed;
  }

  async #ask(asked: Digests, transport: SyncTransport): Promise<Digests> {
    const answer = await transport.compare?.(asked);
    if (answer?.outcome !== "answered") return {};
    return readDigests((answer.value as { readonly heads?: Json } | null)?.heads ?? null) ?? {};
  }

  /** Where only the other place knows the digest of what both hold, it is believed: a log that was filled has none. */
  #adopt(clock: VectorClock, heads: Readonly<Record<string, string>>): void {
    const { ops } = this.#parts.replica;
    const held = ops.vector();
    for (const [origin, head] of Object.entries(heads)) {
      const n = counterOf(clock, origin);
      if (n > 0 && n === counterOf(held, origin) && ops.headAt(origin, n) === null) ops.adoptHead(origin, n, head);
    }
  }

  /** A person has been told for long enough; what still differs is found again. */
  forget(): void {
    this.#forks.clear();
  }

  #at(origin: string, n: number): string | null {
    const { ops } = this.#parts.replica;
    return n > counterOf(ops.vector(), origin) ? null : ops.headAt(origin, n);
  }

  #forked(origin: string, n: number, who: string): void {
    const known = this.#forks.get(origin);
    const first = Math.min(known ?? n, n);
    if (known === undefined && this.#forks.size >= MAX_FORKS) return;
    this.#forks.set(origin, first);
    this.#parts.hooks.alarm?.(
      "history-forked",
      `history of ${origin} forked: from number ${first} on, what is held here is not what is held at ${who}; a data folder was ` +
        "restored or copied. Its writer goes on under a new origin, and nothing is lost: changeover conflicts list",
    );
  }
}

/** Digests from outside; null where they are none. */
export function readDigests(value: Json): Digests | null {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return null;
  const entries = Object.entries(value);
  if (entries.length > MAX_CLOCK_ENTRIES) return null;
  const isDigest = (one: Json | undefined): boolean => {
    const { n, head } = (one ?? {}) as { readonly n?: unknown; readonly head?: unknown };
    return Number.isSafeInteger(n) && (n as number) >= 0 && (head === null || isHead(head));
  };
  return entries.every(([origin, one]) => isOrigin(origin) && isDigest(one)) ? (value as unknown as Digests) : null;
}

/** Whether a value is a digest of a history. */
export function isHead(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{0,64}$/.test(value);
}
