/**
 * The coordinator without one of its repairs, as a copy that the campaign can run: the proof that the campaign would find
 * the fault again. Each removal is a handful of replacements in the sources; a text that is not found is an error.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

interface Replacement {
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

const SQLITE_STORE = "src/adapters/sqlite-store.ts";

export const REMOVALS = {
  /** [SB6] The clock of a store counts conflicts too, and a follower that cannot apply what it gets never asks for all. */
  P1: [
    {
      file: SQLITE_STORE,
      find: `      this.#saveConflicts(conflicts);
      this.#state.raiseOwn(highestOwnSeq);
    });
    this.#reached = { ...before, highestOwnSeq };`,
      put: `      this.#saveConflicts(conflicts);
      this.#state.raiseOwn(highestOwnSeq);
      this.#state.saveReached(clock, before.baseClock, before.hlc);
    });
    this.#reached = { ...before, clock, highestOwnSeq };`,
    },
    {
      file: SQLITE_STORE,
      find: `    const highestOwnSeq = highestOwn(before.highestOwnSeq, this.#engineId, divergentIn(conflicts));
`,
      put: `    const highestOwnSeq = highestOwn(before.highestOwnSeq, this.#engineId, divergentIn(conflicts));
    const clock: Record<string, number> = { ...before.clock };
    for (const { origin, originSeq } of divergentIn(conflicts))
      clock[origin] = Math.max(counterOf(clock, origin), originSeq);
`,
    },
    {
      file: SQLITE_STORE,
      find: "clock: this.#commands.clockOf(state.clock, baseClock),",
      put: "clock: state.clock,",
    },
    {
      file: "machines/catch-up.machine.ts",
      find: "context.resyncReason === null && failures >= event.most",
      put: "context.resyncReason === null && failures >= Infinity",
    },
  ],
} as const satisfies Readonly<Record<string, readonly Replacement[]>>;

export type Removal = keyof typeof REMOVALS;

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const COPIED = ["src", "machines", "config", "package.json"];
const LINKED = ["node_modules", "dist"];

/** Makes the copy, in a temporary folder that goes with this process; its `cli/main.ts`. */
export function programWithout(removal: Removal): string {
  const copy = mkdtempSync(join(tmpdir(), `changeover-without-${removal}-`));
  process.once("exit", () => rmSync(copy, { recursive: true, force: true }));
  for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  for (const name of LINKED) symlinkSync(join(ROOT, name), join(copy, name));
  for (const replacement of REMOVALS[removal]) {
    const file = join(copy, replacement.file);
    writeFileSync(file, replaced(readFileSync(file, "utf8"), replacement));
  }
  return join(copy, "src/cli/main.ts");
}

function replaced(text: string, { file, find, put }: Replacement): string {
  if (text.split(find).length !== 2) throw new Error(`${file} must hold this text exactly once: ${find}`);
  return text.replace(find, () => put);
}
