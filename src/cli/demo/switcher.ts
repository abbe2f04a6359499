/**
 * The switcher of the demonstration as a process of its own: the reference switcher behind the hooks of `docs/engines.md`,
 * a lifeline included. Run: node switcher.ts PORT
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { SystemClock } from "../../adapters/basics.ts";
import type { Command } from "../../core/command.ts";
import { ReferenceEngine } from "../../reference-engine/reference-engine.ts";
import { messageOf } from "../exit.ts";

/** Half of what Changeover expects. */
const LINE_EVERY_MS = 10;

const clock = new SystemClock();
const engine = new ReferenceEngine({ clock });
const instance = randomUUID();
let position = { epoch: 0, seq: 0 };

const report = (): object => ({ status: "ok", programSource: engine.programSource(), position, instance });

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const tell = (status: number, body: unknown): void => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  const pieces: Buffer[] = [];
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
  const text = Buffer.concat(pieces).toString("utf8");
  switch (`${request.method} ${request.url}`) {
    case "GET /health":
      return tell(200, report());
    case "GET /lifeline":
      return lifeline(response);
    case "GET /snapshot":
      return tell(200, engine.snapshot());
    case "POST /restore": {
      const state = JSON.parse(text) as { epoch: number; seq: number };
      engine.restore(state);
      position = { epoch: state.epoch, seq: state.seq };
      return tell(200, {});
    }
    case "POST /execute": {
      const command = JSON.parse(text) as Command;
      const outcome = engine.execute(command);
      const { epoch, seq } = command;
      if (epoch > position.epoch || (epoch === position.epoch && seq > position.seq)) position = { epoch, seq };
      return outcome.ok ? tell(200, { programSource: engine.programSource() }) : tell(422, { error: outcome.error });
    }
    case "POST /role":
      return tell(204, "");
    default: {
      const read = engine.read(request.url ?? "/", clock.unixMs() * 1_000);
      return tell(read.status, read.body);
    }
  }
}

function lifeline(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  const writing = setInterval(() => response.write(`${JSON.stringify(report())}\n`), LINE_EVERY_MS);
  response.on("close", () => clearInterval(writing));
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    response.writeHead(400, { "content-type": "application/json" }).end(JSON.stringify({ error: messageOf(error) }));
  });
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => process.stdout.write("ready\n"));
