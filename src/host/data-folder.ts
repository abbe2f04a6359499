/**
 * Purpose: makes the data folder, and marks it as belonging to one engine of one pair.
 * Keeps true: an engine never starts on the memory of another one: with a foreign identity and foreign epochs its peer
 * would take it for someone else, or for itself.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../adapters/make-folder.ts";
import { ChangeoverError } from "../core/errors.ts";
import type { Label } from "../core/ids.ts";

/** Whose memory it is. */
export interface FolderOwner {
  readonly pair: string;
  readonly label: Label;
}

const MARK = "engine.json";

/**
 * Makes the folder when there is none, and checks its mark.
 *
 * @throws ChangeoverError `data_folder_unusable` or `wrong_pair`
 */
export function claimDataFolder(folder: string, owner: FolderOwner): void {
  const file = join(folder, MARK);
  try {
    makeFolder(folder, 0o750);
    if (readMark(file) === null) return writeMark(file, owner);
    const refusal = foreignOwner(folder, owner);
    if (refusal !== null) throw refusal;
  } catch (error) {
    if (error instanceof ChangeoverError) throw error;
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new ChangeoverError(
      "data_folder_unusable",
      `dataDir ${folder} cannot be used: ${reason}; name a folder that this user can read and write`,
      {
        details: { key: "dataDir", value: folder, bound: "a folder that this user can read and write" },
        cause: error,
      },
    );
  }
}

/**
 * Why the folder is not this owner's; null where it is, or where it belongs to nobody yet. Writes nothing.
 *
 * @throws Error of Node or of JSON where the mark cannot be read
 */
export function foreignOwner(folder: string, owner: FolderOwner): ChangeoverError | null {
  const text = readMark(join(folder, MARK));
  if (text === null) return null;
  const found = JSON.parse(text) as Partial<FolderOwner>;
  return found.pair === owner.pair && found.label === owner.label ? null : foreign(folder, owner, found);
}

function readMark(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** By way of another name, so that a crash leaves no half mark. */
function writeMark(file: string, { pair, label }: FolderOwner): void {
  writeFileSync(`${file}.new`, `${JSON.stringify({ pair, label })}\n`);
  renameSync(`${file}.new`, file);
}

function foreign(folder: string, owner: FolderOwner, found: Partial<FolderOwner>): ChangeoverError {
  return new ChangeoverError(
    "wrong_pair",
    `dataDir ${folder} belongs to engine ${found.label} of pair "${found.pair}", not to engine ${owner.label} of ` +
      `pair "${owner.pair}"; give each engine its own folder`,
    { details: { key: "dataDir", value: folder, bound: `the folder of engine ${owner.label} of ${owner.pair}` } },
  );
}
