/** The replica contract on every store. */
import { replicaContract } from "./replica-contract.ts";
import { memoryPlace, sqlitePlace } from "./store-places.ts";

replicaContract("MemoryStore", () => memoryPlace());
replicaContract("SqliteStore", sqlitePlace);
