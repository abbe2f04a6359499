/**
 * Starts the native part that lets the sockets of a killed process close before its memory is freed (`native/fast-death.c`).
 * It is optional: npm builds it at install where there is a C compiler.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";

/** Node can load it, or why not; `works` counts for the life of this process. */
export type FastDeath =
  | { readonly state: "works"; /** Process id of the second task. */ readonly pid: number }
  | { readonly state: "not-built" }
  | { readonly state: "refused"; readonly why: string };

/**
 * Starts the second task of this process, once. Call it from the main thread: its life is tied to that thread.
 *
 * @param built where `native/install.js` puts what it compiles
 */
export function startFastDeath(built: string): FastDeath {
  if (!existsSync(built)) return { state: "not-built" };
  try {
    const part = createRequire(import.meta.url)(built) as { readonly start: () => number };
    return { state: "works", pid: part.start() };
  } catch (error) {
    return { state: "refused", why: error instanceof Error ? error.message : String(error) };
  }
}
