/**
 * Accepts and publishes commands until it is killed; every seq that both stores hold is said on stdout. With `drain` it
 * accepts nothing, and ends once all is published. Arguments: folder, life, kind of sink, its address, `drain`.
 */
import { writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { openTwoStores } from "./two-stores.ts";
import { openSink } from "./feed-ends.ts";

const [folder = "", life = "0", kind = "file", address = "", mode = ""] = process.argv.slice(2);
const stores = openTwoStores(folder, Number(life), await openSink(kind, address));
const { outbox } = stores;
outbox.start();
outbox.roleMoved(true);
if (mode === "drain") {
  while (outbox.status().depth > 0) await delay(5);
  await stores.close();
} else {
  for (;;) {
    writeSync(1, `${stores.accept(1 + Math.floor(Math.random() * 8))}\n`);
    await delay(Math.random() * 3);
  }
}
