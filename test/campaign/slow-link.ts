/**
 * A TCP proxy in a peer link that can delay, stall and cut each direction. Bytes are never lost or reordered, as on a
 * real TCP connection over a bad network: what is held back arrives later.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** From the engine that dialled to the one that listens, or back. */
export type Way = "out" | "back";

/** A source that sends more than this while it is held back is paused. */
const MOST_HELD_BYTES = 1_048_576;

export class SlowLink {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #server: Server;
  readonly #pipes = new Set<Pipe>();
  readonly #sockets = new Set<Socket>();
  readonly #closed: Record<Way, number> = { out: 0, back: 0 };
  #delayMs = 0;

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
    this.#server = createServer((near) => this.#forward(near));
  }

  /** Listens on `host` and forwards to `target`. */
  static async open(host: string, target: { readonly host: string; readonly port: number }): Promise<SlowLink> {
    const link = new SlowLink(target);
    link.#server.listen(0, host);
    await once(link.#server, "listening");
    return link;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  delayBy(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  /** Holds everything back on this way until the returned function is called; several may hold at a time. */
  hold(way: Way): () => void {
    this.#closed[way] += 1;
    let isUndone = false;
    return () => {
      if (isUndone) return;
      isUndone = true;
      this.#closed[way] -= 1;
      for (const pipe of this.#pipes) pipe.flush();
    };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }

  #forward(near: Socket): void {
    const far = connect(this.#target);
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on("error", () => socket.destroy());
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    }
    this.#pipe(near, far, "out");
    this.#pipe(far, near, "back");
  }

  #pipe(from: Socket, to: Socket, way: Way): void {
    const pipe = new Pipe(from, to, { isHeld: () => this.#closed[way] > 0, delayMs: () => this.#delayMs });
    this.#pipes.add(pipe);
    to.once("close", () => this.#pipes.delete(pipe));
  }
}

interface Rule {
  readonly isHeld: () => boolean;
  readonly delayMs: () => number;
}

/** One direction of one connection. */
class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #rule: Rule;
  /** What has come and is not passed on; null: the connection ended. */
  readonly #held: { readonly bytes: Buffer | null; readonly dueMs: number }[] = [];
  #heldBytes = 0;

  constructor(from: Socket, to: Socket, rule: Rule) {
    this.#from = from;
    this.#to = to;
    this.#rule = rule;
    from.on("data", (bytes: Buffer) => this.#take(bytes));
    from.once("close", () => this.#take(null));
  }

  /** Passes on what is due. */
  flush(): void {
    while (!this.#rule.isHeld() && this.#held[0] !== undefined && this.#held[0].dueMs <= performance.now()) {
      const { bytes } = this.#held.shift() ?? { bytes: null };
      if (bytes === null) this.#to.destroySoon();
      else if (!this.#to.destroyed) this.#to.write(bytes);
      this.#heldBytes -= bytes?.length ?? 0;
    }
    if (this.#heldBytes < MOST_HELD_BYTES) this.#from.resume();
  }

  #take(bytes: Buffer | null): void {
    const delayMs = this.#rule.delayMs();
    this.#held.push({ bytes, dueMs: performance.now() + delayMs });
    this.#heldBytes += bytes?.length ?? 0;
    if (this.#heldBytes >= MOST_HELD_BYTES) this.#from.pause();
    if (delayMs === 0) this.flush();
    // A timer may fire a fraction of a millisecond early.
    else setTimeout(() => this.flush(), delayMs + 1);
  }
}
