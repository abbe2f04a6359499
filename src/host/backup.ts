/**
 * A copy of a data folder that belongs together, taken while its engine runs, and the way back.
 *
 * A backup is a folder with the store, the engine's key, the mark of its owner and `backup.json`, which says what it holds. It
 * appears under its name complete or not at all. A restored folder knows that it is old: at the next start the engine writes
 * its records under a new origin, whatever its backup's origin was used for meanwhile [RP2], and numbers its commands well above
 * those that the backup has.
 */
import { chmodSync, cpSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { makeFolder } from "../adapters/local-lock.ts";
import { NanoIds } from "../adapters/basics.ts";
import { SqliteStore } from "../adapters/sqlite-store.ts";
import { STORE_FILE } from "../adapters/sqlite-store/open.ts";
import type { BackupReport, Config } from "../config/types.ts";
import { comparePositions } from "../core/claim.ts";
import type { LogPosition } from "../core/command.ts";
import { ChangeoverError } from "../core/errors.ts";
import type { EngineId } from "../core/ids.ts";
import { isoTime } from "../core/iso-time.ts";
import { compareClocks, type VectorClock } from "../core/vector-clock.ts";
import { RESTORED_KEY } from "../replication/own-origin.ts";
import { claimDataFolder, foreignOwner, engineKey } from "./data-folder.ts";

export interface Restored {
  readonly backup: BackupReport;
  /** Where the folder that stood there is now; null: none stood there. */
  readonly keptAs: string | null;
}

const KEY = "engine.key";
const NOTE = "backup.json";
const FOLDER = "backups";
/** More commands than one engine accepts between a backup and its restore. Their numbers name events of the feed and conflicts. */
const NUMBERS_SKIPPED = 1_000_000_000;

/**
 * Copies the folder of a running engine to `backups/<time>` in it.
 *
 * @returns the folder, and what it holds
 * @throws ChangeoverError `store_full` or `store_failed`; then nothing is left of the copy
 */
export async function takeBackup(
  store: SqliteStore,
  { pair, label, dataDir: configured }: Pick<Config, "pair" | "label" | "dataDir">,
  nowUnixMs: number,
): Promise<BackupReport & { readonly folder: string }> {
  const dataDir = resolve(configured);
  const folder = join(dataDir, FOLDER, isoTime(nowUnixMs).replaceAll(/[:.]/g, "-"));
  const draft = `${folder}.new`;
  try {
    makeFolder(draft, 0o700);
    // What is written from now on is in the copy too: it holds at least this.
    const { engineId } = store.load();
    const { log } = store.positions();
    await store.backup(join(draft, STORE_FILE));
    copyPrivately(join(dataDir, KEY), join(draft, KEY));
    claimDataFolder(draft, { pair, label });
    const bytes = statSync(join(draft, STORE_FILE)).size;
    const note = {
      pair,
      label,
      engineId,
      takenAt: Math.round(nowUnixMs),
      epoch: log.epoch,
      lastCommandSeq: log.seq,
      bytes,
    };
    writeFileSync(join(draft, NOTE), `${JSON.stringify(note, null, 2)}\n`, { mode: 0o600 });
    renameSync(draft, folder);
    return { ...note, folder };
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (error instanceof ChangeoverError) throw error;
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new ChangeoverError("store_failed", `the backup ${folder} could not be written: ${reason}`, { cause: error });
  }
}

/**
 * Puts a backup in the place of the data folder of `config`, whose engine does not run. What stood there is kept beside it.
 *
 * @param replaceNewer whether a folder that holds more than the backup may be replaced
 * @throws ChangeoverError `store_in_use` (the engine runs), `wrong_pair`, `invalid_value` (not a backup, or the folder holds
 * more), `store_corrupt` (the backup is damaged), `data_folder_unusable`
 */
export function restoreBackup(
  backupFolder: string,
  config: Pick<Config, "pair" | "label" | "dataDir">,
  { replaceNewer, nowUnixMs }: { readonly replaceNewer: boolean; readonly nowUnixMs: number },
): Restored {
  const from = resolve(backupFolder);
  const dataDir = resolve(config.dataDir);
  const backup = readNote(from);
  const foreign = foreignOwner(from, config);
  if (foreign !== null) throw foreignBackup(from, config, backup);
  const standing = existsSync(join(dataDir, STORE_FILE)) ? readStanding(dataDir) : null;
  const draft = `${dataDir}.restored.new`;
  rmSync(draft, { recursive: true, force: true });
  try {
    makeFolder(draft, 0o700);
    cpSync(join(from, STORE_FILE), join(draft, STORE_FILE));
    chmodSync(join(draft, STORE_FILE), 0o600);
    copyPrivately(join(from, KEY), join(draft, KEY));
    engineKey(draft);
    claimDataFolder(draft, config);
    const held = heldIn(draft, (store) => {
      store.replica.peerState.set(RESTORED_KEY, String(Math.floor(nowUnixMs / 1_000)));
      store.skipOwnNumbers(NUMBERS_SKIPPED);
    });
    if (standing !== null && !replaceNewer) refuseNewer(dataDir, standing, held);
    const keptAs = existsSync(dataDir) ? `${dataDir}.before-${isoTime(nowUnixMs).replaceAll(/[:.]/g, "-")}` : null;
    makeFolder(dirname(dataDir), 0o750);
    if (keptAs !== null) renameSync(dataDir, keptAs);
    try {
      renameSync(draft, dataDir);
    } catch (error) {
      if (keptAs !== null) renameSync(keptAs, dataDir);
      throw error;
    }
    // A backup that lay in the folder stays where a person expects it.
    if (keptAs !== null && existsSync(join(keptAs, FOLDER))) renameSync(join(keptAs, FOLDER), join(dataDir, FOLDER));
    return { backup, keptAs };
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (error instanceof ChangeoverError) throw error;
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new ChangeoverError(
      "data_folder_unusable",
      `dataDir ${dataDir} could not be restored: ${reason}; nothing was changed`,
      {
        cause: error,
      },
    );
  }
}

/** What a folder holds. */
interface Held {
  readonly engineId: EngineId;
  readonly log: LogPosition;
  readonly highestEpoch: number;
  readonly records: VectorClock;
}

function heldIn(folder: string, change: (store: SqliteStore) => void = () => undefined): Held {
  const store = new SqliteStore({ ids: new NanoIds() }, { dataDir: folder });
  try {
    change(store);
    const { engineId, highestEpoch } = store.load();
    return { engineId, highestEpoch, log: store.positions().log, records: store.replica.ops.vector() };
  } finally {
    store.close();
  }
}

/** null: it is damaged, so nothing can be lost by replacing it. */
function readStanding(dataDir: string): Held | null {
  try {
    return heldIn(dataDir);
  } catch (error) {
    if (!(error instanceof ChangeoverError)) throw error;
    if (error.code === "store_in_use") {
      throw new ChangeoverError("store_in_use", `the engine on dataDir ${dataDir} is running; stop it, then restore`);
    }
    if (error.code === "store_corrupt") return null;
    throw error;
  }
}

function refuseNewer(dataDir: string, standing: Held, backup: Held): void {
  const isBehind = comparePositions(backup.log, standing.log) < 0;
  const records = compareClocks(standing.records, backup.records);
  const lacksRecords = records === "after" || records === "concurrent";
  if (!isBehind && !lacksRecords && standing.highestEpoch <= backup.highestEpoch) return;
  const at = ({ log, highestEpoch }: Held): string =>
    `command ${log.seq} of epoch ${log.epoch}, highest epoch ${highestEpoch}`;
  throw new ChangeoverError(
    "invalid_value",
    `dataDir ${dataDir} holds more than the backup (${at(standing)}; the backup: ${at(backup)}` +
      `${lacksRecords ? "; it also has records that the backup lacks" : ""}); start the engine on it, or give --replace-newer: the folder is then kept beside`,
  );
}

function readNote(folder: string): BackupReport {
  const text = ((): string => {
    try {
      return readFileSync(join(folder, NOTE), "utf8");
    } catch (error) {
      const reason =
        (error as NodeJS.ErrnoException).code === "ENOENT"
          ? `it has no ${NOTE}`
          : String((error as NodeJS.ErrnoException).code);
      throw notABackup(folder, reason);
    }
  })();
  try {
    const note = JSON.parse(text) as Partial<BackupReport>;
    if (typeof note.engineId === "string" && typeof note.pair === "string" && typeof note.takenAt === "number")
      return note as BackupReport;
  } catch {
    // Said below.
  }
  throw notABackup(folder, `its ${NOTE} cannot be read`);
}

function notABackup(folder: string, why: string): ChangeoverError {
  return new ChangeoverError(
    "invalid_value",
    `${folder} is not a backup: ${why}; name a folder that \`changeover backup\` printed, such as DATADIR/${FOLDER}/2026-11-29T18-00-00-000Z`,
  );
}

function foreignBackup(
  folder: string,
  { pair, label }: Pick<Config, "pair" | "label">,
  backup: BackupReport,
): ChangeoverError {
  return new ChangeoverError(
    "wrong_pair",
    `${basename(folder)} is a backup of engine ${backup.label} of pair "${backup.pair}"; the configuration is of engine ${label} of pair "${pair}"`,
  );
}

function copyPrivately(from: string, to: string): void {
  writeFileSync(to, readFileSync(from), { mode: 0o600 });
}
