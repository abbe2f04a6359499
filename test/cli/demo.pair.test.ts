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

test("--sites: edited apart, a pair, a hub, three spokes and a second site end equal; the feed tells all of it", async () => {
  const end = await runCli(["demo", "--sites"]);
  expect(end.stderr).toBe("");
  expect(end.stdout).toContain("its change is held by 7 of 7 places, once each\n");
  expect(end.stdout).toContain("\n20 commands around a handover of the studio, 12 changes of records: all told\n");
  expect(end.stdout).toContain("\n0 events doubled\n");
  for (const place of ["hub", "south", "studio a", "studio b", "ob van", "graphics", "archive"]) {
    expect(end.stdout).toMatch(new RegExp(`^${place} +7 +0 +12 +equal$`, "m"));
  }
  expect(end.code).toBe(0);
}, 90_000);

test("without a terminal it says what to do instead", async () => {
  const end = await runCli(["demo"]);
  expect(end.code).toBe(2);
  expect(end.stdout).toContain("no terminal to press keys in: run it in one, or with --scripted");
});
