/** The example of a feed and its consumer, run as its README says, with a kill in between. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "changeover-example-"));
const feed = join(folder, "feed");
const file = join(folder, "scores.db");
const OWN = ["--import", "./test/support/own-package.ts"];
const children: ChildProcess[] = [];

afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function publish(...teams: string[]): string {
  return execFileSync(process.execPath, [...OWN, "examples/feed/publish.js", feed, ...teams], { encoding: "utf8" });
}

function consume(): ChildProcess {
  const child = spawn(process.execPath, [...OWN, "examples/feed/scores.js", feed, file], { stdio: "ignore" });
  children.push(child);
  return child;
}

function scores(): unknown {
  const db = new Database(file, { readonly: true });
  try {
    return db.prepare("SELECT team, goals FROM scores ORDER BY team").all();
  } finally {
    db.close();
  }
}

const tryScores = (): unknown => {
  try {
    return scores();
  } catch {
    return null;
  }
};

test("every goal counts once, over a kill of the consumer and its restart", async () => {
  expect(publish("home", "home", "away")).toContain("match-1:3 stands at 3");
  const first = consume();
  const after3 = [
    { team: "away", goals: 1 },
    { team: "home", goals: 2 },
  ];
  await expect.poll(tryScores).toEqual(after3);
  first.kill("SIGKILL");
  await once(first, "exit");
  publish("away");
  const second = consume();
  await expect.poll(tryScores).toEqual([
    { team: "away", goals: 2 },
    { team: "home", goals: 2 },
  ]);
  second.kill("SIGINT");
  expect(await once(second, "exit")).toEqual([0, null]);
});
