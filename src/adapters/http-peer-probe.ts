/**
 * Proof that nothing listens any more where the peer was [DP1].
 * `refused` only when every known address refused the connection, or one did whose established socket the
 * other side had just closed, and no other accepts one within a moment; whatever answers, with anything at all, is life. Right after a kill the kernel may still accept a connection and then reset it: that is neither, and is asked
 * again every millisecond. Sockets and timers end with the call.
 * It does not know who answers. Any answer at the peer's address is a reason not to take its role.
 */
import { type Socket, connect } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Clock, TimerHandle } from "../ports/basics.ts";
import { PROOF_GRACE_MS, type PeerProbe, type ProbeResult } from "../ports/peer-channel.ts";

/** Between two questions to one address. */
const ASK_AGAIN_MS = 1;

/** What one connection showed. `again`: it was accepted and then reset or closed without a word. */
type Sight = "refused" | "alive" | "unknown" | "again";

/** An address of the peer. */
interface Address {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** The links that lead there. */
  readonly links: string[];
}

export interface HttpPeerProbeInit {
  /** Every known address of the peer, by its link: `ws:`, `wss:`, `http:` or `https:`; only host and port count. */
  readonly links: readonly { readonly name: string; readonly url: string }[];
}

export class HttpPeerProbe implements PeerProbe {
  readonly #clock: Clock;
  readonly #addresses: readonly Address[];

  constructor(components: { readonly clock: Clock }, init: HttpPeerProbeInit) {
    this.#clock = components.clock;
    this.#addresses = distinctAddresses(init.links);
  }

  probe(budgetMs: number, closed: ReadonlySet<string> = new Set()): Promise<ProbeResult> {
    return new Promise((resolve) => {
      const inquiries: Inquiry[] = [];
      const sights: ProbeResult[] = [];
      let grace: TimerHandle | null = null;
      const end = (result: ProbeResult): void => {
        this.#clock.clearTimeout(budget);
        if (grace !== null) this.#clock.clearTimeout(grace);
        for (const inquiry of inquiries) inquiry.stop();
        resolve(result);
      };
      const budget = this.#clock.setTimeout(() => end("unknown"), budgetMs);
      let proven = false;
      const onSight = (sight: ProbeResult, { links }: Address): void => {
        sights.push(sight);
        proven ||= sight === "refused" && links.some((link) => closed.has(link));
        if (sight === "alive") end("alive");
        else if (sights.length === this.#addresses.length) {
          end(proven || sights.every(isRefused) ? "refused" : "unknown");
        } else if (proven) {
          // Others may still accept; what has accepted is waited for.
          grace ??= this.#clock.setTimeout(() => {
            if (!inquiries.some(({ accepted }) => accepted)) end("refused");
          }, PROOF_GRACE_MS);
        }
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
  readonly #onSight: (sight: ProbeResult, address: Address) => void;
  /** A connection was accepted, and it is not yet known by what. */
  accepted = false;
  #socket: Socket | null = null;
  #timer: TimerHandle | null = null;
  #ended = false;

  constructor(clock: Clock, address: Address, onSight: (sight: ProbeResult, address: Address) => void) {
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
      this.accepted = false;
      if (sight === "again") {
        this.#timer = this.#clock.setTimeout(() => this.#ask(), ASK_AGAIN_MS);
        return;
      }
      this.stop();
      this.#onSight(sight, this.#address);
    });
    this.#socket.once("connect", () => (this.accepted = true));
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

function distinctAddresses(links: HttpPeerProbeInit["links"]): readonly Address[] {
  const addresses = new Map<string, Address>();
  for (const { name, url } of links) {
    const { protocol, hostname, port } = new URL(url);
    const secure = protocol === "wss:" || protocol === "https:";
    const host = hostname.replace(/^\[(.*)\]$/, "$1");
    const address = { host, port: port === "" ? (secure ? 443 : 80) : Number(port), secure, links: [name] };
    const key = `${address.host} ${address.port}`;
    const known = addresses.get(key);
    if (known === undefined) addresses.set(key, address);
    else known.links.push(name);
  }
  return [...addresses.values()];
}
