/** The store contract on every store. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryDisk } from "../../src/adapters/memory-disk.ts";
import { MemoryStore } from "../../src/adapters/memory-store.ts";
import { SqliteStore } from "../../src/adapters/sqlite-store.ts";
import { CountedIds } from "./store-samples.ts";
import { storeContract } from "./store.contract.ts";

storeContract("MemoryStore", () => {
  const disk = new MemoryDisk();
  const ids = new CountedIds();
  return {
    open: () => new MemoryStore({ ids, disk }),
    setFull: (full) => {
      disk.full = full;
    },
    dispose: () => undefined,
  };
});

storeContract("MemoryStore on a disk that loses what is not synced", () => {
  const disk = new MemoryDisk({ loseUnsynced: true });
  const ids = new CountedIds();
  return {
    open: () => new MemoryStore({ ids, disk }),
    setFull: (full) => {
      disk.full = full;
    },
    dispose: () => undefined,
  };
});

storeContract("SqliteStore", () => {
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
});
