/** `changeover machines record|replay`: keeps what the statecharts of a pair do in a file, and shows it later. */
import { once } from "node:events";
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import type { AddressInfo } from "node:net";
import type { Command } from "commander";
import Fastify from "fastify";
import { WebSocket } from "ws";
import { pageFolder } from "../../host/package-root.ts";
import { pageOf } from "../../http/routes/page.ts";
import type { StreamMessage } from "../../visualiser/inspected.ts";
import { STREAM_PATH, STREAM_PROTOCOL, streamUrl } from "../../visualiser/stream-address.ts";
import { parseMessage } from "../../visualiser/stream-message.ts";
import { headerLine, readTrace } from "../../visualiser/trace-file.ts";
import { CliError, EXIT } from "../exit.ts";
import { unreachable } from "../client.ts";
import { clientFor, reaching, type ReachOptions, secretFrom, wholeNumber } from "../options.ts";
import { line } from "../output.ts";

interface RecordOptions extends ReachOptions {
  readonly seconds?: number;
}

interface ReplayOptions {
  readonly port: number;
}

/** States are recorded once a second; what the statecharts do, whole. */
const STATE_EVERY_MS = 1_000;

export function addRuns(command: Command): void {
  reaching(command.command("record"))
    .description("write what the statecharts of both engines do to a file, until Ctrl-C")
    .argument("<file>", "where to")
    .option("--seconds <count>", "stop by itself", wholeNumber(1, 86_400))
    .action(record);
  command
    .command("replay")
    .description("show a recorded run, or a simulator's trace, on the page")
    .argument("<file>", "what to show")
    .option("--port <port>", "where the page is served; any free port unless given", wholeNumber(0, 65_535), 0)
    .action(replay);
}

/** The stream of an engine. */
interface EngineStream {
  readonly socket: WebSocket;
  /** Resolves when it ends. Rejects when what came is not what an engine says. */
  readonly ended: Promise<void>;
}

/** Opens an engine's stream. `onMessage` is told each message as it comes, with its text. */
export async function openStream(
  options: ReachOptions,
  onMessage: (message: StreamMessage, text: string, socket: WebSocket) => void,
): Promise<EngineStream> {
  const client = clientFor(options);
  const { url } = client;
  await client.requireSocket(`/${STREAM_PATH}`);
  const token = secretFrom(options.tokenFile, "CHANGEOVER_TOKEN");
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const socket = new WebSocket(streamUrl(url), STREAM_PROTOCOL, { headers });
  let isForeign = false;
  socket.on("message", (data: Buffer) => {
    const text = data.toString();
    const message = parseMessage(text);
    if (message !== null) return onMessage(message, text, socket);
    isForeign = true;
    socket.terminate();
  });
  const ended = once(socket, "close").then(() => {
    if (isForeign) throw new CliError(EXIT.failed, `${url} sent something else than an engine's stream`);
  });
  ended.catch(() => undefined);
  await once(socket, "open").catch((error: unknown) => {
    throw unreachable(url, error);
  });
  return { socket, ended };
}

async function record(file: string, options: RecordOptions): Promise<void> {
  const run = new RunFile(file, clientFor(options).url);
  const { socket, ended } = await openStream(options, (message, text) => run.take(message, text));
  line(`recording to ${file}`);
  const stop = (): void => socket.close();
  process.once("SIGINT", stop).once("SIGTERM", stop);
  const timer = options.seconds === undefined ? null : setTimeout(stop, options.seconds * 1_000);
  try {
    await ended;
  } finally {
    if (timer !== null) clearTimeout(timer);
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
  line(`${run.close()} events; look: changeover machines replay ${file}`);
}

class RunFile {
  readonly #file: number;
  readonly #title: string;
  readonly #statesAtMs = new Map<string, number>();
  #begun = false;
  #events = 0;

  /** What stands in the file stays until there is something to record. */
  constructor(path: string, url: string) {
    this.#file = openSync(path, "a");
    this.#title = `recorded from ${url} at ${new Date().toISOString()}`;
  }

  take(message: StreamMessage, text: string): void {
    if (message.type === "state") {
      const lastMs = this.#statesAtMs.get(message.engine) ?? Number.NEGATIVE_INFINITY;
      if (message.atUnixMs - lastMs < STATE_EVERY_MS) return;
      this.#statesAtMs.set(message.engine, message.atUnixMs);
    }
    if (message.type === "hello" || message.type === "events") this.#events += message.events.length;
    this.#write(`${text}\n`);
  }

  #write(text: string): void {
    if (!this.#begun) ftruncateSync(this.#file);
    writeSync(this.#file, this.#begun ? text : headerLine(this.#title) + text);
    this.#begun = true;
  }

  /** How many events were written. */
  close(): number {
    if (!this.#begun) this.#write("");
    closeSync(this.#file);
    return this.#events;
  }
}

async function replay(file: string, { port }: ReplayOptions): Promise<void> {
  const text = read(file);
  const app = Fastify({ logger: false, forceCloseConnections: true });
  app.get("/run.jsonl", (_request, reply) => reply.type("application/x-ndjson").send(text));
  await app.register(pageOf(pageFolder()));
  await app.listen({ host: "127.0.0.1", port });
  line(
    `open http://127.0.0.1:${(app.server.address() as AddressInfo).port}/machines/?replay=/run.jsonl   (Ctrl-C ends it)`,
  );
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  await app.close();
}

/** The text of the file, once it is known to be a run. */
function read(file: string): string {
  try {
    const text = readFileSync(file, "utf8");
    readTrace(text);
    return text;
  } catch (error) {
    throw new CliError(EXIT.wrongUse, `${file}: ${(error as Error).message}`);
  }
}
