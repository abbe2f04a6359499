/**
 * Purpose: everybody who looks at the statecharts through this engine.
 * Keeps true: what there is to tell is told at the same moments to all, so that it is made once; with nobody looking nothing
 * runs.
 * Does not know: tokens and paths; the HTTP surface has checked them.
 */
import type { WebSocket } from "ws";
import type { Clock, TimerHandle } from "../ports/clock.ts";
import { GATHER_MS, MAX_VIEWERS, STATE_EVERY_MS } from "./bounds.ts";
import type { OwnSource } from "./own-source.ts";
import type { PeerSource } from "./peer-source.ts";
import { readCursors } from "./resume.ts";
import { SharedMessages } from "./shared-messages.ts";
import { Viewer } from "./viewer.ts";

/** WebSocket close code "try again later". */
const TRY_AGAIN_LATER = 1013;

export class Viewers {
  readonly #clock: Clock;
  readonly #own: OwnSource;
  readonly #peer: PeerSource | null;
  readonly #alone: readonly SharedMessages[];
  readonly #both: readonly SharedMessages[];
  readonly #viewers = new Set<Viewer>();
  #ticking: TimerHandle | null = null;
  #gathering: TimerHandle | null = null;

  constructor(components: { readonly clock: Clock; readonly own: OwnSource; readonly peer: PeerSource | null }) {
    this.#clock = components.clock;
    this.#own = components.own;
    this.#peer = components.peer;
    this.#alone = [new SharedMessages(this.#own)];
    this.#both = this.#peer === null ? this.#alone : [...this.#alone, new SharedMessages(this.#peer)];
  }

  /** How many look on. */
  get count(): number {
    return this.#viewers.size;
  }

  /**
   * Takes over an open socket.
   *
   * @param query of the request: `after=RUN:SEQ` for each run that the viewer knows already, `only=own` for an engine
   * that wants nothing relayed
   */
  open(socket: WebSocket, query: URLSearchParams): void {
    if (this.#viewers.size >= MAX_VIEWERS) {
      socket.close(TRY_AGAIN_LATER, "too many viewers");
      return;
    }
    const engines = query.get("only") === "own" ? this.#alone : this.#both;
    const viewer = new Viewer({ socket, engines, resumed: readCursors(query) });
    if (this.#viewers.size === 0) this.#begin();
    this.#viewers.add(viewer);
    if (viewer.hasPeer) this.#peer?.open(() => this.#soon());
    socket.on("close", () => this.#leave(viewer));
    viewer.pump();
  }

  /** Stops everything. Idempotent. The sockets belong to the HTTP surface. */
  close(): void {
    this.#viewers.clear();
    this.#end();
  }

  #leave(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    if (![...this.#viewers].some(({ hasPeer }) => hasPeer)) this.#peer?.close();
    if (this.#viewers.size === 0) this.#end();
  }

  #begin(): void {
    this.#own.open(() => this.#soon());
    this.#tick();
  }

  #end(): void {
    for (const timer of [this.#ticking, this.#gathering]) if (timer !== null) this.#clock.clearTimeout(timer);
    this.#ticking = null;
    this.#gathering = null;
    this.#own.close();
    this.#peer?.close();
  }

  #tick(): void {
    this.#own.renew();
    this.#peer?.listen();
    this.#pump();
    this.#ticking = this.#clock.setTimeout(() => this.#tick(), untilNextState(this.#clock.unixMs()));
  }

  #soon(): void {
    this.#gathering ??= this.#clock.setTimeout(() => {
      this.#gathering = null;
      this.#pump();
    }, GATHER_MS);
  }

  #pump(): void {
    for (const viewer of this.#viewers) viewer.pump();
  }
}

/**
 * Both engines look at the same instants of the wall clock, so that what they tell of themselves can be compared. A timer
 * that fires a little early is not followed by one that fires at once.
 */
function untilNextState(unixMs: number): number {
  const waitMs = STATE_EVERY_MS - (unixMs % STATE_EVERY_MS);
  return waitMs < STATE_EVERY_MS / 4 ? waitMs + STATE_EVERY_MS : waitMs;
}
