/** Publishers that are killed at random points, the other engine going on each time: what stands in the feed at the end. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { ControlEvent } from "../../src/core/control-event.ts";
import { openSource } from "./feed-ends.ts";

const PUBLISHER = join(import.meta.dirname, "publisher-process.ts");

export interface CrashInit {
  readonly kind: "file" | "redis" | "nats";
  /** Of the feed; null: a folder beside the stores. */
  readonly address: string | null;
  readonly rounds: number;
}

/** Pairs that are killed side by side, each with a feed of its own. */
const LANES = 4;

/** Kills `rounds` publishers in all, lets one more of each pair drain its outbox, and judges the feeds. */
export async function proveOverKills({ kind, address, rounds }: CrashInit): Promise<void> {
  const each = Math.ceil(rounds / LANES);
  await Promise.all(
    Array.from({ length: LANES }, (_, lane) =>
      onePair({ kind, address: address === null ? null : `${address}#lane${lane}`, rounds: each }),
    ),
  );
}

async function onePair({ kind, address, rounds }: CrashInit): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "changeover-outbox-"));
  const feed = address ?? join(folder, "feed");
  try {
    let committed = 0;
    for (let life = 0; life < rounds; life += 1) {
      committed = Math.max(committed, await committedBeforeDeath([folder, `${life}`, kind, feed]));
    }
    const last = spawn(process.execPath, [PUBLISHER, folder, `${rounds}`, kind, feed, "drain"], { stdio: "inherit" });
    expect((await once(last, "close"))[0]).toBe(0);
    judge(await eventsOf(kind, feed), committed);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a publisher, kills it at some point after its first word, and gives the last seq that it had committed. */
async function committedBeforeDeath(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [PUBLISHER, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (said === "") setTimeout(() => child.kill("SIGKILL"), Math.random() * 60);
    said += text;
  });
  const [, signal] = (await once(child, "close")) as [number | null, string | null];
  expect(signal).toBe("SIGKILL");
  return Number(said.slice(0, said.lastIndexOf("\n")).split("\n").at(-1));
}

export async function eventsOf(kind: string, feed: string): Promise<readonly ControlEvent[]> {
  const source = await openSource(kind, feed);
  const events: ControlEvent[] = [];
  try {
    for (let after = 0, empty = 0; empty < 5;) {
      const page = await source.read(after, 500);
      if (page.outcome !== "read") throw new Error(`the feed is ${page.outcome}`, { cause: page });
      events.push(...page.entries.flatMap(({ event }) => event ?? []));
      after = page.entries.at(-1)?.controlVersion ?? after;
      empty = page.entries.length === 0 ? empty + 1 : 0;
    }
  } finally {
    await source.close();
  }
  return events;
}

/** Every committed command at least once; those that stand there, once each, are 1, 2, 3 … in this order. */
function judge(events: readonly ControlEvent[], committed: number): void {
  const once = new Map(events.filter(({ stackId }) => stackId === "programme").map((event) => [event.eventId, event]));
  const versions = [...once.values()].map(({ version }) => version);
  expect(versions.length).toBeGreaterThanOrEqual(committed);
  expect(versions).toEqual(versions.map((_, index) => index + 1));
  expect(committed).toBeGreaterThan(0);
}
