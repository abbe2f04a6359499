/**
 * `npm run fuzz -- --minutes N [--seed S]`: sends nonsense to every route and the three sockets of a real pair, with each
 * role in turn. Fails when an answer is a 5xx that its route does not document, when a role that may change nothing has
 * changed something, when an engine stops to lead or to hear its peer, or when memory grows without end.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import fc from "fast-check";
import { WebSocket } from "ws";
import { resolveConfig } from "../../src/config/load.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { type Host, startHost } from "../../src/host/start-host.ts";
import { freePort } from "../support/free-port.ts";
import { waitUntil } from "../support/wait-until.ts";

const USAGE = "usage: npm run fuzz -- [--minutes 0.1 to 1440] [--seed N]";

function given(): { readonly minutes: string; readonly seed: string; readonly help: boolean } {
  try {
    return parseArgs({
      options: {
        minutes: { type: "string", default: "1" },
        seed: { type: "string", default: String(Date.now() % 1e6) },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
}

const values = given();
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0 && minutes <= 24 * 60) || !Number.isSafeInteger(seed)) {
  console.error(USAGE);
  process.exit(2);
}
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

const TOKENS = { viewer: "a-token-of-role-viewer", operator: "a-token-of-role-operator", peer: "a-token-of-role-peer" };
const ASKERS = { nobody: null, stranger: "a-token-that-nobody-has", ...TOKENS };
const SOCKETS = ["/api/peer/channel", "/api/control/channel", "/api/machines/stream"];
/** What the process may hold beyond what it held after the first round. */
const MAX_GROWTH_BYTES = 512 * 1_048_576;
const CALLS_A_ROUND = 400;
const ANSWER_WITHIN_MS = 10_000;

interface Operation {
  readonly responses: Readonly<Record<string, unknown>>;
}

const folder = mkdtempSync(join(tmpdir(), "changeover-fuzz-"));
const ports = { a: await freePort(), b: await freePort() };
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const hostOf = (label: Label): Promise<Host> =>
  startHost(
    resolveConfig({
      pair: "fuzzed",
      label,
      listen: { port: ports[label] },
      dataDir: join(folder, label),
      peer: { links: [{ name: "red", url: `ws://127.0.0.1:${ports[otherLabel(label)]}` }] },
      witness: { kind: "sqlite", file: join(folder, "witness.db") },
      auth: {
        tokens: Object.keys(TOKENS).map((role) => ({ name: role, role, env: role.toUpperCase() })),
        controlPlaneSecret: { env: "SECRET" },
      },
    }),
    {
      environment: {
        ...Object.fromEntries(Object.entries(TOKENS).map(([role, token]) => [role.toUpperCase(), token])),
        SECRET: "the-secret-of-the-control-plane",
      },
      logger: silent,
    },
  );
const hosts = await Promise.all([hostOf("a"), hostOf("b")]);

const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom(null, -1, 2 ** 53, 1e308, "", "x".repeat(5_000), [], {}, "\u0000", "__proto__"),
);
const named = fc.dictionary(
  fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom("kind", "payload", "on", "holder", "ttlMs", "mode", "ops", "value", "choice", "reason"),
  ),
  odd,
  { maxKeys: 6 },
);
const body = fc.oneof(
  named.map((value) => JSON.stringify(value)),
  fc.json(),
  fc.string({ maxLength: 300 }),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  fc.integer({ min: 1, max: 20_000 }).map((depth) => "[".repeat(depth)),
);
const call = fc.record({
  at: fc.nat(),
  host: fc.nat({ max: 1 }),
  param: fc
    .oneof(fc.string({ maxLength: 40 }), fc.constantFrom("x", "..", "%00", "a/b"))
    .map((text) => text.toWellFormed()),
  query: fc.oneof(
    fc.constant(""),
    fc.webQueryParameters(),
    fc.constantFrom("limit=-1", "after=x", "lockId=%ff", "limit[]=1"),
  ),
  body,
  type: fc.constantFrom("application/json", "application/json", "text/plain", "application/x-www-form-urlencoded"),
});
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;

const paths = await documented();
const problems: string[] = [];
const statuses = new Map<number, number>();
let calls = 0;
let frames = 0;
let firstRss = 0;
const endMs = performance.now() + minutes * 60_000;
try {
  await waitUntil(() => hosts.every(({ coordinator }) => coordinator.ready()), 60_000);
  for (let round = 0; performance.now() < endMs && problems.length === 0; round += 1) {
    for (const [asker, token] of Object.entries(ASKERS)) {
      const before = fingerprint();
      for (const one of fc.sample(call, { numRuns: CALLS_A_ROUND, seed: seed + round })) {
        if (performance.now() > endMs) break;
        await ask(one, asker, token);
      }
      await Promise.all(SOCKETS.map((path) => knock(path, token, seed + round)));
      // Nobody but an operator gives commands, holds or resolves; a peer's token writes records and takes locks.
      if (asker !== "operator" && fingerprint() !== before) {
        problems.push(`${asker} has changed the pair: ${before} → ${fingerprint()}`);
      }
    }
    await waitUntil(() => hosts.some(({ coordinator }) => coordinator.mayAct()), 30_000);
    const { rss } = process.memoryUsage();
    if (round === 0) firstRss = rss;
    if (rss > firstRss + MAX_GROWTH_BYTES) problems.push(`memory grew from ${firstRss} to ${rss} bytes`);
  }
} catch (error) {
  problems.push(String(error));
} finally {
  await Promise.all(hosts.map((host) => host.close()));
  rmSync(folder, { recursive: true, force: true });
}
const told = [...statuses].sort(([one], [other]) => one - other).map(([status, count]) => `${status}: ${count}`);
console.log(`${calls} calls, ${frames} frames, seed ${seed}; answers ${told.join(", ")}`);
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);

/** What only an operator may change. */
function fingerprint(): string {
  return JSON.stringify(
    hosts.map(({ coordinator }) => {
      const { maintenance, lastCommandSeq } = coordinator.state();
      return { maintenance, lastCommandSeq, conflicts: coordinator.conflicts(1_000).length };
    }),
  );
}

/** Every operation of the document, with the statuses that it names. */
async function documented(): Promise<(readonly [method: string, path: string, statuses: readonly string[]])[]> {
  const answer = await fetch(`${hosts[0]?.url ?? ""}/openapi.json`, {
    headers: { authorization: `Bearer ${TOKENS.viewer}` },
  });
  const document = (await answer.json()) as { paths: Record<string, Record<string, Operation>> };
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(
      ([method, { responses }]) => [method.toUpperCase(), path, Object.keys(responses)] as const,
    ),
  );
}

async function ask(
  { at, host, param, query, body: text, type }: Call,
  asker: string,
  token: string | null,
): Promise<void> {
  const [method = "GET", path = "/", known = []] = paths[at % paths.length] ?? [];
  const url = `${path.replaceAll(/\{\w+\}/g, () => encodeURIComponent(param))}${query === "" ? "" : `?${query}`}`;
  const hasBody = method !== "GET" && method !== "HEAD" && method !== "OPTIONS";
  const status = await new Promise<number>((done, fail) => {
    const headers = {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(hasBody ? { "content-type": type, "content-length": String(Buffer.byteLength(text)) } : {}),
    };
    const asked = request(
      { host: "127.0.0.1", port: ports[host === 0 ? "a" : "b"], method, path: url, headers },
      (answer) => {
        answer.resume();
        answer.on("end", () => done(answer.statusCode ?? 0));
      },
    );
    asked.setTimeout(ANSWER_WITHIN_MS, () => asked.destroy(new Error(`${asker}: ${method} ${url}: no answer`)));
    asked.on("error", fail);
    asked.end(hasBody ? text : undefined);
  });
  calls += 1;
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
  if (status < 500 || known.includes(String(status))) return;
  problems.push(
    `${asker}: ${method} ${url} with ${JSON.stringify(text.slice(0, 200))} got ${status}, which is not documented`,
  );
}

/** Opens a socket and says nonsense over it. */
async function knock(path: string, token: string | null, at: number): Promise<void> {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const protocols = path.includes("peer") ? ["changeover.v1"] : [];
  const socket = new WebSocket(`ws://127.0.0.1:${ports.a}${path}`, protocols, { headers });
  await new Promise<void>((done) => {
    socket.on("error", () => done());
    socket.on("close", () => done());
    socket.on("open", () => {
      for (const text of fc.sample(body, { numRuns: 50, seed: at })) {
        frames += 1;
        socket.send(frames % 3 === 0 ? Buffer.from(text, "latin1") : text);
      }
      socket.close();
      setTimeout(() => socket.terminate(), 1_000).unref();
    });
  });
}
