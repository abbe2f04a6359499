import { hrtime } from "node:process"; // must fail: house/import-direction, no-restricted-imports
import { setTimeout as wait } from "node:timers/promises"; // must fail: house/import-direction, no-restricted-imports
import { randomUUID } from "node:crypto"; // must fail: house/import-direction, no-restricted-imports
import { nanoid } from "nanoid"; // must fail: house/import-direction, no-restricted-imports

export const values = [
  Date.now(), // must fail: no-restricted-globals
  performance.now(), // must fail: no-restricted-globals
  crypto.randomUUID(), // must fail: no-restricted-globals
  Math.random(), // must fail: no-restricted-properties
  process.hrtime.bigint(), // must fail: no-restricted-properties
  globalThis.Date.now(), // must fail: no-restricted-properties
  setTimeout(nanoid, 1), // must fail: no-restricted-globals
  setInterval(randomUUID, 1), // must fail: no-restricted-globals
  setImmediate(hrtime), // must fail: no-restricted-globals
];
export const later = wait;
