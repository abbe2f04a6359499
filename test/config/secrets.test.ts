/** Where secrets come from, and that none of them is ever told. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readSecrets } from "../../src/config/secrets.ts";
import type { SecretRef, TokenRef } from "../../src/config/types.ts";

const folder = mkdtempSync(join(tmpdir(), "changeover-secrets-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const OPS: TokenRef = { name: "ops", role: "operator", env: "OPS_TOKEN" };

const NOP = { sink: "nop", maxAttempts: 10, retentionMs: 0 } as const;

function read(tokens: readonly TokenRef[], controlPlaneSecret: SecretRef | null, environment: Record<string, string>) {
  return readSecrets(
    {
      auth: { tokens, controlPlaneSecret },
      engine: { kind: "reference" },
      witness: { kind: "none" },
      replication: { hub: null },
      outbox: NOP,
    },
    environment,
  );
}

describe("secrets", () => {
  test("come from the environment or from a file, without its last line break", () => {
    const file = join(folder, "peer");
    writeFileSync(file, "pssst\n");
    const secrets = read(
      [OPS, { name: "pair", role: "peer", file }],
      { env: "CP" },
      { OPS_TOKEN: "hush", CP: "quiet" },
    );
    expect(secrets).toEqual({
      tokens: [
        { name: "ops", role: "operator", value: "hush" },
        { name: "pair", role: "peer", value: "pssst" },
      ],
      controlPlaneSecret: "quiet",
      engineToken: null,
      hubToken: null,
      witnessPassword: null,
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
        replication: { hub: { url: "http://127.0.0.1:7500", token: { env: "HUB" }, intervalMs: 30_000 } },
        outbox: {
          ...{ ...NOP, sink: "nats", url: "nats://127.0.0.1", stream: "changeover" },
          ...{ password: { env: "NATS" }, credentials: { env: "CREDS" } },
        },
      },
      { NATS: "four", CREDS: "five", HOOKS: "one", REDIS: "two", HUB: "three" },
    );
    const wanted = { engineToken: "one", witnessPassword: "two", sentinelPassword: null, hubToken: "three" };
    expect(secrets).toMatchObject({ ...wanted, feedPassword: "four", feedCredentials: "five" });
  });
});

test.each<[string, () => unknown, RegExp]>([
  [
    "a token that no header can carry",
    () => read([OPS], null, { OPS_TOKEN: "two words" }),
    /^secrets: auth\.tokens\[0\]: the value of "ops" must be plain ASCII without spaces/,
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
    () => read([OPS, { ...OPS, name: "two", role: "viewer" }], null, { OPS_TOKEN: "hush" }),
    /token "two" has the value of another/,
  ],
])("the secret %s stops the start", (_what, reading, told) => {
  expect(reading).toThrow(told);
  expect(reading).not.toThrow(/hush/);
});
