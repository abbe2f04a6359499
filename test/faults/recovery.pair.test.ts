/** A second fault inside a reconciliation, on the embedded witness. */
import { recoveries } from "./recovery.suite.ts";
import { EMBEDDED } from "./suites.ts";

recoveries(EMBEDDED);
