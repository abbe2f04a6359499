/**
 * Speaks to a running engine over HTTP for the commands.
 * Every call ends, by an answer or by its time-out; a refusal carries the engine's own code and reason.
 * It does not know what the answers mean.
 */
import { withoutPasswords } from "../config/check.ts";
import type { CoordinatorState } from "../coordinator/types.ts";
import { networkFault } from "../core/network-fault.ts";
import { CliError, EXIT } from "./exit.ts";

/** Where the engine is, and who asks. */
export interface ClientInit {
  readonly url: string;
  readonly token: string | null;
  readonly timeoutMs?: number;
}

/** An answer, whatever its status. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Keys that an answer must have. */
type KeysOf<T> = readonly [keyof T & string, ...(keyof T & string)[]];

interface Call {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const DEFAULT_TIMEOUT_MS = 5_000;
/** No answer of an engine is larger. */
const MAX_ANSWER_BYTES = 268_435_456;

/** What a path that speaks WebSocket answers to a plain request. */
const UPGRADE_REQUIRED = 426;

export class Client {
  readonly url: string;
  readonly #token: string | null;
  readonly #timeoutMs: number;

  constructor(init: ClientInit) {
    this.url = addressOf("--url", init.url);
    this.#token = init.token;
    this.#timeoutMs = init.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  /** A client for another engine, with the same token. */
  at(url: string): Client {
    return new Client({ url, token: this.#token, timeoutMs: this.#timeoutMs });
  }

  /**
   * The body of a success. The caller names the shape that the outer contract promises for the path, and the keys of it
   * without which the answer comes from something else.
   */
  async get<T>(path: string, keys: KeysOf<T>): Promise<T> {
    return this.#success<T>(path, keys, {});
  }

  /** As `get`, for a call that changes something. */
  async post<T>(
    path: string,
    keys: KeysOf<T>,
    body: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    return this.#success<T>(path, keys, { method: "POST", body, headers });
  }

  async delete<T>(path: string, keys: KeysOf<T>): Promise<T> {
    return this.#success<T>(path, keys, { method: "DELETE" });
  }

  /** How the engine is. */
  async state(): Promise<CoordinatorState> {
    return this.get<CoordinatorState>("/api/state", [
      "pair",
      "engineLabel",
      "role",
      "epoch",
      "peer",
      "witness",
      "alarms",
      "lastCommandSeq",
    ]);
  }

  /** A call that is answered without a body. */
  async postForNothing(path: string): Promise<void> {
    const { status, body } = await this.call(path, { method: "POST" });
    if (status !== 204) throw new CliError(EXIT.failed, refusalOf(status, body, this.url + path));
  }

  /** One call; throws only when no engine answers. */
  async call(path: string, { method = "GET", body, headers = {} }: Call = {}): Promise<Answer> {
    const sent = body === undefined ? {} : { "content-type": "application/json" };
    const shown = this.#token === null ? {} : { authorization: `Bearer ${this.#token}` };
    try {
      const response = await fetch(this.url + path, {
        method,
        headers: { accept: "application/json", ...sent, ...shown, ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(this.#timeoutMs),
        redirect: "error",
      });
      return { status: response.status, body: parse(await textOf(response)) };
    } catch (error) {
      throw unreachable(this.url, error, this.#timeoutMs);
    }
  }

  async #success<T>(path: string, keys: KeysOf<T>, call: Call): Promise<T> {
    const { status, body } = await this.call(path, call);
    if (status >= 200 && status < 300 && hasKeys(body, keys)) {
      answeredBy = this.url + path;
      return body as T;
    }
    throw new CliError(EXIT.failed, refusalOf(status, body, this.url + path));
  }

  /** Throws the engine's refusal unless a WebSocket may be opened at `path`. */
  async requireSocket(path: string): Promise<void> {
    const { status, body } = await this.call(path);
    if (status !== UPGRADE_REQUIRED) throw new CliError(EXIT.failed, refusalOf(status, body, this.url + path));
  }
}

/** No engine answered at `url`. */
export function unreachable(url: string, error: unknown, timeoutMs = DEFAULT_TIMEOUT_MS): CliError {
  const { cause, code } = (error instanceof Error ? error : {}) as NodeJS.ErrnoException & { cause?: unknown };
  const fault = networkFault((cause as NodeJS.ErrnoException | undefined)?.code ?? code ?? "");
  const remedy =
    fault?.reason === "network_tls"
      ? "name the authority of its certificate with NODE_EXTRA_CA_CERTS=FILE, and the host as the certificate does"
      : "is the engine running? Say where it is with --url or CHANGEOVER_URL";
  const reason = fault?.words ?? reasonOf(error, timeoutMs);
  return new CliError(EXIT.unreachable, `cannot reach ${url}: ${reason}; ${remedy}`, { cause: undefined });
}

/** The address that `option` gives. A secret in it would stand in the list of processes, and in what is told of it. */
export function addressOf(option: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    const shown = withoutPasswords(text);
    throw new CliError(EXIT.wrongUse, `${option} is "${shown}": must be an address such as http://127.0.0.1:7401`);
  }
  if (url.username !== "" || url.password !== "") {
    const remedy = "give the token by CHANGEOVER_TOKEN or --token-file";
    throw new CliError(EXIT.wrongUse, `${option}: must have no user or password in it; ${remedy}`);
  }
  if (url.search !== "" || url.hash !== "") {
    throw new CliError(EXIT.wrongUse, `${option} is "${text}": must have no query and no fragment`);
  }
  return url.href.replace(/\/+$/, "");
}

function parse(text: string): unknown {
  if (text === "") return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function hasKeys(body: unknown, keys: readonly string[]): boolean {
  return typeof body === "object" && body !== null && keys.every((key) => Object.hasOwn(body, key));
}

/** The body as text, up to a bound: what answers at a wrong address may never end. */
async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let [text, bytes] = ["", 0];
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += piece.byteLength;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`it answered with more than ${MAX_ANSWER_BYTES} bytes`);
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

/** Where the last success came from; null before the first. */
let answeredBy: string | null = null;

/** What a `TypeError` means after an answer: it had the right keys, and something else behind them. */
export function strangeAnswer(error: unknown): CliError | null {
  if (!(error instanceof TypeError) || answeredBy === null) return null;
  return new CliError(EXIT.failed, `${answeredBy} answered, but not as an engine of this version does`);
}

function refusalOf(status: number, body: unknown, where: string): string {
  const { code, detail, title } = (body ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof code !== "string" || status < 400) return `${where} answered ${status}, but not as an engine does`;
  const told = [code, detail ?? title].filter((part) => typeof part === "string" && part !== "").join(": ");
  const remedy = code === "unauthorized" ? "; give a token by CHANGEOVER_TOKEN or --token-file" : "";
  return `refused (${status}) ${told}${remedy}`;
}

function reasonOf(error: unknown, timeoutMs: number): string {
  const name = error instanceof Error ? error.name : "";
  if (name === "TimeoutError") return `no answer within ${timeoutMs} ms`;
  const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  // Such as "bad port": fetch dials none of the ports that browsers refuse.
  return cause?.code ?? cause?.message ?? (error instanceof Error ? error.message : "failed");
}
