/**
 * The consumer's end of the feed: reads it in order and has each event applied once to the consumer's own data.
 * Keeps true: an event's data, its note in `applied_events` and the cursor are one transaction; only then the feed is told.
 * A stack that cannot go on stands still alone: the cursor goes on for the others, and the stack is caught up later, from
 * where it stands, in its order. Memory holds one page of the feed.
 * Does not know: which feed, which database.
 */
import type {
  Artifact,
  ArtifactStore,
  AppliedStack,
  ConsumerDatabase,
  Decision,
  HoldReason,
  StackKey,
  FeedEntry,
  FeedMark,
  FeedRead,
  FeedSource,
} from "../ports/feed-sink.ts";
import { assertNever, ChangeoverError } from "../core/errors.ts";
import { backoffMs } from "../core/failure-detector.ts";
import type { Clock, Logger, Random } from "../ports/basics.ts";
import { CatchUp } from "./applier-catch-up.ts";
import { Pause } from "./applier-pause.ts";
import {
  HandlerFailure,
  type Handlers,
  holdStack,
  type PlacedEvent,
  type StepOutcome,
  takeFromFeed,
  takeHeld,
} from "./applier-step.ts";

/** What an applier is made of. `artifacts` checks and fetches what events speak of; without one, handlers get null. */
export interface ApplierComponents<Tx> {
  readonly source: FeedSource;
  readonly database: ConsumerDatabase<Tx>;
  readonly artifacts?: ArtifactStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface ApplierInit<Tx> {
  readonly handlers: Handlers<Tx>;
  /** Attempts at an event whose handler or artifact fails, before its stack waits for a person. Default 5. */
  readonly maxAttempts?: number;
  /** Pause between two looks at a feed that has nothing new, ms. Default 100. */
  readonly pollMs?: number;
  /** Entries read at once. Default 256. */
  readonly pageSize?: number;
  /** How far behind the cursor doubles are still recognised, in places of the feed. Default 1 000 000. */
  readonly keptEvents?: number;
}

/** What people see of it. Counts are since the start. */
export interface ApplierStatus {
  /** `lost`: the feed no longer has what comes next, or was started over; see `lost`, `resync` and `acceptLoss`. */
  readonly state: "stopped" | "running" | "lost";
  readonly cursor: number;
  /** The feed that the cursor belongs to; null until one was read. */
  readonly feedId: string | null;
  /** Why it waits: `trimmed`, the feed dropped what comes next; `restarted`, it is another feed. null while it runs. */
  readonly lost: "trimmed" | "restarted" | null;
  readonly applied: number;
  readonly duplicates: number;
  /** Entries that are no control events; they are passed by. */
  readonly malformed: number;
  /** Stacks that stand still, the longest first, at most 100. */
  readonly held: readonly AppliedStack[];
  /** One fixed word for what went wrong last, or null. */
  readonly lastError: string | null;
}

export interface Applier {
  /** Begins to read. Does nothing while it runs. */
  start(): void;
  /** Ends after the event that is under way. The source and the database stay the caller's to close. */
  stop(): Promise<void>;
  status(): Promise<ApplierStatus>;
  /** Tells what to do with the event at which a stack stands still. */
  decide(stack: StackKey, decision: Decision): Promise<"decided" | "not_held">;
  /** Goes on with the oldest event that the feed still has. Does nothing unless the state is `lost`. */
  acceptLoss(): Promise<void>;
  /**
   * Reads the whole feed again, from its oldest event, whichever feed it is, then goes on. Events that were applied
   * before are recognised by their `eventId` and not applied twice. Run `changeover outbox resync` first where the feed
   * was started over: it publishes again what the pair still holds.
   */
  resync(): Promise<void>;
}

/** How long it waits after a failure of the feed or of the database. */
const RETRY = { baseMs: 100, capMs: 5_000 };
const SHOWN_STACKS = 100;
/** How many places lie between two times that old notes are dropped. */
const FORGET_EVERY = 1_000;
const DEFAULTS = { maxAttempts: 5, pollMs: 100, pageSize: 256, keptEvents: 1_000_000 };

/** An applier of the feed that `source` reads. It does nothing before `start`. */
export function createApplier<Tx>(components: ApplierComponents<Tx>, init: ApplierInit<Tx>): Applier {
  return new FeedApplier(components, init);
}

class FeedApplier<Tx> implements Applier {
  readonly #components: ApplierComponents<Tx>;
  readonly #init: ApplierInit<Tx> & typeof DEFAULTS;
  readonly #catchUp: CatchUp<Tx>;
  readonly #pause: Pause;
  readonly #counts = { applied: 0, duplicates: 0, malformed: 0 };
  #running: Promise<void> | null = null;
  #stopping = false;
  #cursor = 0;
  #failures = 0;
  #lastError: string | null = null;
  /** What the feed said when it had lost what comes next. */
  #lost: Extract<FeedRead, { outcome: "lost" }> | null = null;

  constructor(components: ApplierComponents<Tx>, init: ApplierInit<Tx>) {
    this.#components = components;
    this.#init = { ...DEFAULTS, ...init };
    this.#pause = new Pause(components);
    const take = (placed: PlacedEvent): Promise<StepOutcome> => this.#attempt(placed, "held");
    this.#catchUp = new CatchUp(components, { take, pageSize: this.#init.pageSize });
  }

  start(): void {
    if (this.#running !== null) return;
    this.#stopping = false;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#pause.end();
    await this.#running;
    this.#running = null;
  }

  async status(): Promise<ApplierStatus> {
    const { database } = this.#components;
    const [cursor, held, { feedId }] = await database.transaction(
      async (notes) => [await notes.cursor(), await notes.heldStacks(SHOWN_STACKS), await notes.mark()] as const,
    );
    const state = this.#running === null ? "stopped" : this.#lost === null ? "running" : "lost";
    const lost = this.#lost?.why ?? null;
    return { state, cursor, feedId, lost, held, lastError: this.#lastError, ...this.#counts };
  }

  async decide(key: StackKey, decision: Decision): Promise<"decided" | "not_held"> {
    const decided = await this.#catchUp.decide(key, decision);
    this.#pause.end();
    return decided;
  }

  async acceptLoss(): Promise<void> {
    const lost = this.#lost;
    if (lost === null) return;
    await this.#components.database.transaction(async (notes) => {
      await notes.moveCursor(Math.max(0, lost.oldest - 1));
      if (lost.why === "restarted") await notes.setFeed(null);
    });
    this.#lost = null;
    this.#pause.end();
  }

  async resync(): Promise<void> {
    // Not in the middle of a page: its next event would move the cursor back to where it was.
    const wasRunning = this.#running !== null;
    await this.stop();
    await this.#components.database.transaction(async (notes) => {
      await notes.moveCursor(0);
      await notes.setFeed(null);
      // Places of the old feed mean nothing in the new one: held stacks are looked up from its beginning.
      for (const stack of await notes.heldStacks(Number.MAX_SAFE_INTEGER)) {
        if (stack.hold === null) continue;
        const hold = { ...stack.hold, from: 1, attempts: 0, final: false, decision: "retry" as const };
        await notes.putStack({ ...stack, hold });
      }
    });
    this.#lost = null;
    if (wasRunning) this.start();
  }

  async #run(): Promise<void> {
    await this.#turn(() => this.#catchUp.load());
    while (!this.#stopping) {
      const found = await this.#turn(async () => {
        await this.#catchUp.one();
        return this.#readPage();
      });
      if (this.#stopping || found === "something") continue;
      const retryMs = backoffMs(this.#failures, this.#components.random.next(), RETRY);
      await this.#pause.wait(found === "failed" ? retryMs : this.#init.pollMs);
    }
  }

  /** Does one thing; the database or the feed may fail in it, and is tried again. */
  async #turn<Found>(work: () => Promise<Found>): Promise<Found | "failed"> {
    try {
      const found = await work();
      if (found !== "failed") this.#failures = 0;
      return found;
    } catch (error) {
      this.#note("the applier could not go on", error);
      return "failed";
    }
  }

  async #readPage(): Promise<"something" | "nothing" | "failed"> {
    const { source, database } = this.#components;
    const [cursor, mark] = await database.transaction(
      async (notes) => [await notes.cursor(), await notes.mark()] as const,
    );
    this.#cursor = cursor;
    const read = await source.read(cursor, this.#init.pageSize, mark);
    switch (read.outcome) {
      case "unavailable":
        this.#note("the feed does not answer", read.error);
        return "failed";
      case "lost":
        if (this.#lost === null) this.#note("the feed no longer has what comes next", new Error(read.why));
        this.#lost = read;
        return "failed";
      case "read":
        this.#lost = null;
        await this.#noteFeed(mark, read.feedId ?? null, read.entries[0]?.controlVersion ?? null);
        for (const entry of read.entries) {
          if (this.#stopping) break;
          await this.#take(entry);
        }
        if (read.entries.length > 0) await source.acknowledge(this.#cursor);
        return read.entries.length > 0 ? "something" : "nothing";
      default:
        return assertNever(read);
    }
  }

  /** Remembers which feed the cursor belongs to from now on. At its beginning, older notes get a place in it. */
  async #noteFeed(mark: FeedMark, feedId: string | null, first: number | null): Promise<void> {
    const rebases = this.#cursor === 0 && first !== null;
    if (mark.feedId === feedId && !rebases) return;
    await this.#components.database.transaction(async (notes) => {
      await notes.setFeed(feedId);
      if (rebases) await notes.rebaseApplied(first);
    });
  }

  async #take({ controlVersion, event }: FeedEntry): Promise<void> {
    if (event !== null) {
      await this.#attempt({ controlVersion, event }, "feed");
    } else {
      this.#counts.malformed += 1;
      this.#components.logger.error({ controlVersion }, "an entry of the feed is no control event");
      await this.#components.database.transaction(async (notes) => {
        if (controlVersion > (await notes.cursor())) await notes.moveCursor(controlVersion);
      });
    }
    this.#cursor = Math.max(this.#cursor, controlVersion);
    if (controlVersion % FORGET_EVERY !== 0) return;
    const through = controlVersion - this.#init.keptEvents;
    await this.#components.database.transaction((notes) => notes.forgetApplied(through));
  }

  /** Applies one event; what is wrong with the event itself makes its stack stand still. */
  async #attempt(placed: PlacedEvent, way: "feed" | "held"): Promise<StepOutcome> {
    const { database } = this.#components;
    const { handlers } = this.#init;
    try {
      const artifact = await this.#artifactOf(placed);
      const step = way === "feed" ? takeFromFeed<Tx> : takeHeld<Tx>;
      const outcome = await database.transaction((notes, tx) => step(notes, placed, { tx, handlers, artifact }));
      if (outcome === "applied") this.#counts.applied += 1;
      if (outcome === "duplicate" || outcome === "past") this.#counts.duplicates += 1;
      return outcome;
    } catch (error) {
      const reason = reasonOf(error);
      if (reason === null) throw error;
      const { event } = placed;
      this.#note("an event could not be applied: its stack stands still", error, { eventId: event.eventId, reason });
      const maxAttempts = this.#catchUp.isFull ? 1 : this.#init.maxAttempts;
      const hold = await database.transaction((notes) => holdStack(notes, placed, { reason, maxAttempts }));
      this.#catchUp.retryLater(event, hold);
      return reason;
    }
  }

  /** The checked bytes of what will be applied now; null when there are none, or nobody will look at them. */
  async #artifactOf({ event, controlVersion }: PlacedEvent): Promise<Uint8Array | null> {
    const { artifacts, database } = this.#components;
    const { artifactRef, checksum, eventId } = event;
    if (artifacts === undefined || artifactRef === undefined || checksum === undefined) return null;
    const wanted = await database.transaction(async (notes) => {
      const hold = (await notes.stack(event))?.hold ?? null;
      const reached = hold === null || (hold.from <= controlVersion && hold.decision !== "skip" && !hold.final);
      return reached && !(await notes.hasApplied(eventId));
    });
    return wanted ? fetchArtifact(artifacts, { artifactRef, checksum }) : null;
  }

  #note(message: string, error: unknown, fields: Readonly<Record<string, string>> = {}): void {
    this.#failures = Math.min(this.#failures + 1, 30);
    const word = error instanceof ChangeoverError ? error.code : error instanceof Error ? error.name : "error";
    this.#lastError = fields["reason"] ?? word;
    this.#components.logger.warn({ ...fields, error }, message);
  }
}

/** Something is wrong with the artifact of an event. */
class ArtifactFailure extends Error {
  readonly reason: HoldReason;

  constructor(reason: HoldReason, cause: unknown) {
    super(`the artifact cannot be had: ${reason}`, { cause });
    this.name = "ArtifactFailure";
    this.reason = reason;
  }
}

async function fetchArtifact(artifacts: ArtifactStore, artifact: Artifact): Promise<Uint8Array> {
  try {
    return await artifacts.get(artifact);
  } catch (error) {
    const damaged = error instanceof ChangeoverError && error.code === "checksum_mismatch";
    throw new ArtifactFailure(damaged ? "checksum_mismatch" : "artifact_missing", error);
  }
}

/** What is wrong with the event; null when the trouble is not the event's. */
function reasonOf(error: unknown): HoldReason | null {
  if (error instanceof ArtifactFailure) return error.reason;
  return error instanceof HandlerFailure ? "handler_failed" : null;
}
