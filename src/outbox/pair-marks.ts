/**
 * Through where the leader has published each stack, and into which feed, told to the follower, so that it neither piles up
 * rows nor needs to publish all of them again when it leads, and so that it notices a feed that was started over.
 * A mark is told only while nothing below it waits, and taken only where both logs are known to agree so far; what the
 * follower misses is told again. A mark that is late costs a double, which collapses on its `eventId`.
 */
import { PROGRAMME, type StackMark } from "../core/control-event.ts";
import type { Clock } from "../ports/basics.ts";
import type { OutboxStore, Replica } from "../ports/replica.ts";
import { FeedPlace } from "./feed-place.ts";

/** Marks of one message. */
const MARKS_TOLD = 256;

export interface PairMarksParts {
  readonly clock: Pick<Clock, "unixMs">;
  readonly replica: Pick<Replica, "outbox" | "peerState" | "transaction">;
  tell(marks: readonly StackMark[], feedId: string | null): void;
}

export class PairMarks {
  readonly #parts: PairMarksParts;
  readonly #place: FeedPlace;
  #cursor = "";

  constructor(parts: PairMarksParts) {
    this.#parts = parts;
    this.#place = new FeedPlace(parts.replica);
  }

  /** A stack was published a little further. */
  published(stackId: string): void {
    const mark = this.#outbox.mark(stackId);
    if (mark !== null && !this.#waitsBelow(mark)) this.#tell([mark]);
  }

  /** Tells some of all marks at every call, all in turn. */
  tellAgain(): void {
    const marks = this.#outbox.marksAfter(this.#cursor, MARKS_TOLD);
    this.#cursor = marks.length < MARKS_TOLD ? "" : (marks.at(-1)?.stackId ?? "");
    const told = marks.filter((mark) => !this.#waitsBelow(mark));
    if (told.length > 0) this.#tell(told);
  }

  #tell(marks: readonly StackMark[]): void {
    this.#parts.tell(marks, this.#place.feedId);
  }

  /** The leader's word. */
  take(marks: readonly StackMark[], feedId: string | null): void {
    const given = marks.map(({ controlVersion }) => controlVersion);
    if (feedId !== null) this.#place.note(feedId, given);
    const news = marks.filter((mark) => this.#agrees(mark) && this.#isNews(mark));
    if (news.length === 0) return;
    const atUnixMs = this.#parts.clock.unixMs();
    this.#parts.replica.transaction(() => {
      for (const mark of news) this.#outbox.publishedThrough(mark, atUnixMs);
    });
  }

  get #outbox(): OutboxStore {
    return this.#parts.replica.outbox;
  }

  #waitsBelow({ stackId, version }: StackMark): boolean {
    return this.#outbox.waiting(stackId, { limit: 1, maxBytes: 1, throughVersion: version }).length > 0;
  }

  #isNews(mark: StackMark): boolean {
    return this.#waitsBelow(mark) || (this.#outbox.mark(mark.stackId)?.version ?? 0) < mark.version;
  }

  /** Commands of a log that may yet be taken back have the versions of others: the very command must be held. */
  #agrees({ stackId, eventId }: StackMark): boolean {
    return stackId !== PROGRAMME || this.#outbox.find(eventId) !== null;
  }
}
