/** The store contract on every store. */
import { memoryPlace, sqlitePlace } from "./store-places.ts";
import { storeContract } from "./store-contract.ts";

storeContract("MemoryStore", () => memoryPlace());
storeContract("MemoryStore on a disk that loses what is not synced", () => memoryPlace({ loseUnsynced: true }));
storeContract("SqliteStore", sqlitePlace);
