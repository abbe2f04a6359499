/** The configuration: what a file, the environment and the defaults make together, and how each fault is told. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { format, resolveConfig as prettierOptions } from "prettier";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { loadConfig, resolveConfig } from "../../src/config/load.ts";
import { publishedSchema } from "../../src/config/schema.ts";
import { ChangeoverError } from "../../src/core/errors.ts";
import { brokenRelations } from "../../src/core/settings.ts";

const RED = { name: "red", url: "ws://127.0.0.1:7402" };
const MINIMAL = { pair: "studio-1", label: "a", peer: { links: [RED] } };

/** The page that describes the outer contract shows this file; every key of it must be taken. */
const AS_DOCUMENTED = `
pair: studio-1
label: a
listen: { host: 127.0.0.1, port: 7401 }
dataDir: ./var/a
peer: { links: [ { name: red, url: ws://127.0.0.1:7402 } ] }
witness: { kind: sqlite, file: ./var/witness.db }
failover: { policy: on-air, deathProof: refused, heartbeatMs: 200, missLimit: 3, leaseMs: 600, campaignWaitMs: 750 }
commands: { leadTimeMs: 40, ack: pair, ackTimeoutMs: 200 }
engine: { kind: reference }
clock: { source: peer }
auth: { tokens: [ { name: ops, role: operator, env: OPS_TOKEN } ], controlPlaneSecret: { env: CONTROL_PLANE_SECRET } }
outbox: { sink: nop }
federation: { mode: sync, intervalMs: 30000, peers: [] }
`;

const folder = mkdtempSync(join(tmpdir(), "changeover-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(text: string, name = "engine.yaml"): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** What the refusal says; fails the test when the configuration is taken. */
function refusal(keys: unknown, environment: Record<string, string> = {}): string {
  try {
    resolveConfig(keys, environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ChangeoverError);
    expect((error as ChangeoverError).code).toBe("invalid_configuration");
    return (error as ChangeoverError).message;
  }
  throw new Error("the configuration was taken");
}

describe("what is taken", () => {
  test("the file as it is documented", () => {
    const config = loadConfig(fileOf(AS_DOCUMENTED));
    expect(config.failover).toMatchObject({ policy: "on-air", campaignWaitMs: 750, blindPromoteMs: "never" });
    expect(config.auth.controlPlaneSecret).toEqual({ env: "CONTROL_PLANE_SECRET" });
  });

  test("EN4: scripts without a track: an optional section that needs keys stays out unless it is given", () => {
    const notify = ["/usr/local/bin/notify"];
    const engineOf = (engine: object) => resolveConfig({ ...MINIMAL, engine: { kind: "exec", ...engine } }).engine;
    expect(engineOf({ notify })).toEqual({ kind: "exec", notify });
    expect(engineOf({ track: { command: notify } })).toEqual({ kind: "exec", track: { command: notify } });
    expect(refusal({ ...MINIMAL, engine: { kind: "exec", track: {} } })).toMatch(/engine\.track\.command: missing/);
  });

  test("a sink by its name alone: for two engines on one host", () => {
    const sinks = ["nop", "file", "redis", "nats"].map(
      (sink) => resolveConfig({ ...MINIMAL, outbox: { sink } }).outbox,
    );
    expect(sinks).toMatchObject([
      { sink: "nop", maxAttempts: 10 },
      { dir: "./var/feed", format: "changeover" },
      { url: "redis://127.0.0.1:6379", stream: "changeover", format: "changeover", password: null },
      { url: "nats://127.0.0.1:4222", stream: "changeover", credentials: null },
    ]);
  });

  test("JSON too, since YAML holds it", () => {
    expect(loadConfig(fileOf(JSON.stringify(MINIMAL), "engine.json")).dataDir).toBe("./var/a");
  });

  test("default.yaml says the defaults, and nothing else", () => {
    const written = parse(readFileSync("config/default.yaml", "utf8")) as unknown;
    expect(resolveConfig(written)).toEqual(resolveConfig(MINIMAL));
    const { auth, listen, peer, replication, ...rest } = resolveConfig(MINIMAL);
    expect(written).toEqual({
      ...rest,
      listen: { host: listen.host, port: listen.port },
      peer: { links: peer.links },
      auth: { tokens: auth.tokens },
      replication: { maxOriginsPerToken: replication.maxOriginsPerToken },
    });
  });

  test.each(["a", "b"])("examples/http-engine/engine-%s.yaml", (label) => {
    const engine = { kind: "http", baseUrl: expect.stringMatching(/^http:/) as string };
    expect(loadConfig(`examples/http-engine/engine-${label}.yaml`)).toMatchObject({
      pair: "python-studio",
      label,
      engine,
    });
  });

  test.each(["a", "b"])("config/engine-%s.yaml", (label) => {
    expect(loadConfig(`config/engine-${label}.yaml`)).toMatchObject({ pair: "studio-1", label });
  });

  test("defaults follow the policy and the witness", () => {
    const with_ = (more: object) => resolveConfig({ ...MINIMAL, ...more }).failover;
    expect(with_({ failover: { policy: "consistency" } }).deathProof).toBe("none");
    expect(with_({ witness: { kind: "none" } }).blindPromoteMs).toBe(1_000);
  });

  test("it is frozen to the bottom", () => {
    const config = resolveConfig(MINIMAL);
    expect(Object.isFrozen(config.peer.links[0])).toBe(true);
  });
});

describe("the environment", () => {
  test("goes before the file, the file before the default", () => {
    const keys = { ...MINIMAL, failover: { heartbeatMs: 100, leaseMs: 500 } };
    const config = resolveConfig(keys, { CHANGEOVER_FAILOVER_HEARTBEAT_MS: "160", CHANGEOVER_LISTEN_PORT: "7500" });
    expect(config.failover).toMatchObject({ heartbeatMs: 160, leaseMs: 500, missLimit: 3 });
    expect(config.listen.port).toBe(7_500);
  });

  test("alone is enough", () => {
    const config = loadConfig(null, {
      CHANGEOVER_PAIR: "studio-2",
      CHANGEOVER_LABEL: "b",
      CHANGEOVER_PEER_LINKS: JSON.stringify(MINIMAL.peer.links),
      CHANGEOVER_AUTH_CONTROL_PLANE_SECRET_ENV: "SECRET",
    });
    expect(config).toMatchObject({ pair: "studio-2", label: "b", auth: { controlPlaneSecret: { env: "SECRET" } } });
  });

  test("another kind drops what the file said for its own kind", () => {
    const keys = { ...MINIMAL, witness: { kind: "sqlite", file: "./w.db" } };
    const environment = { CHANGEOVER_WITNESS_URL: "redis://10.0.0.1:6379", CHANGEOVER_WITNESS_KIND: "redis" };
    expect(resolveConfig(keys, environment).witness).toEqual({ kind: "redis", url: "redis://10.0.0.1:6379" });
  });

  test("a number or a word where the key takes both", () => {
    const taken = (text: string) => resolveConfig(MINIMAL, { CHANGEOVER_FAILOVER_BLIND_PROMOTE_MS: text }).failover;
    expect(taken("2000").blindPromoteMs).toBe(2_000);
    expect(taken("never").blindPromoteMs).toBe("never");
  });

  test("an unknown variable is refused, one that a secret is read from is not", () => {
    expect(refusal(MINIMAL, { CHANGEOVER_FAILOVER_LEASE: "1" })).toContain("CHANGEOVER_FAILOVER_LEASE: unknown");
    const auth = { tokens: [{ name: "ops", role: "operator", env: "CHANGEOVER_OPS" }] };
    expect(
      resolveConfig({ ...MINIMAL, auth }, { CHANGEOVER_OPS: "x", CHANGEOVER_TOKEN: "y" }).auth.tokens,
    ).toHaveLength(1);
  });

  test("a near miss of a variable, and the variable that a bad value came from, are named", () => {
    expect(refusal(MINIMAL, { CHANGEOVER_FAILOVER_LEASE: "1" })).toContain(
      "did you mean CHANGEOVER_FAILOVER_LEASE_MS?",
    );
    expect(refusal(MINIMAL, { CHANGEOVER_COLOUR: "1" })).toContain("unset it or correct its name");
    expect(refusal(MINIMAL, { CHANGEOVER_LISTEN_PORT: "" })).toMatch(
      /listen\.port is "": must be .* \(set by CHANGEOVER_LISTEN_PORT\)$/,
    );
    const links = '[{"name": "red", "url": "x"}]';
    expect(refusal(MINIMAL, { CHANGEOVER_PEER_LINKS: links })).toMatch(
      /links\[0\]\.url .* \(set by CHANGEOVER_PEER_LINKS\)$/,
    );
    expect(refusal(MINIMAL, { CHANGEOVER_FAILOVER: '{"leaseMs":9007199254740993}' })).toContain(
      "CHANGEOVER_FAILOVER/leaseMs: 9007199254740993 cannot be held exactly",
    );
  });

  test("what is no JSON is refused without being shown", () => {
    expect(refusal(MINIMAL, { CHANGEOVER_AUTH_TOKENS: "hush" })).toMatch(/CHANGEOVER_AUTH_TOKENS: must be JSON text/);
    expect(refusal(MINIMAL, { CHANGEOVER_AUTH_TOKENS: "hush" })).not.toContain("hush");
    const twice = '{"kind":"none","kind":"sqlite"}';
    expect(refusal(MINIMAL, { CHANGEOVER_WITNESS: twice })).toMatch(
      /CHANGEOVER_WITNESS: must be JSON text, no key twice/,
    );
  });
});

const OUT_OF_BOUNDS: [string, unknown, RegExp][] = [
  ["an unknown key", { ...MINIMAL, colour: "red" }, /colour: unknown key; known here: pair, label/],
  ["an unknown key inside", { ...MINIMAL, listen: { hots: "x" } }, /listen\.hots: unknown key; did you mean host\?$/],
  ["a missing key", { label: "a", peer: MINIMAL.peer }, /pair: missing; must be text/],
  ["no links", { pair: "p", label: "a" }, /peer\.links: missing; must be a list of 1 to 8 entries/],
  [
    "a value out of bounds",
    { ...MINIMAL, listen: { port: 70_000 } },
    /listen\.port is 70000: must be a whole number from 0 to 65535/,
  ],
  ["text for a number", { ...MINIMAL, listen: { port: "7401" } }, /listen\.port is "7401": must be a whole number/],
  ["a wrong word", { ...MINIMAL, label: "c" }, /label is "c": must be one of a, b/],
  [
    "an unknown kind",
    { ...MINIMAL, witness: { kind: "etcd" } },
    /witness\.kind is "etcd": must be one of sqlite, redis, nats, none/,
  ],
  [
    "a key of another kind",
    { ...MINIMAL, witness: { kind: "none", file: "x" } },
    /witness\.file: unknown key with kind none; it belongs to kind sqlite$/,
  ],
  [
    "a near miss, as others write keys",
    { ...MINIMAL, data_dir: "x" },
    /data_dir: unknown key; did you mean dataDir\?$/,
  ],
  [
    "a near miss in a list",
    { ...MINIMAL, auth: { tokens: [{ name: "x", rol: "viewer", env: "A" }] } },
    /auth\.tokens\[0\]\.rol: unknown key; did you mean role\?/,
  ],
  [
    "a near miss of a key that only another way to name a secret has",
    { ...MINIMAL, auth: { controlPlaneSecret: { fille: "A" } } },
    /auth\.controlPlaneSecret\.fille: unknown key; did you mean file\?/,
  ],
  [
    "both ways to name a secret",
    { ...MINIMAL, auth: { controlPlaneSecret: { env: "A", file: "B" } } },
    /auth\.controlPlaneSecret\.file: unknown key beside env; give one of the two$/,
  ],
  [
    "a key cut short",
    { ...MINIMAL, failover: { lease: 600 } },
    /failover\.lease: unknown key; did you mean leaseMs\?$/,
  ],
  ["a key with a line break", { ...MINIMAL, "a\nb": 1 }, /"a\\nb": unknown key; known here/],
  ["a merge key", { ...MINIMAL, listen: { "<<": {} } }, /listen\.<<: unknown key: YAML merge keys are not read/],
  [
    "a near miss of a kind",
    { ...MINIMAL, witness: { kind: "rediss", url: "redis://x" } },
    /witness\.kind is "rediss": must be one of sqlite, redis, nats, none; did you mean redis\?$/,
  ],
  ["no kind", { ...MINIMAL, witness: { url: "redis://x" } }, /witness\.kind: missing; must be one of sqlite, redis/],
  [
    "a near miss of a word",
    { ...MINIMAL, failover: { policy: "onair" } },
    /failover\.policy is "onair": must be one of on-air, consistency; did you mean on-air\?$/,
  ],
  [
    "a near miss of the word beside a number",
    { ...MINIMAL, failover: { blindPromoteMs: "nevr" } },
    /blindPromoteMs is "nevr": must be a whole number .* or never; did you mean never\?$/,
  ],
  ["a number for text", { ...MINIMAL, pair: 12 }, /pair is 12: must be text .*; put it in quotes$/],
  ["a number in quotes", { ...MINIMAL, listen: { port: "7401" } }, /to 65535; write it without quotes$/],
  [
    "NUL in a path",
    { ...MINIMAL, dataDir: "a\0b" },
    /dataDir is "a\\u0000b": must be text .* without control characters$/,
  ],
  [
    "NUL in an argument",
    { ...MINIMAL, engine: { kind: "exec", notify: ["/bin/sh", "a\0"] } },
    /engine\.notify\[1\] is "a\\u0000": must be text/,
  ],
  ...["a b", "127.0.0.1:7401", "http://x", "300.1.1.1", "[::1]", "*"].map((host): [string, unknown, RegExp] => [
    `the host ${host}`,
    { ...MINIMAL, listen: { host } },
    /listen\.host is .*: must be a name or an IP address such as "127\.0\.0\.1", without a port and without brackets$/,
  ]),
  [
    "a link that is no WebSocket",
    { ...MINIMAL, peer: { links: [{ name: "red", url: "http://x" }] } },
    /peer\.links\[0\]\.url is "http:\/\/x": must be an address such as "ws:/,
  ],
  ...["ws://127.0.0.1:99999", "ws://127.0.0.1:0", "ws://127.0.0.1:x", "ws://[::1", "ws://:7402"].map(
    (url): [string, unknown, RegExp] => [
      `C1: the address ${url}`,
      { ...MINIMAL, peer: { links: [{ name: "red", url }] } },
      /peer\.links\[0\]\.url is "ws:.*: must be an address such as "ws:\/\/127\.0\.0\.1:7402", with a port from 1 to 65535/,
    ],
  ),
  [
    "C1: a Sentinel beyond the last port",
    { ...MINIMAL, witness: { kind: "redis", url: "redis+sentinel://one:26379,two:99999/main" } },
    /witness\.url is "redis\+sentinel:.*two:99999.*: must be an address .* with a port from 1 to 65535/,
  ],
  [
    "a name with a space",
    { ...MINIMAL, pair: "a b" },
    /pair is "a b": must be text that matches \^\[A-Za-z0-9\].*\$, such as "studio-1"/,
  ],
  ["an empty text", { ...MINIMAL, dataDir: "" }, /dataDir is "": must be text of 1 to 1024 characters such as/],
  [
    "C1: an engine's hooks beyond the last port",
    { ...MINIMAL, engine: { kind: "http", baseUrl: "http://127.0.0.1:65536" } },
    /engine\.baseUrl is "http:.*: must be an address .* with a port from 1 to 65535/,
  ],
  [
    "C4: a public address without a peer token",
    { ...MINIMAL, listen: { host: "0.0.0.0" }, auth: { tokens: [{ name: "ops", role: "operator", env: "OPS" }] } },
    /listen\.host is "0\.0\.0\.0": .* needs one of role peer in auth\.tokens; or listen on 127\.0\.0\.1/,
  ],
  [
    "C4: a public address without an operator token",
    { ...MINIMAL, listen: { host: "::" }, auth: { tokens: [{ name: "pair", role: "peer", env: "PEER" }] } },
    /listen\.host is "::": .* needs one of role operator in auth\.tokens/,
  ],
  ["a secret as such", { ...MINIMAL, auth: { controlPlaneSecret: "hush" } }, /auth\.controlPlaneSecret/],
  ["a section that is none", { ...MINIMAL, failover: 5 }, /failover is 5: must be a section with policy/],
  ["no map at all", [], /configuration: must be a map of keys/],
];

const BROKEN_RELATIONS: [string, object, RegExp][] = [
  [
    "[VT6] a campaign wait within the lease",
    { failover: { campaignWaitMs: 600 } },
    /failover\.campaignWaitMs is 600: must be > 662/,
  ],
  ["[VT6] silence later than the lease", { failover: { missLimit: 4 } }, /failover\.leaseMs is 600: must be >= 800/],
  [
    "[VT6] a witness slower than a heartbeat",
    { failover: { witnessTimeoutMs: 200 } },
    /failover\.witnessTimeoutMs is 200: must be < 200/,
  ],
  [
    "[HO9] a switch-back to nobody",
    { failover: { switchBack: "when-ready" } },
    /failover\.switchBack is "when-ready": needs failover\.preferred: a or b/,
  ],
  ["a public address without tokens", { listen: { host: "0.0.0.0" } }, /listen\.host is "0\.0\.0\.0": .*auth\.tokens/],
  [
    "a private authority without TLS",
    { witness: { kind: "redis", url: "redis://x", tls: { caFile: "/ca.pem" } } },
    /witness\.tls\.caFile is "\/ca\.pem": needs a witness\.url that begins with rediss/,
  ],
  [
    "a certificate of the witness without its key",
    { witness: { kind: "nats", url: "tls://x", tls: { certFile: "/c.pem" } } },
    /witness\.tls\.certFile is "\/c\.pem": must be given together with witness\.tls\.keyFile/,
  ],
  [
    "a user of the witness without a password",
    { witness: { kind: "nats", url: "nats://x", user: "eng" } },
    /witness\.user is "eng": needs witness\.password/,
  ],
  [
    "a password of Sentinels without Sentinels",
    { witness: { kind: "redis", url: "redis://x", sentinelPassword: { env: "S" } } },
    /witness\.sentinelPassword: needs a witness\.url that begins with redis\+sentinel/,
  ],
  [
    "the address of Redis for NATS",
    { witness: { kind: "nats", url: "redis://x" } },
    /witness\.url is "redis:\/\/x": must be an address such as "nats:/,
  ],
  [
    "one address for two links",
    { peer: { links: [RED, { name: "blue", url: "ws://127.0.0.1:7402/" }] } },
    /peer\.links\[1\]\.url is "ws:.*7402\/": stands twice: link "red" leads there too; name the address on another/,
  ],
  [
    "a password in the address of a link",
    { peer: { links: [{ name: "red", url: "ws://ops:hush-hush@10.0.0.2:7401" }] } },
    /links\[0\]\.url is "ws:\/\/\*\*\*@10\.0\.0\.2:7401": must have no user or password .* role peer in auth\.tokens/,
  ],
  [
    "a token in the place of the user",
    { peer: { links: [{ name: "red", url: "wss://hush-hush@10.0.0.2:7401" }] } },
    /peer\.links\[0\]\.url is "wss:\/\/\*\*\*@10\.0\.0\.2:7401": must have no user or password/,
  ],
  [
    "a query in the address of a link",
    { peer: { links: [{ name: "red", url: "ws://10.0.0.2:7401/?x=1" }] } },
    /peer\.links\[0\]\.url .*: must have no query and no fragment/,
  ],
  [
    "a password in the address that clients are told",
    { peer: { links: [RED], url: "http://ops:hush-hush@10.0.0.2" } },
    /peer\.url is "http:\/\/\*\*\*@10\.0\.0\.2": must have no user or password in it; clients are told it/,
  ],
  [
    "an authority of the peer without TLS",
    { peer: { links: [RED], ca: "/ca.pem" } },
    /peer\.ca is "\/ca\.pem": needs a link/,
  ],
  [
    "a password in the address of an engine",
    { engine: { kind: "http", baseUrl: "http://ops:hush-hush@127.0.0.1:9000" } },
    /engine\.baseUrl is "http:\/\/\*\*\*@127\.0\.0\.1:9000": must have no user .* engine\.token: \{env\}/,
  ],
  [
    "a password in the address of a router",
    { changeover: [{ name: "r", kind: "http", url: "http://ops:hush-hush@10.0.0.9/route" }] },
    /changeover\[0\]\.url is "http:\/\/\*\*\*@10\.0\.0\.9\/route": must have no user .* kind exec/,
  ],
  [
    "an origin that no browser sends: the port of its scheme",
    { http: { cors: { origins: ["https://panel.example", "https://panel.example:443"] } } },
    /http\.cors\.origins\[1\] is "https:\/\/panel\.example:443": must be as browsers send it: https:\/\/panel\.example$/,
  ],
  [
    "an origin with a port that there is not",
    { http: { cors: { origins: ["https://panel.example:70000"] } } },
    /http\.cors\.origins\[0\] .* must be as browsers send it: https:\/\/panel\.example:8443/,
  ],
  [
    "an origin with half an address",
    { http: { cors: { origins: ["http://127.1:8080"] } } },
    /http\.cors\.origins\[0\] .* must be as browsers send it: http:\/\/127\.0\.0\.1:8080/,
  ],
  [
    "an engine of scripts without any",
    { engine: { kind: "exec", notifyBudgetMs: 100 } },
    /engine\.kind is "exec": needs at least one script: name one in notify, .*, or give another kind$/,
  ],
  [
    "a feed in files of two hosts that names no folder",
    { outbox: { sink: "file" }, peer: { links: [{ name: "red", url: "ws://10.0.0.2:7401" }] } },
    /outbox\.dir: missing; must be a folder that both engines reach/,
  ],
  ["its own address as the peer's", { listen: { port: 7_402 } }, /peer\.links\[0\]\.url .* own address/],
  [
    "a key of another sink",
    { outbox: { sink: "file", dir: "feed", stream: "x" } },
    /outbox\.stream: has no place with sink file/,
  ],
  ["a format without a sink", { outbox: { format: "flat" } }, /outbox\.format: has no place with sink nop/],
  ["a format that is not known", { outbox: { sink: "file", format: "Flat" } }, /outbox\.format is "Flat".*flat/],
  ["an address without a sink", { outbox: { url: "nats://x" } }, /outbox\.url: has no place with sink nop/],
  [
    "an address of another kind",
    { outbox: { sink: "nats", url: "redis://x" } },
    /outbox\.url is "redis:\/\/x": must be an address of NATS/,
  ],
  [
    "a stream that NATS does not name",
    { outbox: { sink: "nats", url: "nats://x", stream: "a.b" } },
    /outbox\.stream is "a\.b": must have no dot/,
  ],
];

let count = 0;

describe("what is refused, with the key, the value and the bound", () => {
  test.each(OUT_OF_BOUNDS)("%s", (_what, keys, told) => {
    expect(refusal(keys)).toMatch(told);
  });

  test.each(BROKEN_RELATIONS)("%s", (_what, more, told) => {
    const refused = refusal({ ...MINIMAL, ...more });
    expect(refused).toMatch(told);
    expect(refused).not.toContain("hush");
  });

  test("the password in a URL is not shown", () => {
    const witness = { kind: "redis", url: "etcd://:hush@10.0.0.1" };
    expect(refusal({ ...MINIMAL, witness })).toContain('witness.url is "etcd://:***@10.0.0.1"');
    expect(refusal({ ...MINIMAL, peer: { links: [{ name: "red", url: "http://ops:hush@x" }] } })).toContain(
      "ops:***@x",
    );
  });

  test("every fault at once", () => {
    expect(refusal({ ...MINIMAL, label: "c", listen: { port: -1 } }).split("; ")).toHaveLength(2);
  });

  test.each<[string, string, RegExp]>([
    ["YAML that cannot be read", "pair: [", /line is \d/],
    [
      "a key that stands twice",
      "pair: a\npair: b\n",
      /broken\.yaml: pair: stands twice, on lines 1 and 2; keep one of them$/,
    ],
    ["one written in two ways", 'pair: a\n"pair": b\n', /pair: stands twice, on lines 1 and 2/],
    [
      "one in a section, and another",
      "listen: { port: 1,\n port: 2 }\npair: a\nlisten: {}\n",
      /: listen: .* 1 and 4; .*; listen\.port: .* 1 and 2/,
    ],
    [
      "one in a list",
      "peer:\n links:\n  - { name: a }\n  - name: b\n    name: c\n",
      /peer\.links\[1\]\.name: .* 4 and 5/,
    ],
    ["one in JSON", '{"label": "a",\n"label": "b"}', /label: stands twice, on lines 1 and 2/],
    ["a list instead of keys", "- pair", /must hold a map of keys/],
    ["an empty file", "", /broken\.yaml: file: is empty; write at least the key label, a or b$/],
    ["comments alone", "# label: a\n", /is empty; write at least/],
    ["two documents", "label: a\n---\nlabel: b\n", /line is 2: a second document begins here; keep one of them/],
  ])("%s", (_what, text, told) => {
    expect(() => loadConfig(fileOf(text, "broken.yaml"))).toThrow(told);
  });

  test("a number that is none, and aliases that unfold without end", () => {
    const refused = (text: string): string => {
      try {
        loadConfig(fileOf(text, "odd.yaml"));
        return "";
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(refused(`${JSON.stringify(MINIMAL).slice(0, -1)}, "failover": { "leaseMs": .nan }}`)).toContain(
      "failover.leaseMs is .nan: must be",
    );
    const lists = ["a: &a [x,x,x,x,x,x,x,x,x]"];
    for (const [from, to] of ["ab", "bc", "cd", "de"]) lists.push(`${to}: &${to} [${`*${from},`.repeat(9)}]`);
    expect(refused(lists.join("\n"))).toMatch(/odd\.yaml: aliases: /);
  });

  test.each([
    ["9007199254740993", "9007199254740993"],
    ["1e400", "1e400"],
    ["-.inf", "-.inf"],
    ["0x1FFFF", "0x1FFFF"],
    ["[9007199254740993, 1]", "[9007199254740993, 1]"],
    ["{a: 1}", '{"a":1}'],
    ["-5", "-5"],
  ])("a number is shown as it was written: %s", (written, shown) => {
    const file = fileOf(`${JSON.stringify(MINIMAL).slice(0, -1)}, "listen": { "port": ${written} }}`, "number.yaml");
    expect(() => loadConfig(file)).toThrow(`listen.port is ${shown}: must be a whole number`);
    // The file's number is not what is wrong then.
    expect(() => loadConfig(file, { CHANGEOVER_LISTEN_PORT: "70000" })).toThrow("listen.port is 70000: must");
  });

  test.each<[string, string | Buffer, RegExp]>([
    ["bytes that are no UTF-8", Buffer.from("pair: caf\xe9", "latin1"), /must hold a map of keys in UTF-8/],
    ["UTF-16", Buffer.from("\ufeffpair: a", "utf16le"), /must hold a map of keys in UTF-8/],
    ["a value that is no plain data", "listen: !!omap [port: 1]", /line is 1: Unresolved tag: .*; tags are not read/],
    ["a tag of another program", "listen: !vault x", /Unresolved tag: !vault; tags are not read/],
    ["an alias of what it stands in", "listen: &a { port: *a }", /listen\.port: \*a refers to itself/],
    ["nesting without end", `log: ${"[".repeat(5_000)}${"]".repeat(5_000)}`, /nested too deeply/],
    [
      "more faults than anyone reads",
      `{${"x,".repeat(50)}}`.replace(/x/g, () => `k${(count += 1)}`),
      /; and 3[23] more$/,
    ],
    ["tabs", "peer:\n\tlinks: []", /line is 2: Tabs are not allowed/],
    ["more than a configuration", "#".repeat(1_048_577), /size is 1048577: must be at most 1048576 bytes/],
  ])("%s", (_what, text, told) => {
    const file = join(folder, "odd-bytes.yaml");
    writeFileSync(file, text);
    expect(() => loadConfig(file)).toThrow(told);
  });

  test("a byte-order mark and Windows line ends are taken", () => {
    const text = `\ufeffpair: studio-1\r\nlabel: a\r\npeer:\r\n  links: [{ name: red, url: "ws://127.0.0.1:7402" }]\r\n`;
    expect(loadConfig(fileOf(text)).pair).toBe("studio-1");
  });

  test.runIf(existsSync("/dev/zero"))("a file without end", () => {
    expect(() => loadConfig("/dev/zero")).toThrow("/dev/zero: file: has more than 1048576 bytes");
  });

  test("a folder in its place", () => {
    expect(() => loadConfig(folder)).toThrow(/: file: is a folder; name the file in it$/);
  });

  test("a file that is not there", () => {
    expect(() => loadConfig(join(folder, "none.yaml"))).toThrow(/cannot be read \(ENOENT\)/);
  });
});

test("the relations are those of the core", () => {
  expect(brokenRelations(resolveConfig(MINIMAL).failover)).toEqual([]);
});

test("config/schema.json is up to date (vitest -u writes it)", async () => {
  const options = await prettierOptions("config/schema.json");
  const text = await format(JSON.stringify(publishedSchema()), { ...options, parser: "json" });
  await expect(text).toMatchFileSnapshot("../../config/schema.json");
});
