/** Reads a log that grows, each line once, so that a day of it need not fit into memory. */
import { closeSync, openSync, readSync } from "node:fs";
import { type LogLine, readLine } from "../campaign/evidence.ts";

const CHUNK_BYTES = 1_048_576;

export class LogTail {
  readonly #file: string;
  #at = 0;
  #rest = "";

  constructor(file: string) {
    this.#file = file;
  }

  /** The whole lines that were written since the last call. */
  read(): readonly LogLine[] {
    const file = openSync(this.#file, "r");
    try {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      for (;;) {
        const bytes = readSync(file, chunk, 0, CHUNK_BYTES, this.#at);
        if (bytes === 0) break;
        this.#at += bytes;
        this.#rest += chunk.toString("latin1", 0, bytes);
      }
    } finally {
      closeSync(file);
    }
    const lines = this.#rest.split("\n");
    this.#rest = lines.pop() ?? "";
    return lines.filter((line) => line !== "").map(readLine);
  }
}
