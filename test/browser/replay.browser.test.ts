/** A run that was recorded, and a simulated seed, open on the page from a file. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runCli } from "../cli/run-cli.ts";
import { startPair } from "../cli/engine-pair.ts";
import { describeWithServer } from "../support/servers.ts";
import { openBrowser, openPage, tallySays } from "./stage.ts";

const folder = mkdtempSync(join(tmpdir(), "changeover-replay-"));
const children: ChildProcess[] = [];

/** Starts `machines replay` and gives the address that it prints. */
async function replayed(file: string): Promise<string> {
  const child = spawn(process.execPath, ["src/cli/main.ts", "machines", "replay", file]);
  children.push(child);
  let said = "";
  for await (const piece of child.stdout) {
    said += String(piece);
    const [address] = /http:\S+/.exec(said) ?? [];
    if (address !== undefined) return address;
  }
  throw new Error(`no address: ${said}`);
}

describeWithServer("chromium", "the page, a run from a file", () => {
  afterAll(() => {
    for (const child of children) child.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  test("a recorded run", async () => {
    const file = join(folder, "run.jsonl");
    const pair = await startPair();
    const recording = await runCli(["machines", "record", file, "--url", pair.urls.a, "--seconds", "1"]);
    await pair.close();
    expect(recording.stdout).toMatch(/\d+ events/);
    const browser = await openBrowser();
    const { page, errors, strangers } = await openPage(browser, await replayed(file));
    await tallySays(page, "on air", "Engine");
    expect(await page.locator("header .pair").innerText()).toContain("recorded from");
    expect([errors, strangers]).toEqual([[], []]);
    await browser.close();
  });

  test("a simulated seed, as its report says it is opened", async () => {
    const file = join(folder, "trace.jsonl");
    const sim = spawn(process.execPath, [
      "src/simulation/main.ts",
      "--seeds",
      "1",
      "--first",
      "3",
      "--policy",
      "on-air",
      "--trace",
      file,
    ]);
    await new Promise((resolve) => sim.once("exit", resolve));
    const browser = await openBrowser();
    const { page, errors } = await openPage(browser, await replayed(file));
    await tallySays(page, "on air", "Engine");
    expect(await page.locator("header .pair").innerText()).toContain("seed 3");
    await page.getByRole("button", { name: "Previous change" }).click();
    expect(await page.locator(".recorder output").innerText()).toContain(" s");
    expect(errors).toEqual([]);
    await browser.close();
  });
});
