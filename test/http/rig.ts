/** What the tests of the HTTP surface share: an app in front of a scripted coordinator. */
import * as sample from "../support/samples.ts";
import type { InjectOptions, LightMyRequestResponse } from "fastify";
import { NanoIds, SystemClock } from "../../src/adapters/basics.ts";
import type { TokenRole } from "../../src/config/types.ts";
import { buildApp } from "../../src/http/app.ts";
import type { App, HttpComponents, HttpInit } from "../../src/http/components.ts";
import type { PeerRefusal } from "../../src/ports/peer-channel.ts";
import type { LogFields, Logger } from "../../src/ports/basics.ts";
import { ScriptedCoordinator } from "../support/scripted-coordinator.ts";

export const SECRET = "correct-horse-battery-staple";
const tokenOf = (role: TokenRole): string => `token-of-${role}`;
const ROLES = ["viewer", "operator", "peer", "spoke"] as const satisfies readonly TokenRole[];

export const SECRETS: HttpInit["secrets"] = {
  tokens: ROLES.map((role) => ({ name: `the-${role}`, role, value: tokenOf(role) })),
  controlPlaneSecret: SECRET,
};

export const OPEN: HttpInit["secrets"] = { tokens: [], controlPlaneSecret: null };

export const bearer = (role: TokenRole): { authorization: string } => ({ authorization: `Bearer ${tokenOf(role)}` });

/** Keeps the lines instead of writing them. */
export class KeptLog implements Logger {
  readonly lines: { readonly level: string; readonly fields: LogFields; readonly message: string }[] = [];
  debug = (fields: LogFields, message: string): void => void this.lines.push({ level: "debug", fields, message });
  info = (fields: LogFields, message: string): void => void this.lines.push({ level: "info", fields, message });
  warn = (fields: LogFields, message: string): void => void this.lines.push({ level: "warn", fields, message });
  error = (fields: LogFields, message: string): void => void this.lines.push({ level: "error", fields, message });
}

export interface Rig {
  readonly app: App;
  readonly coordinator: ScriptedCoordinator;
  readonly log: KeptLog;
  readonly refusedPeers: (readonly [PeerRefusal, string])[];
  readonly acceptedPeers: string[];
  /** What peers sent, and each turn of the loop after a frame. */
  readonly peerFrames: string[];
  /** A call with the token of `role`; without any when it is null. */
  call(role: TokenRole | null, options: InjectOptions): Promise<LightMyRequestResponse>;
  post(url: string, payload?: unknown): Promise<LightMyRequestResponse>;
  get(url: string): Promise<LightMyRequestResponse>;
}

/** Builds an app; the caller closes it. `get` and `post` come from the role that may. */
export async function buildRig(
  changes: Partial<HttpComponents> & Partial<Pick<HttpInit, "secrets" | "corsOrigins">> = {},
): Promise<Rig> {
  const { secrets = SECRETS, corsOrigins = [], ...components } = changes;
  const coordinator = new ScriptedCoordinator();
  const log = new KeptLog();
  const refusedPeers: (readonly [PeerRefusal, string])[] = [];
  const acceptedPeers: string[] = [];
  const peerFrames: string[] = [];
  const app = await buildApp(
    {
      coordinator,
      clock: new SystemClock(),
      ids: new NanoIds(),
      logger: log,
      peerSockets: {
        accept: (socket, remote) => {
          acceptedPeers.push(remote);
          socket.on("message", (data: Buffer) => {
            peerFrames.push(data.toString());
            setImmediate(() => peerFrames.push("turn"));
          });
        },
        refuse: (reason, detail) => void refusedPeers.push([reason, detail]),
      },
      machineViewers: { open: (socket) => socket.send("{}"), close: () => undefined },
      pageFolder: null,
      machines: [{ name: "leadership", definition: { initial: "follower" } }],
      ...components,
    },
    {
      label: "a",
      version: "0.1.0",
      secrets,
      corsOrigins,
      backup: async () => sample.backup,
      reload: () => ({ changed: ["auth.tokens"], needsRestart: [] }),
    },
  );
  const call: Rig["call"] = (role, options) =>
    app.inject({ ...options, headers: { ...(role === null ? {} : bearer(role)), ...options.headers } });
  const roleFor = (url: string, usual: TokenRole): TokenRole => (/^\/(api\/)?sync\//.test(url) ? "peer" : usual);
  return {
    app,
    coordinator,
    log,
    refusedPeers,
    acceptedPeers,
    peerFrames,
    call,
    post: (url, payload) =>
      call(roleFor(url, "operator"), {
        method: "POST",
        url,
        ...(payload === undefined ? {} : { payload: payload as object }),
      }),
    get: (url) => call(roleFor(url, "viewer"), { method: "GET", url }),
  };
}

/** Checks that an answer is a whole problem document of this status and code, and gives it. */
export function problemIn(answer: LightMyRequestResponse, status: number, code: string): Record<string, unknown> {
  const document = answer.json<Record<string, unknown>>();
  const seen = {
    status: answer.statusCode,
    type: answer.headers["content-type"],
    said: document["status"],
    code: document["code"],
  };
  const wanted = { status, type: "application/problem+json", said: status, code };
  if (JSON.stringify(seen) !== JSON.stringify(wanted)) {
    throw new Error(`expected ${JSON.stringify(wanted)}, got ${JSON.stringify(seen)}: ${answer.body}`);
  }
  for (const field of ["type", "title", "detail"]) {
    if (typeof document[field] !== "string" || document[field] === "") throw new Error(`no ${field}: ${answer.body}`);
  }
  if (document["error"] !== document["detail"]) throw new Error(`error does not repeat detail: ${answer.body}`);
  if (answer.headers["x-request-id"] === undefined) throw new Error("no x-request-id");
  return document;
}
