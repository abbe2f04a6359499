/**
 * Which feed the leader has published to, and how far that feed had come: what this engine wrote, or was told by the one
 * that led. It is kept in the store, so that a feed that was started over, or that is an older copy of itself, is noticed
 * after a restart and a change of the role too.
 */
import type { Replica } from "../ports/replica.ts";

const FEED_KEY = "outbox:feed";
/** The number, a space, and the feed that it was given in: in another feed it means nothing. */
const REACHED_KEY = "outbox:reached";

export class FeedPlace {
  readonly #peerState: Replica["peerState"];

  constructor({ peerState }: Pick<Replica, "peerState">) {
    this.#peerState = peerState;
  }

  /** null: none yet, or none since the last resync. */
  get feedId(): string | null {
    return this.#peerState.get(FEED_KEY);
  }

  /** The highest control version that the feed is known to have given; 0: none. */
  get reached(): number {
    const [number = "", ...name] = (this.#peerState.get(REACHED_KEY) ?? "").split(" ");
    return name.join(" ") === this.feedId ? Number(number) : 0;
  }

  /** Events got these control versions in this feed. */
  note(feedId: string, controlVersions: readonly number[]): void {
    if (this.feedId !== feedId) this.#peerState.set(FEED_KEY, feedId);
    const reached = Math.max(...controlVersions);
    if (reached > this.reached) this.#peerState.set(REACHED_KEY, `${reached} ${feedId}`);
  }

  forget(): void {
    this.#peerState.delete(FEED_KEY);
    this.#peerState.delete(REACHED_KEY);
  }
}
