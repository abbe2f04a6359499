/**
 * T1, T3: the package as npm packs it. A strict TypeScript program that has only the package and its dependencies compiles,
 * without `skipLibCheck`, every entry point and every snippet of the README; and the package holds what it should.
 */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "changeover-consumer-"));
const home = join(folder, "node_modules", "changeover");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const COMPILER_OPTIONS = {
  strict: true,
  module: "nodenext",
  target: "es2023",
  types: ["node"],
  noEmit: true,
};

function run(command: string, args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: "utf8", cwd: resolve(".") });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

/** Installs what npm would pack, and of the dependencies only those that the package names. */
beforeAll(() => {
  expect(existsSync("dist/src/index.d.ts"), "npm run build has been run").toBe(true);
  // The scripts would build again, under the feet of other tests.
  const [packed] = JSON.parse(
    run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder]),
  ) as readonly [{ readonly filename: string }];
  mkdirSync(home, { recursive: true });
  run("tar", ["-xzf", join(folder, packed.filename), "-C", home, "--strip-components=1"]);
  const manifest = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  // A Node program has Node's own types.
  for (const name of [...Object.keys(manifest.dependencies), "@types/node"]) {
    const place = join(folder, "node_modules", name);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(resolve("node_modules", name), place);
  }
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "consumer", type: "module" }));
}, 120_000);

const SNIPPETS = [...readFileSync("README.md", "utf8").matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code ?? "");

const ENTRIES = ["", "/replication", "/outbox", "/testing", "/machines"];

const EVERYTHING = ENTRIES.map(
  (entry, at) => `import * as part${at} from "changeover${entry}";\nvoid part${at};\n`,
).join("");

/** A plug-in's author writes these. */
const PLUG_INS = `
import type { FeedSink, HostOptions, Link, LinkConnection, Witness } from "changeover";
import { MemoryWitness, startHost } from "changeover";
import { linkContract, witnessContract, type LinksUnderTest, type WitnessUnderTest } from "changeover/testing";
declare const witness: Witness, sink: FeedSink, link: Link, connection: LinkConnection;
declare const makeWitness: () => Promise<WitnessUnderTest>, makeLinks: () => Promise<LinksUnderTest>;
const options: HostOptions = { witness, sinks: [sink], links: [link] };
void [startHost, options, MemoryWitness, connection];
for (const { title, run } of [...witnessContract(makeWitness), ...linkContract(makeLinks)]) void [title, run];
`;

test("T1, T3: strict TypeScript compiles every entry point, a plug-in, and every snippet of the README", () => {
  expect(SNIPPETS.length).toBeGreaterThan(0);
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ compilerOptions: COMPILER_OPTIONS, include: ["*.ts"] }),
  );
  [EVERYTHING, PLUG_INS, ...SNIPPETS].forEach((code, at) => writeFileSync(join(folder, `part-${at}.ts`), code));
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  const { stdout } = spawnSync(process.execPath, [tsc, "-p", folder], { encoding: "utf8" });
  expect(stdout).toBe("");
}, 240_000);

test("T1: every entry point loads in a Node program, without a test runner", () => {
  const program = ENTRIES.map((entry) => `await import("changeover${entry}");`).join("");
  const file = join(folder, "load.mjs");
  writeFileSync(file, `${program} console.log("loaded");`);
  expect(run(process.execPath, [file])).toBe("loaded\n");
});

test("T3: the package holds neither the simulator nor the demonstration, and all that runs an engine", () => {
  const files = globSync("**", { cwd: home });
  expect(files.filter((file) => /simulation\/|cli\/demo\/|^(src|test|examples|machines)\//.test(file))).toEqual([]);
  expect(files).toEqual(
    expect.arrayContaining([
      "dist/src/cli/main.js",
      "dist/src/testing.d.ts",
      "dist/page/index.html",
      "config/default.yaml",
      "native/install.js",
      "native/fast-death.c",
      "docs/runbook.md",
      "docs/extending/link.md",
      "README.md",
      "LICENSE",
    ]),
  );
});

test("T3: the installed command line runs, and says where the demonstration is", () => {
  const main = join(home, "dist/src/cli/main.js");
  expect(run(process.execPath, [main, "--version"]).trim()).toMatch(/^\d+\.\d+\.\d+$/);
  const { status, stderr } = spawnSync(process.execPath, [main, "demo"], { encoding: "utf8" });
  expect([status, stderr]).toEqual([
    2,
    "changeover: the demonstration is not in the published package: clone the repository, then run npm ci && npm run demo\n",
  ]);
});
