/**
 * `changeover machines inspect`: offers what the statecharts do to Stately's inspector, over WebSocket on this
 * host: `createWebSocketReceiver({ server })` of `@statelyai/inspect` attaches to it.
 */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Command } from "commander";
import { WebSocket, WebSocketServer } from "ws";
import type { Json } from "../../core/canonical-json.ts";
import { STREAM_PROTOCOL, streamUrl } from "../../visualiser/stream-address.ts";
import { parseMessage } from "../../visualiser/stream-message.ts";
import { StatelyAdapter } from "../../visualiser/stately.ts";
import { CliError, EXIT } from "../exit.ts";
import { clientFor, reaching, type ReachOptions, secretFrom, wholeNumber } from "../options.ts";
import { line } from "../output.ts";

interface Options extends ReachOptions {
  readonly port: number;
}

interface Catalogue {
  readonly machines: readonly { readonly name: string; readonly definition: Json }[];
}

/** Bytes that may wait for an inspector that does not read. */
const MAX_BEHIND_BYTES = 4_194_304;

export function addInspect(command: Command): void {
  reaching(command.command("inspect"))
    .description("let Stately's inspector attach to a running pair, until Ctrl-C")
    .option("--port <port>", "where the inspector connects", wholeNumber(0, 65_535), 8_080)
    .action(inspect);
}

async function inspect(options: Options): Promise<void> {
  const client = clientFor(options);
  const { machines } = await client.get<Catalogue>("/api/machines", ["machines"]);
  const definitions = Object.fromEntries(machines.map(({ name, definition }) => [name, definition]));
  const server = new WebSocketServer({ host: "127.0.0.1", port: options.port });
  await once(server, "listening").catch((error: unknown) => {
    throw new CliError(EXIT.failed, `port ${options.port}: ${(error as Error).message}`);
  });
  server.on("connection", (inspector) => attach(inspector, client.url, options, definitions));
  line(`Stately's inspector connects to ws://127.0.0.1:${(server.address() as AddressInfo).port}   (Ctrl-C ends it)`);
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  for (const inspector of server.clients) inspector.terminate();
  server.close();
}

/** Every inspector has a line of its own to the engine, so that it hears everything from the beginning. */
function attach(
  inspector: WebSocket,
  url: string,
  options: Options,
  definitions: Readonly<Record<string, Json>>,
): void {
  const token = secretFrom(options.tokenFile, "CHANGEOVER_TOKEN");
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const stream = new WebSocket(streamUrl(url), STREAM_PROTOCOL, { headers });
  const adapter = new StatelyAdapter(definitions);
  stream.on("message", (data: Buffer) => {
    const message = parseMessage(data.toString());
    if (message === null) return stream.terminate();
    for (const event of adapter.translate(message, Date.now())) inspector.send(JSON.stringify(event));
    if (inspector.bufferedAmount > MAX_BEHIND_BYTES) inspector.terminate();
  });
  stream.on("error", () => undefined);
  stream.on("close", () => inspector.close());
  inspector.on("error", () => undefined);
  inspector.on("close", () => stream.terminate());
}
