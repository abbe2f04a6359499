/**
 * Purpose: proof that nothing listens any more where the peer was [DP1].
 * Keeps true: `refused` only when every known address refused the connection; whatever answers, with anything at all, is
 * life. Right after a kill the kernel may still accept a connection and then reset it: that is neither, and is asked
 * again every millisecond. Sockets and timers end with the call.
 * Does not know: who answers. Any answer at the peer's address is a reason not to take its role.
 */
import { type Socket, connect } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Clock, TimerHandle } from "../ports/clock.ts";
import type { PeerProbe, ProbeResult } from "../ports/peer-probe.ts";

/** Between two questions to one address. */
const ASK_AGAIN_MS = 1;

/** What one connection showed. `again`: it was accepted and then reset or closed without a word. */
type Sight = "refused" | "alive" | "unknown" | "again";

/** An address of the peer. */
interface Address {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

export interface HttpPeerProbeInit {
  /** Every known address of the peer, `ws:`, `wss:`, `http:` or `https:`; only host and port count. */
  readonly urls: readonly string[];
}

export class HttpPeerProbe implements PeerProbe {
  readonly #clock: Clock;
  readonly #addresses: readonly Address[];

  constructor(components: { readonly clock: Clock }, init: HttpPeerProbeInit) {
    this.#clock = components.clock;
    this.#addresses = distinctAddresses(init.urls);
  }

  probe(budgetMs: number): Promise<ProbeResult> {
    return new Promise((resolve) => {
      const inquiries: Inquiry[] = [];
      const sights: ProbeResult[] = [];
      const end = (result: ProbeResult): void => {
        this.#clock.clearTimeout(budget);
        for (const inquiry of inquiries) inquiry.stop();
        resolve(result);
      };
      const budget = this.#clock.setTimeout(() => end("unknown"), budgetMs);
      const onSight = (sight: ProbeResult): void => {
        sights.push(sight);
        if (sight === "alive") end("alive");
        else if (sights.length === this.#addresses.length) end(sights.every(isRefused) ? "refused" : "unknown");
      };
      for (const address of this.#addresses) inquiries.push(new Inquiry(this.#clock, address, onSight));
      if (inquiries.length === 0) end("unknown");
    });
  }
}

const isRefused = (sight: ProbeResult): boolean => sight === "refused";

/** The questions to one address, one after another, until one is answered. */
class Inquiry {
  readonly #clock: Clock;
  readonly #address: Address;
  readonly #onSight: (sight: ProbeResult) => void;
  #socket: Socket | null = null;
  #timer: TimerHandle | null = null;
  #ended = false;

  constructor(clock: Clock, address: Address, onSight: (sight: ProbeResult) => void) {
    this.#clock = clock;
    this.#address = address;
    this.#onSight = onSight;
    this.#ask();
  }

  stop(): void {
    this.#ended = true;
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#socket?.destroy();
  }

  #ask(): void {
    this.#timer = null;
    this.#socket = ask(this.#address, (sight) => {
      if (this.#ended) return;
      if (sight === "again") {
        this.#timer = this.#clock.setTimeout(() => this.#ask(), ASK_AGAIN_MS);
        return;
      }
      this.stop();
      this.#onSight(sight);
    });
  }
}

/** Asks once. `onSight` may be called more than once; the first is what counts. */
function ask({ host, port, secure }: Address, onSight: (sight: Sight) => void): Socket {
  // Whose certificate it is matters to the peer channel; here any process that speaks TLS is alive.
  const socket = secure ? connectTls({ host, port, rejectUnauthorized: false }) : connect({ host, port });
  let told = false;
  const tell = (sight: Sight): void => {
    if (told) return;
    told = true;
    socket.destroy();
    onSight(sight);
  };
  socket.setNoDelay(true);
  socket.on(secure ? "secureConnect" : "data", () => tell("alive"));
  socket.on("connect", () => {
    if (!secure) socket.write(`GET /api/peer/health HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: close\r\n\r\n`);
  });
  socket.on("error", (error: Error) => tell(sightOf(error)));
  socket.on("close", () => tell("again"));
  return socket;
}

/** A name may stand for several addresses; Node then brings the errors of all of them. */
function sightOf(error: Error): Sight {
  const errors: readonly NodeJS.ErrnoException[] =
    error instanceof AggregateError ? (error.errors as Error[]) : [error];
  if (errors.every(({ code }) => code === "ECONNREFUSED")) return "refused";
  return errors.some(({ code }) => code === "ECONNRESET" || code === "EPIPE") ? "again" : "unknown";
}

function distinctAddresses(urls: readonly string[]): readonly Address[] {
  const addresses = new Map<string, Address>();
  for (const { protocol, hostname, port } of urls.map((url) => new URL(url))) {
    const secure = protocol === "wss:" || protocol === "https:";
    const address = {
      host: hostname.replace(/^\[(.*)\]$/, "$1"),
      port: port === "" ? (secure ? 443 : 80) : Number(port),
      secure,
    };
    addresses.set(`${address.host} ${address.port}`, address);
  }
  return [...addresses.values()];
}
