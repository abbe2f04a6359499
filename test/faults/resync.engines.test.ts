/** Stores that hold what they should not, and the way back: by itself, or by a person from the command line. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import type { AlarmCode } from "../../src/core/events.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { MAX_NUMBER } from "../../src/core/epoch.ts";
import { type CliEnd, runCli } from "../cli/run-cli.ts";
import { call } from "../support/http-call.ts";
import type { RealPair } from "../support/real-pair.ts";
import { withPair } from "../support/stage-pair.ts";
import { PATIENCE_MS } from "./suites.ts";

const CUTS = 5;

describe("a store that holds what it should not", { timeout: PATIENCE_MS }, () => {
  test("SB6 I15: a clock above the content: the follower says so, takes the whole state, and both are equal", async () => {
    await withPair({}, async (pair) => {
      const leader = await pair.start();
      const follower = otherLabel(leader);
      await cuts(pair, leader, 0);
      await pair.kill(follower);
      await cuts(pair, leader, CUTS);
      await inStore(pair, follower, (store) => {
        const { clock } = store.prepare("SELECT clock FROM state").get() as { readonly clock: string };
        const entries = Object.entries(JSON.parse(clock) as Record<string, number>);
        // As if what it missed had been counted, and not kept: the fault of case P1.
        const ahead = Object.fromEntries(entries.map(([origin, seq]) => [origin, seq + CUTS]));
        store.prepare("UPDATE state SET clock = ?").run(JSON.stringify(ahead));
      });
      await pair.engines[follower].start();
      await pair.settled();
      await cuts(pair, leader, 2 * CUTS);
      await pair.settled();
      const status = await at(pair, follower, "status");
      expect(status.stdout).toContain("resynced");
      expect(status.stdout).not.toContain("store-inconsistent");
      expect(status.stdout).not.toContain("store-failed");
      const [one, other] = await Promise.all((["a", "b"] as const).map(async (label) => checksum(pair, label)));
      expect(one).toBe(other);
    });
  });

  test("EP6: an epoch out of reach in both stores: named, kept back, and reset-numbers leads both back", async () => {
    await withPair({}, async (pair) => {
      const first = await pair.start();
      await cuts(pair, first, 0);
      for (const label of ["a", "b"] as const) {
        await pair.kill(label);
        await inStore(pair, label, (store) => store.prepare("UPDATE state SET highest_epoch = ?").run(MAX_NUMBER + 1));
      }
      const leader = await pair.start();
      const follower = otherLabel(leader);
      for (const label of [follower, leader]) {
        expect(await alarms(pair, label)).toContain("number-out-of-reach");
        const shown = await at(pair, label, "status");
        expect(shown.stdout).toContain("changeover pair reset-numbers");
        const refused = await at(pair, label, "pair", "reset-numbers");
        expect(refused).toMatchObject({ code: 2, stdout: "" });
      }
      for (const label of [follower, leader]) {
        const done = await at(pair, label, "pair", "reset-numbers", "--yes");
        expect(done).toMatchObject({ code: 0, stderr: "" });
        expect(done.stdout).toMatch(/^highest epoch \d+, before \d+\n$/);
      }
      await pair.settled();
      for (const label of ["a", "b"] as const) expect(await alarms(pair, label)).not.toContain("number-out-of-reach");
      await cuts(pair, await pair.leader(), CUTS);
      const moved = await at(pair, await pair.leader(), "handover");
      expect(moved).toMatchObject({ code: 0, stderr: "" });
      expect((await pair.state(await pair.ready())).epoch).toBeLessThan(100);
    });
  });
});

async function at(pair: RealPair, label: Label, ...args: string[]): Promise<CliEnd> {
  return runCli(args, { CHANGEOVER_URL: pair.engines[label].url });
}

async function inStore(pair: RealPair, label: Label, change: (store: Database.Database) => void): Promise<void> {
  const store = new Database(join(pair.folder, label, "changeover.db"));
  try {
    change(store);
  } finally {
    store.close();
  }
}

async function cuts(pair: RealPair, label: Label, from: number): Promise<void> {
  for (let n = from; n < from + CUTS; n += 1) {
    const command = { kind: "POST /api/switch/cut", payload: { source: `cam${(n % 3) + 1}` } };
    expect((await call("POST", `${pair.engines[label].url}/api/commands`, command)).status).toBe(200);
  }
}

async function alarms(pair: RealPair, label: Label): Promise<readonly AlarmCode[]> {
  return (await pair.state(label)).alarms.map(({ code }) => code);
}

async function checksum(pair: RealPair, label: Label): Promise<unknown> {
  const { body } = await call("GET", `${pair.engines[label].url}/api/sync/state-snapshot`);
  return body?.["checksum"];
}
