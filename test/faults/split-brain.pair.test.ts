/** Split brains, on the embedded witness. */
import { splitBrains } from "./split-brain.suite.ts";
import { EMBEDDED } from "./suites.ts";

splitBrains(EMBEDDED);
