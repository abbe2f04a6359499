/**
 * How a feed lies in a folder, for those who write it and those who read it.
 *
 * `events/<eventId>.json` is the event under its key; `order/<controlVersion>.json` is the same file at its place in the
 * feed (a second hard link); `feed.json` names the feed and is made with it; `drafts/` holds what is not part of it yet;
 * `readers/` how far each reader is. In the flat format the folder itself holds `<event_id>.json` and no other file, because
 * other readers take every `.json` for an event; the rest lies in `changeover/`, a name without a dot, so that `rm -r DIR/*`
 * removes the feed's identity with its events.
 *
 * A name never leaves its folder, and what was linked is whole and durable.
 */
import { randomUUID } from "node:crypto";
import { type FileHandle, link, open, opendir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ControlEvent } from "../../core/control-event.ts";
import { eventFromJson, type FeedFormat, flattened, isFlat, dottedName, safeName } from "./event-text.ts";
import { makeFolder } from "../local-lock.ts";

/** One event with its place. `event` is null where a file holds anything else. */
export interface FiledEvent {
  readonly controlVersion: number;
  readonly event: ControlEvent | null;
  /** Length of the file. */
  readonly bytes: number;
}

/** The first and the last place that are taken; zero for none. */
export interface FiledRange {
  readonly first: number;
  readonly last: number;
}

/** Digits of a place in a file name, so that a listing shows the order. */
const DIGITS = 16;
const PLACE = /^(\d{16})\.json$/;

export class FileFeed {
  readonly #format: FeedFormat;
  /** Where everything but the events' keys lies. */
  readonly #folder: string;
  readonly #order: string;
  readonly #events: string;
  readonly #drafts: string;
  readonly #idFile: string;

  constructor(folder: string, format: FeedFormat = "changeover") {
    this.#format = format;
    this.#folder = format === "flat" ? join(folder, "changeover") : folder;
    this.#order = join(this.#folder, "order");
    this.#events = format === "flat" ? folder : join(folder, "events");
    this.#drafts = join(this.#folder, "drafts");
    this.#idFile = join(this.#folder, "feed.json");
  }

  /** Makes the folders. Safe to repeat. */
  async prepare(): Promise<void> {
    for (const folder of [this.#order, this.#events, this.#drafts]) {
      makeFolder(folder, 0o700);
    }
    await syncFolder(this.#folder);
  }

  /** The feed's identity; null where it has none yet. */
  async id(): Promise<string | null> {
    try {
      const { feedId } = JSON.parse(await readFile(this.#idFile, "utf8")) as { readonly feedId?: unknown };
      return typeof feedId === "string" && feedId !== "" ? feedId : null;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return null;
      throw error;
    }
  }

  /** The feed's identity, made now where it has none. Of two publishers that make one at once, one wins. */
  async makeId(): Promise<string> {
    const standing = await this.id();
    if (standing !== null) return standing;
    const draft = join(this.#drafts, `${randomUUID()}.json`);
    await writeThrough(await open(draft, "wx", 0o600), `${JSON.stringify({ feedId: `feed_${randomUUID()}` })}\n`);
    try {
      await this.#linkOnce(draft, this.#idFile, this.#folder);
    } finally {
      await this.discard(draft);
    }
    const made = await this.id();
    if (made === null) throw new Error(`${this.#idFile} holds no feedId; remove the file`);
    return made;
  }

  /** The path of an event's key; null for an id that cannot be a file's name. */
  keyOf(eventId: string): string | null {
    const name = this.#format === "flat" ? dottedName(eventId) : safeName(eventId);
    return name === null ? null : join(this.#events, `${name}.json`);
  }

  placeOf(controlVersion: number): string {
    return join(this.#order, `${String(controlVersion).padStart(DIGITS, "0")}.json`);
  }

  /** What a path holds; null where there is no file. */
  async read(path: string): Promise<FiledEvent | null> {
    try {
      return parse(await readFile(path, "utf8"));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
  }

  /** The first place behind `after` that is taken, and the last; zeros for none. Reads the whole listing, name by name. */
  async range(after = 0): Promise<FiledRange> {
    let first = 0;
    let last = 0;
    for await (const { name } of await opendir(this.#order)) {
      const place = Number(PLACE.exec(name)?.[1] ?? 0);
      if (place > last) last = place;
      if (place > after && (first === 0 || place < first)) first = place;
    }
    return { first, last };
  }

  /** Writes a draft, durable but not part of the feed. Returns its path; `discard` it in any case. */
  async draft(event: ControlEvent, controlVersion: number): Promise<string> {
    const path = join(this.#drafts, `${randomUUID()}.json`);
    const file = await open(path, "wx", 0o600);
    const filed =
      this.#format === "flat" ? { control_version: controlVersion, ...flattened(event) } : { controlVersion, event };
    await writeThrough(file, `${JSON.stringify(filed)}\n`);
    return path;
  }

  async discard(draft: string): Promise<void> {
    await rm(draft, { force: true });
  }

  /** Gives a draft its place, durably; false when the place is taken. */
  async takePlace(draft: string, controlVersion: number): Promise<boolean> {
    return this.#linkOnce(draft, this.placeOf(controlVersion), this.#order);
  }

  /** Gives what stands at a place its key, durably; false when it has one. */
  async takeKey(controlVersion: number, key: string): Promise<boolean> {
    return this.#linkOnce(this.placeOf(controlVersion), key, this.#events);
  }

  /** Notes how far `reader` is, for people who look after the folder. */
  async noteReader(reader: string, controlVersion: number): Promise<void> {
    const folder = join(this.#folder, "readers");
    makeFolder(folder, 0o700);
    const draft = join(folder, `${randomUUID()}.draft`);
    try {
      await writeThrough(await open(draft, "wx", 0o600), `${JSON.stringify({ reader, controlVersion })}\n`);
      await rename(draft, join(folder, `${reader}.json`));
    } finally {
      await rm(draft, { force: true });
    }
  }

  async #linkOnce(from: string, to: string, folder: string): Promise<boolean> {
    let made = true;
    try {
      await link(from, to);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      made = false;
    }
    // Also for what another made: anyone who builds upon it must know that it stays.
    await syncFolder(folder);
    return made;
  }
}

function parse(text: string): FiledEvent {
  const bytes = Buffer.byteLength(text);
  try {
    const filed = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const { controlVersion, event } = isFlat(filed)
      ? { controlVersion: filed["control_version"], event: filed }
      : { controlVersion: filed["controlVersion"], event: filed["event"] };
    const place = Number.isSafeInteger(controlVersion) ? Number(controlVersion) : 0;
    return { controlVersion: place, event: eventFromJson(event), bytes };
  } catch {
    return { controlVersion: 0, event: null, bytes };
  }
}

async function writeThrough(file: FileHandle, text: string): Promise<void> {
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
