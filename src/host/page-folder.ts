/** Purpose: where the page that shows the statecharts stands. */
import { fileURLToPath } from "node:url";
import { packageRoot } from "./package-root.ts";

/** `npm run build` fills it, from the sources as well as in the package. */
export function pageFolder(): string {
  return fileURLToPath(new URL("dist/page/", packageRoot()));
}
