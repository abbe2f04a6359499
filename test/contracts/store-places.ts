/** The stores on which the contracts are run. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryDisk } from "../../src/adapters/memory-disk.ts";
import { MemoryStore } from "../../src/adapters/memory-store.ts";
import { SqliteStore } from "../../src/adapters/sqlite-store.ts";
import type { StorePlace } from "./store-bench.ts";
import { CountedIds } from "./store-samples.ts";

export function memoryPlace(init: { readonly loseUnsynced?: boolean } = {}): StorePlace {
  const disk = new MemoryDisk(init);
  const ids = new CountedIds();
  return {
    open: () => new MemoryStore({ ids, disk }),
    setFull: (full) => {
      disk.full = full;
    },
    dispose: () => undefined,
  };
}

export function sqlitePlace(): StorePlace {
  const dataDir = mkdtempSync(join(tmpdir(), "changeover-store-"));
  const ids = new CountedIds();
  let maxBytes: number | undefined;
  return {
    open: () => new SqliteStore({ ids }, { dataDir, maxBytes }),
    setFull: (full) => {
      maxBytes = full ? 256 * 1024 : undefined;
    },
    dispose: () => rmSync(dataDir, { recursive: true, force: true }),
  };
}
