/** An engine that cannot start says in one line what is wrong and how to mend it, and leaves nothing running. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { runCli } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "changeover-start-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(more: object, environment: Record<string, string> = {}) {
  const file = join(folder, "engine.json");
  const config = {
    pair: "studio-1",
    label: "a",
    listen: { port: await freePort() },
    dataDir: join(folder, "a"),
    peer: { links: [{ name: "red", url: "ws://127.0.0.1:9" }] },
    witness: { kind: "none" },
    ...more,
  };
  writeFileSync(file, JSON.stringify(config));
  const end = await runCli(["engine", "-c", file], environment);
  expect(end.stdout).toBe("");
  const told = end.stderr.split("\n").filter((line) => line.startsWith("changeover: "));
  expect(told).toHaveLength(1);
  expect(end.stderr).not.toMatch(/\n\s+at /);
  return { code: end.code, told: told[0] };
}

test("the port is in use", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as { port: number };
  const { code, told } = await start({ listen: { port } });
  other.close();
  expect(code).toBe(1);
  expect(told).toContain(`another process listens on 127.0.0.1:${port}`);
});

test("the data folder is a file", async () => {
  const dataDir = join(folder, "file");
  writeFileSync(dataDir, "");
  expect(await start({ dataDir })).toMatchObject({
    code: 1,
    told: expect.stringContaining(`dataDir ${dataDir} cannot be used: ENOTDIR`) as string,
  });
});

test.skipIf(process.getuid?.() === 0)("the data folder may not be written to", async () => {
  const dataDir = join(folder, "locked");
  mkdirSync(dataDir);
  chmodSync(dataDir, 0o500);
  expect(await start({ dataDir })).toMatchObject({ code: 1, told: expect.stringContaining("EACCES") as string });
});

test("the data folder is another engine's", async () => {
  const dataDir = join(folder, "others");
  mkdirSync(dataDir);
  writeFileSync(join(dataDir, "engine.json"), JSON.stringify({ pair: "studio-2", label: "b" }));
  const { code, told } = await start({ dataDir });
  expect(code).toBe(1);
  expect(told).toContain('belongs to engine b of pair "studio-2", not to engine a of pair "studio-1"');
});

test("the database is damaged", async () => {
  const dataDir = join(folder, "damaged");
  mkdirSync(dataDir);
  writeFileSync(
    join(dataDir, "changeover.db"),
    "this is no database, and long enough to be looked at as one".repeat(100),
  );
  const { code, told } = await start({ dataDir });
  expect(code).toBe(1);
  expect(told).toContain(dataDir);
});

test("a token's variable is not set", async () => {
  const auth = { tokens: [{ name: "ops", role: "operator", env: "OPS_TOKEN" }] };
  expect(await start({ auth })).toEqual({
    code: 1,
    told: 'changeover: secrets: auth.tokens[0]: set the environment variable OPS_TOKEN; or remove the token "ops"',
  });
});

test("a public address without tokens", async () => {
  const { code, told } = await start({ listen: { host: "0.0.0.0", port: await freePort() } });
  expect(code).toBe(1);
  expect(told).toContain("listen.host");
});
