/** The rundown under faults, on the embedded witness. */
import { FAULTS, rundowns } from "./rundown.suite.ts";
import { EMBEDDED } from "./suites.ts";

rundowns(EMBEDDED, FAULTS);
