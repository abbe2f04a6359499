/**
 * Purpose: opens files with better-sqlite3, whose native part ends an old Node without a word: that is looked at first.
 * Keeps true: on a Node that is too old nothing native is touched, and the caller is told what to do.
 */
import Database, { type Options } from "better-sqlite3";
import { ChangeoverError } from "../core/errors.ts";
import { nodeAdvice } from "../core/node-version.ts";

/**
 * @param node version of the Node that runs this
 * @throws ChangeoverError `unsupported_runtime`
 */
export function openDatabase(file: string, options: Options = {}, node = process.versions.node): Database.Database {
  const advice = nodeAdvice(node, null);
  if (advice !== null) throw new ChangeoverError("unsupported_runtime", `Changeover ${advice}`, { details: { node } });
  return new Database(file, options);
}
