/** Makes folders without Node's recursive `mkdir`, which never returns for a path such as `/proc/x`. */
import { mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/**
 * Makes `folder` and the missing folders above it. A folder that exists stays as it is.
 *
 * @param mode permissions of every folder that is made
 * @throws the error of the file system, with its `code`: `ENOENT` where the file system makes no folders, `EACCES`, `ENOTDIR`
 */
export function makeFolder(folder: string, mode: number): void {
  const missing: string[] = [];
  for (let at = resolve(folder); statSync(at, { throwIfNoEntry: false }) === undefined; at = dirname(at)) {
    missing.unshift(at);
  }
  for (const path of missing) {
    try {
      mkdirSync(path, { mode });
    } catch (error) {
      // Another process was faster.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}
