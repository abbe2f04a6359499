/**
 * Every `changeover` command in README and docs is executed, in the order of the pages, against a pair of real engines:
 * what a reader types ends as the page says. Only the names of hosts, files and fingerprints are filled in.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { stateOf } from "../../src/cli/demo/observe.ts";
import { run } from "../../src/cli/program.ts";
import { otherLabel } from "../../src/core/ids.ts";
import { type EnginePair, startPair, untilReady } from "../cli/engine-pair.ts";

const ROOT = join(import.meta.dirname, "../..");
const SECRET = "the-control-plane-secret-1";

/** Commands that run until a person ends them, or need what this pair is not; each is executed by the test that is named. */
const ELSEWHERE: readonly (readonly [command: RegExp, test: string])[] = [
  [/^engine -c/, "test/cli/engine-pair.ts starts both engines of this pair with it"],
  [/^watch/, "test/cli/operating.pair.test.ts"],
  [/^machines (record|replay)/, "test/cli/inspect.engines.test.ts"],
  [/^engine check/, "test/cli/engine-check.test.ts"],
];

/** Commands that this pair must refuse, and how. Each is executed to its good end by the test that is named. */
const REFUSED: readonly (readonly [command: RegExp, said: RegExp, test: string])[] = [
  [/^pair adopt/, /peer_connected|stranger_not_found/, "test/integration/exchange.pair.test.ts"],
  [/^restore/, /is running; stop it, then restore/, "test/host/backup.engines.test.ts"],
  [/^witness adopt/, /nothing_to_adopt/, "test/faults/witness-strangers.server.test.ts"],
  [/^outbox resync/, /no_feed/, "test/outbox/feed-identity.test.ts"],
];

/** Commands whose end depends on what they find. */
const EITHER = /^(doctor|force-leader)/;

const secrets = mkdtempSync(join(tmpdir(), "changeover-docs-"));
const secretFile = join(secrets, "control-plane");
let pair: EnginePair;
beforeAll(async () => {
  const federation = { peers: [{ name: "west-a", endpoint: "http://127.0.0.1:9" }] };
  vi.stubEnv("CHANGEOVER_CONTROL_PLANE_SECRET", SECRET);
  writeFileSync(secretFile, SECRET, { mode: 0o600 });
  pair = await startPair({ federation, auth: { controlPlaneSecret: { file: secretFile } } });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await pair.close();
  rmSync(secrets, { recursive: true });
});

/** The command lines of a page, without comments and with continued lines joined. */
function commandLines(page: string): string[] {
  const blocks = [...page.matchAll(/^ *```(?:sh|bash)\n([\s\S]*?)^ *```/gm)].map(([, body]) => body ?? "");
  const lines = blocks.flatMap((body) => body.replaceAll(/\\\n\s*/g, " ").split("\n"));
  return lines.flatMap((line) => /^\s*(?:npx )?changeover ([^#|&]*)/.exec(line)?.[1]?.trim() ?? []);
}

const PAGES = ["README.md", ...readdirSync(join(ROOT, "docs")).map((name) => `docs/${name}`)];
const LINES = PAGES.filter((name) => name.endsWith(".md")).flatMap((name) =>
  commandLines(readFileSync(join(ROOT, name), "utf8")).map((line) => ({ name, line })),
);

/** What a reader puts in the place of the names on the page. */
async function filledIn(line: string): Promise<string[]> {
  const { urls, folder } = pair;
  const leader = (await stateOf(urls.a))?.leader ?? "a";
  const follower = otherLabel(leader);
  const hosts: Readonly<Record<string, string>> = {
    "ENGINE-A": urls.a,
    "ENGINE-B": urls.b,
    "NEW-ENGINE": urls[follower],
    LEADER: urls[leader],
    SURVIVOR: urls[leader],
    // The page copies engine b, whoever leads.
    ENGINE: line.startsWith("backup") ? urls.b : urls[leader],
  };
  const text = line
    .replace(/http:\/\/([A-Z-]+):7401/, (all, name: string) => hosts[name] ?? all)
    .replace(/config\/engine-a\.yaml|engine-a\.yaml/, pair.configFile("a"))
    .replace(/config\/engine-b\.yaml|engine-b\.yaml/, pair.configFile("b"))
    .replace("/backup/studio-1-b", join(folder, "backup-b"))
    .replace("FINGERPRINT", `sha256:${"0".repeat(32)}`);
  vi.stubEnv("CHANGEOVER_URL", urls[leader]);
  const words = text.match(/"[^"]*"|\S+/g) ?? [];
  // A reader is asked; here nobody can be.
  const asks = /^(restore|federation reset-peer)/.test(line) ? ["--yes"] : [];
  return [...words.map((word) => word.replaceAll('"', "")), ...asks];
}

async function typed(args: readonly string[]): Promise<{ code: number; said: string }> {
  let said = "";
  const take = (text: unknown): boolean => ((said += String(text)), true);
  const out = vi.spyOn(process.stdout, "write").mockImplementation(take);
  const err = vi.spyOn(process.stderr, "write").mockImplementation(take);
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    return { code: await run(["node", "changeover", ...args], "src/cli/main.ts"), said };
  } finally {
    out.mockRestore();
    err.mockRestore();
    process.exitCode = before;
  }
}

test("every command of README and docs is executed", { timeout: 240_000 }, async () => {
  process.stdout.setMaxListeners(0);
  process.stderr.setMaxListeners(0);
  let executed = 0;
  const wrong: string[] = [];
  for (const { name, line } of LINES) {
    if (ELSEWHERE.some(([command]) => command.test(line))) continue;
    if (/^(handover|backup|force-leader)/.test(line)) await untilReady(pair.urls);
    const { code, said } = await typed(await filledIn(line));
    executed += 1;
    const refusal = REFUSED.find(([command]) => command.test(line));
    const isAsSaid =
      refusal !== undefined ? code === 1 && refusal[1].test(said) : code === 0 || (code === 1 && EITHER.test(line));
    if (!isAsSaid) wrong.push(`${name}: changeover ${line}: exit ${code}, ${said}`);
  }
  expect(wrong).toEqual([]);
  expect(executed).toBeGreaterThan(25);
});
