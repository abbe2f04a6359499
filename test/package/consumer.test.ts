/** T1, T3: a strict TypeScript program that has only the published package compiles, the README's snippets included. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "changeover-consumer-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const COMPILER_OPTIONS = {
  strict: true,
  module: "nodenext",
  target: "es2023",
  types: ["node"],
  noEmit: true,
};

/** Copies the package as npm would install it: its own files, and of the dependencies only those that it names. */
function install(): void {
  const manifest = JSON.parse(readFileSync("package.json", "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const home = join(folder, "node_modules", "changeover");
  cpSync("dist", join(home, "dist"), { recursive: true, filter: (path) => !/\.(js|map|svg|css)$/.test(path) });
  cpSync("package.json", join(home, "package.json"));
  // A Node program has Node's own types.
  for (const name of [...Object.keys(manifest.dependencies), "@types/node"]) {
    const place = join(folder, "node_modules", name);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(resolve("node_modules", name), place);
  }
}

const SNIPPETS = [...readFileSync("README.md", "utf8").matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code ?? "");

const EVERYTHING = ["", "/replication", "/outbox", "/machines"]
  .map((entry, at) => `import * as part${at} from "changeover${entry}";\nvoid part${at};\n`)
  .join("");

test("T1, T3: strict TypeScript compiles every entry point and every snippet of the README", () => {
  expect(existsSync("dist/src/index.d.ts"), "npm run build has been run").toBe(true);
  expect(SNIPPETS.length).toBeGreaterThan(0);
  install();
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "consumer", type: "module" }));
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ compilerOptions: COMPILER_OPTIONS, include: ["*.ts"] }),
  );
  [EVERYTHING, ...SNIPPETS].forEach((code, at) => writeFileSync(join(folder, `part-${at}.ts`), code));
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  const { stdout } = spawnSync(process.execPath, [tsc, "-p", folder], { encoding: "utf8" });
  expect(stdout).toBe("");
}, 240_000);
