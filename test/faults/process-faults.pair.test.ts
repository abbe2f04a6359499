/** Faults of processes, on the embedded witness. */
import { processFaults } from "./process-faults.suite.ts";
import { EMBEDDED } from "./suites.ts";

processFaults(EMBEDDED);
