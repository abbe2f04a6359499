import { value } from "../core/value.ts";
import { act } from "../actors/act.ts"; // must fail: house/import-direction

/** An adapter may look at the clock. */
export const open = [value, act, Date.now(), Math.random(), performance.now(), setTimeout, process.hrtime()];
