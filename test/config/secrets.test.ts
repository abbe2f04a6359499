/** Where secrets come from, and that none of them is ever told. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readSecrets } from "../../src/config/secrets.ts";
import type { SecretRef, TokenRef } from "../../src/config/types.ts";

const folder = mkdtempSync(join(tmpdir(), "changeover-secrets-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const OPS: TokenRef = { name: "ops", role: "operator", env: "OPS_TOKEN" };

const FEDERATION = { mode: "sync", intervalMs: 30_000, timeoutMs: 15_000, signatures: "off", peers: [] } as const;
const WEST = { name: "west", endpoint: "http://127.0.0.1:7600", mode: "sync" } as const;
const NOP = { sink: "nop", maxAttempts: 10, retentionMs: 0 } as const;

function read(tokens: readonly TokenRef[], controlPlaneSecret: SecretRef | null, environment: Record<string, string>) {
  return readSecrets(
    {
      auth: { tokens, controlPlaneSecret },
      engine: { kind: "reference" },
      witness: { kind: "none" },
      replication: { hub: null, maxOriginsPerToken: 8 },
      federation: FEDERATION,
      outbox: NOP,
    },
    environment,
  );
}

function writableByOthers(): string {
  const file = join(folder, "open");
  writeFileSync(file, "0123456789abcdef");
  chmodSync(file, 0o666);
  return file;
}

const JETSTREAM = {
  format: "changeover",
  sink: "nats",
  url: "nats://127.0.0.1",
  stream: "changeover",
  subject: null,
  user: null,
  tls: {},
  replicas: 1,
  storage: "file",
} as const;

describe("secrets", () => {
  test("come from the environment or from a file, without its last line break", () => {
    const file = join(folder, "peer");
    writeFileSync(file, "pssst-0123456789abcdef\n");
    const secrets = read(
      [OPS, { name: "pair", role: "peer", file }],
      { env: "CP" },
      { OPS_TOKEN: "hush-0123456789abcdef", CP: "quiet-0123456789abcdef" },
    );
    expect(secrets).toEqual({
      tokens: [
        { name: "ops", role: "operator", value: "hush-0123456789abcdef" },
        { name: "pair", role: "peer", value: "pssst-0123456789abcdef" },
      ],
      controlPlaneSecret: "quiet-0123456789abcdef",
      engineToken: null,
      hubToken: null,
      federationTokens: new Map(),
      witnessPassword: null,
      witnessCredentials: null,
      sentinelPassword: null,
      feedPassword: null,
      feedCredentials: null,
    });
  });

  test("the control plane's may be absent from the environment: then it is not configured", () => {
    expect(read([], { env: "CP" }, {}).controlPlaneSecret).toBeNull();
    expect(read([], null, {}).controlPlaneSecret).toBeNull();
  });

  test("those of the engine's hooks and of Redis too", () => {
    const secrets = readSecrets(
      {
        auth: { tokens: [], controlPlaneSecret: null },
        engine: { kind: "http", baseUrl: "http://127.0.0.1:9000", token: { env: "HOOKS" } },
        witness: { kind: "redis", url: "redis://127.0.0.1", password: { env: "REDIS" } },
        replication: {
          hub: { url: "http://127.0.0.1:7500", token: { env: "HUB" }, intervalMs: 30_000 },
          maxOriginsPerToken: 8,
        },
        federation: { ...FEDERATION, peers: [{ ...WEST, token: { env: "WEST" } }] },
        outbox: {
          ...{ ...NOP, ...JETSTREAM },
          ...{ password: { env: "NATS" }, credentials: { env: "CREDS" } },
        },
      },
      {
        NATS: "six",
        CREDS: "five",
        HOOKS: "one-0123456789abcdef",
        REDIS: "two",
        HUB: "three-0123456789abcdef",
        WEST: "four-0123456789abcdef",
      },
    );
    const wanted = {
      engineToken: "one-0123456789abcdef",
      witnessPassword: "two",
      sentinelPassword: null,
      hubToken: "three-0123456789abcdef",
    };
    expect(secrets).toMatchObject({ ...wanted, feedPassword: "six", feedCredentials: "five" });
    expect([...secrets.federationTokens]).toEqual([["west", "four-0123456789abcdef"]]);
  });
});

test.each<[string, () => unknown, RegExp]>([
  [
    "a token that no header can carry",
    () => read([OPS], null, { OPS_TOKEN: "two words" }),
    /^secrets: auth\.tokens\[0\]: the value of token "ops" must be printable ASCII without spaces/,
  ],
  ...["\uFEFF0123456789abcdef", "0123456789abcdef\n\n", "0123456789äbcdef", "0123456789abcdef\t"].map(
    (value): [string, () => unknown, RegExp] => [
      `C3: that never matches, ${JSON.stringify(value)},`,
      () => read([], { env: "CP" }, { CP: value }),
      /^secrets: auth\.controlPlaneSecret: its value must be printable ASCII without spaces/,
    ],
  ),
  [
    "C3: of 15 characters",
    () => read([OPS], null, { OPS_TOKEN: "0123456789abcde" }),
    /token "ops" has 15 characters and must have at least 16; make one with: openssl rand -hex 24/,
  ],
  [
    "C3: that is a token and the control plane's",
    () => read([OPS], { env: "CP" }, { OPS_TOKEN: "0123456789abcdef", CP: "0123456789abcdef" }),
    /auth\.controlPlaneSecret: has the value of token "ops"; must differ/,
  ],
  [
    "C3: in a file that others can write",
    () => read([], { file: writableByOthers() }, {}),
    /auth\.controlPlaneSecret: the file .*open has mode 666 and must not be writable by others: chmod go-w/,
  ],
  [
    "a token whose variable is not set",
    () => read([OPS], null, {}),
    /auth\.tokens\[0\]: set the environment variable OPS_TOKEN; or remove the token "ops"/,
  ],
  ["an empty one", () => read([OPS], null, { OPS_TOKEN: "" }), /OPS_TOKEN is empty/],
  [
    "a file that is not there",
    () => read([], { file: join(folder, "none") }, {}),
    /auth\.controlPlaneSecret: cannot read the file .*none \(ENOENT\)/,
  ],
  [
    "two tokens of one value",
    () => read([OPS, { ...OPS, name: "two", role: "viewer" }], null, { OPS_TOKEN: "hush-0123456789abcdef" }),
    /token "two" has the value of another/,
  ],
])("the secret %s stops the start", (_what, reading, told) => {
  expect(reading).toThrow(told);
  expect(reading).not.toThrow(/0123456789abcdef/);
});
