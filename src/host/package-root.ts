/**
 * Where the package stands, whether it runs from its sources or from `dist/`, and which version it is.
 */
import { existsSync, readFileSync } from "node:fs";
import { assert } from "../core/errors.ts";
import { fileURLToPath } from "node:url";

/** The folder that holds this package's `package.json`. */
export function packageRoot(): URL {
  // From src/host, and from dist/src/host.
  const root = ["../../", "../../../"]
    .map((up) => new URL(up, import.meta.url))
    .find((folder) => existsSync(new URL("package.json", folder)));
  assert(root !== undefined, "the package has its package.json");
  return root;
}

/** The version of this package. */
export function packageVersion(): string {
  const text = readFileSync(new URL("package.json", packageRoot()), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

/** Where `native/install.js` puts the native part, if it could compile it. */
export function nativePart(): string {
  return fileURLToPath(new URL("native/fast-death.node", packageRoot()));
}

// Where the page that shows the statecharts stands.

/** `npm run build` fills it, from the sources as well as in the package. */
export function pageFolder(): string {
  return fileURLToPath(new URL("dist/page/", packageRoot()));
}
