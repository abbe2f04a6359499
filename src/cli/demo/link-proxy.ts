/**
 * One direction of the peer link as a TCP forwarder that can be cut, so that the demonstration shows a silent
 * partition without touching the host's network.
 * A cut closes nothing, as a pulled cable closes nothing: what is open stays open and silent, what is new is
 * accepted and silent. While nothing listens at the target, nothing listens here either, so that a death probe of this
 * address sees what it would see at the target.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** One forwarded connection: `near` called, `far` is the target. */
interface Lane {
  readonly near: Socket;
  readonly far: Socket;
}

/** What a cut holds back: what the caller says, what the target says, or all. */
export type CutWay = "to-target" | "to-caller" | "both";

const HOST = "127.0.0.1";
/** How often a target that was gone is looked for. */
const LOOK_MS = 10;
/** A killed process may accept and reset for a moment: asked again this often, 1 ms apart. */
const MAX_RESETS = 50;

export class LinkProxy {
  readonly #targetPort: number;
  readonly #lanes = new Set<Lane>();
  /** Accepted while cut, or while the target was not there yet. */
  readonly #silent = new Set<Socket>();
  #server: Server | null = null;
  #port = 0;
  #cut: CutWay | null = null;
  #closed = false;
  #look: NodeJS.Timeout | null = null;

  constructor(targetPort: number) {
    this.#targetPort = targetPort;
  }

  get port(): number {
    return this.#port;
  }

  /** Takes a port. It listens there only while the target listens. */
  async open(): Promise<void> {
    const server = this.#listen(0);
    await once(server, "listening");
    this.#port = (server.address() as AddressInfo).port;
    await this.#followTarget();
  }

  /** What is cut does not come through any more, and nobody is told. */
  cut(way: CutWay = "both"): void {
    this.#cut = way;
    for (const lane of this.#lanes) steer(lane, way);
  }

  /** What waited comes through; connections that were opened meanwhile reach the target now. */
  heal(): void {
    this.#cut = null;
    for (const lane of this.#lanes) {
      // The target went away during the cut, and nobody could be told.
      if (lane.far.destroyed) lane.near.destroy();
      else steer(lane, null);
    }
    for (const near of this.#silent) this.#forward(near);
    this.#silent.clear();
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#look !== null) clearTimeout(this.#look);
    for (const { near, far } of this.#lanes) [near, far].forEach((socket) => socket.destroy());
    for (const near of this.#silent) near.destroy();
    await this.#stopListening();
  }

  #listen(port: number): Server {
    const server = createServer((near) => this.#accept(near)).listen(port, HOST);
    server.on("error", () => this.#lookLater());
    this.#server = server;
    return server;
  }

  #accept(near: Socket): void {
    near.on("error", () => near.destroy());
    if (this.#cut === null) return this.#forward(near);
    this.#silent.add(near.pause());
    near.once("close", () => this.#silent.delete(near));
  }

  #forward(near: Socket): void {
    const far = connect(this.#targetPort, HOST);
    const lane = { near, far };
    this.#lanes.add(lane);
    far.on("error", () => far.destroy());
    far.once("close", () => void this.#farClosed(lane));
    near.once("close", () => {
      this.#lanes.delete(lane);
      far.destroy();
    });
    steer(lane, this.#cut);
  }

  /** Told on only once it is known whether the whole target is gone, so that the caller who asks again is refused. */
  async #farClosed({ near }: Lane): Promise<void> {
    if (this.#cut !== null) return;
    await this.#followTarget();
    near.destroy();
  }

  /** Listens exactly while the target does. */
  async #followTarget(): Promise<void> {
    const isThere = await this.reachesTarget();
    if (this.#closed) return;
    if (isThere && this.#server === null) this.#listen(this.#port);
    if (isThere) return;
    if (this.#cut === null) void this.#stopListening();
    this.#lookLater();
  }

  #lookLater(): void {
    if (this.#closed) return;
    if (this.#look !== null) clearTimeout(this.#look);
    this.#look = setTimeout(() => void this.#followTarget(), LOOK_MS);
  }

  /** Whether something listens at the target now. */
  async reachesTarget(): Promise<boolean> {
    for (let resets = 0; resets < MAX_RESETS; resets += 1) {
      const end = await tryConnect(this.#targetPort);
      if (end !== "ECONNRESET") return end === null;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return false;
  }

  async #stopListening(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null || !server.listening) return;
    const closed = once(server, "close");
    server.close();
    if (this.#closed) await closed;
  }
}

/** Lets through what is not cut. */
function steer({ near, far }: Lane, cut: CutWay | null): void {
  near.unpipe(far).pause();
  far.unpipe(near).pause();
  if (cut === null || cut === "to-caller") near.pipe(far);
  if (cut === null || cut === "to-target") far.pipe(near);
}

/** null when it connects, else the system's word for why not. */
async function tryConnect(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST);
    socket.once("connect", () => {
      socket.destroy();
      resolve(null);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "failed"));
  });
}
