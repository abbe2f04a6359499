/**
 * Builds `dist/`: compiles src and machines, then copies what is not TypeScript but is read at run time.
 * Plain JavaScript, because it must run on every Node the package allows, type stripping or not.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, globSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const launcher = join(dist, "src/cli/main.js");
const assets = "{src,machines}/**/*.{lua,sql}";

rmSync(dist, { recursive: true, force: true });

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const compiled = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
if (compiled.status !== 0) process.exit(compiled.status ?? 1);

for (const asset of globSync(assets, { cwd: root })) {
  mkdirSync(dirname(join(dist, asset)), { recursive: true });
  copyFileSync(join(root, asset), join(dist, asset));
}

// The drawings come from the statecharts as they were just compiled; the layout engine is needed here and never again.
const layout = join(dist, "src/visualiser/layout");
const drawn = spawnSync(process.execPath, [join(layout, "main.js"), "docs/images/machines"], {
  cwd: root,
  stdio: "inherit",
});
if (drawn.status !== 0) process.exit(drawn.status ?? 1);
rmSync(layout, { recursive: true });

// The page: one script and one sheet of its own, nothing inline, so that the strictest policy lets it run.
const { build } = await import("vite");
await build({
  configFile: false,
  root: join(root, "src/visualiser/page"),
  // Relative, so that the page also works under a path that a reverse proxy adds.
  base: "./",
  logLevel: "warn",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: join(dist, "page"),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2023",
    reportCompressedSize: false,
  },
});

// npm marks a bin as executable when it installs the package; a clone has only what the compiler wrote.
if (existsSync(launcher)) chmodSync(launcher, 0o755);
