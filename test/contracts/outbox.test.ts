/** The outbox contract on every store. */
import { outboxContract } from "./outbox-contract.ts";
import { memoryPlace, sqlitePlace } from "./store-places.ts";

outboxContract("MemoryStore", () => memoryPlace());
outboxContract("SqliteStore", sqlitePlace);
