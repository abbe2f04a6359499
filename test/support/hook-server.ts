/**
 * A small engine behind HTTP hooks, for tests: it keeps the identity and the source of each command, and has faults.
 * Keeps true: everything it was asked is on record, so that a test can see what went over the wire.
 */
import { type IncomingHttpHeaders, type ServerResponse, createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Json } from "../../src/core/canonical-json.ts";

type Body = Record<string, Json>;

/** One request as it arrived. */
export interface Asked {
  call: string;
  headers: IncomingHttpHeaders;
  body: Json;
}

/**
 * What a hook does instead of answering: `lost` does the work and breaks the connection, `silent` never answers, `cut` breaks
 * the connection and does nothing; `text` is answered as it stands.
 */
export type Fault = "lost" | "silent" | "cut" | number | { readonly text: string };

export interface HookServer {
  baseUrl: string;
  asked: Asked[];
  /** Taken by the next requests of that call, one each. */
  faults: Map<string, Fault[]>;
  /** What `GET /health` says. */
  health: Body;
  close(): Promise<void>;
}

/** Starts one on a free port of loopback. */
export async function startHookServer(): Promise<HookServer> {
  const asked: Asked[] = [];
  const faults = new Map<string, Fault[]>();
  const hooks = makeHooks();
  const server = createServer((request, response) => {
    void (async () => {
      let text = "";
      for await (const chunk of request) text += String(chunk);
      const call = `${request.method} ${request.url}`;
      const body = text === "" ? null : (JSON.parse(text) as Json);
      asked.push({ call, headers: request.headers, body });
      const fault = faults.get(call)?.shift();
      if (fault === "silent") return;
      if (fault === "cut") return void response.destroy();
      if (typeof fault === "object") return void response.writeHead(200).end(fault.text);
      if (typeof fault === "number") return answer(response, fault, { error: `asked to answer ${fault}` });
      const [status, result] = call === "GET /health" ? [200, handle.health] : hooks(call, body as Body);
      if (fault === "lost") response.destroy();
      else answer(response, status, result);
    })();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const handle: HookServer = {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    faults,
    health: { status: "ok", programSource: "cam1" },
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return handle;
}

function answer(response: ServerResponse, status: number, body: Json): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** The engine itself: its state is the list of sources that were cut to, and the last identity with its error. */
function makeHooks(): (call: string, body: Body) => [number, Json] {
  let state: { cuts: Json[]; epoch: number; seq: number; error: string | null } = {
    cuts: [],
    epoch: 0,
    seq: 0,
    error: null,
  };
  return (call, body) => {
    switch (call) {
      case "POST /execute": {
        const epoch = Number(body["epoch"]);
        const seq = Number(body["seq"]);
        if (epoch > state.epoch || seq > state.seq) {
          const source = (body["payload"] as Body | null)?.["source"];
          const error = typeof source === "string" ? null : "payload.source: must be a string";
          state = { cuts: error === null ? [...state.cuts, source ?? null] : state.cuts, epoch, seq, error };
        }
        return [state.error === null ? 200 : 422, { error: state.error, programSource: state.cuts.at(-1) ?? "cam1" }];
      }
      case "GET /snapshot":
        return [200, state];
      case "POST /restore":
        if (!Array.isArray(body["cuts"])) return [400, { error: "cuts: must be an array" }];
        state = body as unknown as typeof state;
        return [200, {}];
      case "POST /role":
        return [204, null];
      default:
        return [404, { error: "unknown" }];
    }
  };
}
