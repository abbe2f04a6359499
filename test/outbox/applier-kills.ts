/** Kills a consumer's process again and again while it applies a feed that grows, and looks at what it has applied. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect } from "vitest";
import type { FeedSink } from "../../src/ports/feed-sink.ts";
import { events, publishAll } from "../../src/testing/feed-sink-contract.ts";
import { appliedVersions } from "./applier-rig.ts";

const PROCESS = join(import.meta.dirname, "applier-process.ts");
const STACKS = ["programme", "records"];
/** Events of each stack that are published for a round. */
const EACH = 3;

export interface KillRounds {
  readonly sink: FeedSink;
  /** The arguments of `applier-process.ts` that name the feed. */
  readonly kind: "file" | "redis" | "nats";
  readonly address: string;
  readonly rounds: number;
}

/** Every round: more events, a consumer, SIGKILL in the middle. At the end one consumer may finish. */
export async function applyUnderKills({ sink, kind, address, rounds }: KillRounds): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "changeover-consumer-"));
  const file = join(folder, "data.db");
  const db = (): Database.Database => new Database(file, { readonly: true });
  try {
    for (let round = 1; round <= rounds; round += 1) {
      for (const stackId of STACKS) {
        await publishAll(sink, events((round - 1) * EACH + 1, round * EACH, { stackId }));
      }
      await runAndKill([kind, address, file], Math.random() * 2 * EACH);
    }
    const last = spawn(process.execPath, [PROCESS, kind, address, file], { stdio: "ignore" });
    const all = events(1, rounds * EACH).map(({ version }) => version);
    try {
      const data = db();
      for (const stack of STACKS)
        await expect.poll(() => appliedVersions(data, stack), { timeout: 60_000 }).toEqual(all);
      const noted = data.prepare("SELECT count(*) FROM applied_events").pluck().get();
      expect(noted).toBe(STACKS.length * rounds * EACH);
      data.close();
    } finally {
      last.kill("SIGKILL");
      await once(last, "exit");
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Ends the consumer inside the handling of its event number `after`, or before its first. */
async function runAndKill(args: readonly string[], after: number): Promise<void> {
  const child = spawn(process.execPath, [PROCESS, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let handled = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    handled += chunk.toString().split("\n").length - 1;
    if (handled > after) child.kill("SIGKILL");
  });
  const [, signal] = (await once(child, "exit")) as [number | null, string | null];
  expect(signal).toBe("SIGKILL");
}
