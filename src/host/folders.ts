/**
 * Finds the folders of a configuration that cannot be used. Only looks: no folder is made, no file is tried.
 * What may come back by itself, such as a share that is not mounted yet, stops no start: the engine raises an alarm then,
 * and the programme goes on.
 */
import { accessSync, constants, statfsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { STORE_FILE } from "../adapters/sqlite-store/open.ts";
import { type Fault, fault, invalidConfiguration } from "../config/check.ts";
import type { Config } from "../config/types.ts";
import { foreignOwner } from "./data-folder.ts";

/** Kinds of Linux file systems that hold no files of anyone: proc, sysfs, cgroups, devpts, debugfs, tracefs, bpf … */
const NOT_DISKS: readonly number[] = [
  ...[0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x1cd1, 0x64626720, 0x74726163, 0x73636673, 0xcafe4a11, 0x6165676c],
  ...[0x62656570, 0x19800202, 0xf97cff8c, 0xde5e81e4, 0x42494e4d],
];

interface Obstacle {
  readonly why: string;
  /** Nothing but another configuration removes it. */
  readonly lasts: boolean;
}

/**
 * What `config check` refuses: all that would stop the start, or keep a sink or the witness from its folder.
 *
 * @throws ChangeoverError `invalid_configuration`, `wrong_pair`
 */
export function checkFolders(config: Config, source: string): void {
  const { dataDir, pair, label } = config;
  const folder = resolve(dataDir);
  const obstacle = obstacleTo(folder);
  const ofData = obstacle === null ? [] : [unusable("dataDir", dataDir, obstacle)];
  const faults = [...ofData, ...otherFaults(config, () => true)];
  if (faults.length > 0) throw invalidConfiguration(source, faults);
  const foreign = foreignOwner(folder, { pair, label });
  if (foreign !== null) throw foreign;
}

/**
 * What a start refuses, besides a data folder that cannot be used: that is found when it is made.
 *
 * @throws ChangeoverError `invalid_configuration`
 */
export function checkLastingFolders(config: Config): void {
  const faults = otherFaults(config, ({ lasts }) => lasts);
  if (faults.length > 0) throw invalidConfiguration("folders", faults);
}

function otherFaults({ witness, outbox, dataDir }: Config, counts: (obstacle: Obstacle) => boolean): Fault[] {
  const faults: Fault[] = [];
  if (witness.kind === "sqlite") {
    const file = resolve(witness.file);
    const obstacle = obstacleTo(dirname(file)) ?? (isFolder(file) ? { why: "it is a folder", lasts: true } : null);
    if (obstacle !== null && counts(obstacle)) faults.push(unusable("witness.file", witness.file, obstacle));
    if (file === join(resolve(dataDir), STORE_FILE)) {
      faults.push(
        fault("witness.file", witness.file, "is this engine's own store; must be a file for the witness alone"),
      );
    }
  }
  if (outbox.sink === "file") {
    const obstacle = obstacleTo(resolve(outbox.dir));
    if (obstacle !== null && counts(obstacle)) faults.push(unusable("outbox.dir", outbox.dir, obstacle));
  }
  return faults;
}

function unusable(key: string, path: string, { why }: Obstacle): Fault {
  const what = key.endsWith("file") ? "a file in a folder" : "a folder";
  return fault(
    key,
    path,
    `must be ${what} that this user can read and write: ${why}; name another, or change its rights`,
  );
}

/** Why no files can be written in `folder`, which may still have to be made; null where they can. */
function obstacleTo(folder: string): Obstacle | null {
  try {
    const existing = nearest(folder);
    if (!isFolder(existing)) return { why: `${existing} is not a folder`, lasts: true };
    if (process.platform === "linux" && NOT_DISKS.includes(statfsSync(existing).type >>> 0)) {
      return { why: `${existing} is not on a disk`, lasts: true };
    }
    accessSync(existing, constants.R_OK | constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { why: code ?? String(error), lasts: code === "ENAMETOOLONG" || code === "ELOOP" };
  }
}

/** The folder itself, or the one above it in which it would be made. */
function nearest(path: string): string {
  return statSync(path, { throwIfNoEntry: false }) !== undefined || dirname(path) === path
    ? path
    : nearest(dirname(path));
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
