/** Runs a contract suite as a plug-in's author would: each case is a test. */
import { describe, test } from "vitest";
import type { ContractCase } from "../../src/testing/contract.ts";

export function runContract(name: string, cases: readonly ContractCase[]): void {
  describe(name, () => {
    for (const { title, run } of cases) test(title, run);
  });
}
