/** A leader that is frozen for long, as by a host that swaps or a hypervisor that moves it. */
import { describe } from "vitest";
import { frozenLeader } from "./process-faults.suite.ts";
import { EMBEDDED } from "./suites.ts";

describe.concurrent("frozen for long", { timeout: 120_000 }, () => frozenLeader(EMBEDDED, 10_000));
