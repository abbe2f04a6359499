/** Faults of links, on the embedded witness. */
import { linkFaults } from "./links.suite.ts";
import { EMBEDDED } from "./suites.ts";

linkFaults(EMBEDDED);
