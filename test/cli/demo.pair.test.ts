/** The demonstration, as `npm run demo -- --scripted` plays it. */
import { expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

test("--scripted: kill, freeze, split brain, recovery and handover lose nothing, and both end equal", async () => {
  const end = await runCli(["demo", "--scripted"]);
  expect(end.stderr).toBe("");
  expect(end.stdout).toContain("\n98 commands acknowledged, 8 of them kept as conflicts of the split\n");
  expect(end.stdout).toContain("\n0 acknowledged commands lost\n0 commands doubled\nlogs equal\nchecksums equal: ");
  expect(end.code).toBe(0);
}, 60_000);

test("without a terminal it says what to do instead", async () => {
  const end = await runCli(["demo"]);
  expect(end.code).toBe(2);
  expect(end.stdout).toContain("no terminal to press keys in: run it in one, or with --scripted");
});
