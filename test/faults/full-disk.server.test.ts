/** The disk of one engine is full: it says so and refuses, goes on running, and takes part again once there is room. */
import { describe, expect, test } from "vitest";
import { until } from "../../src/cli/demo/observe.ts";
import { otherLabel } from "../../src/core/ids.ts";
import { call, type CallAnswer } from "../support/http-call.ts";
import { UNMET_NEED } from "../support/left-out-reporter.ts";
import type { RealPair } from "../support/real-pair.ts";
import { SmallDisk } from "../support/small-disk.ts";
import { withPair } from "../support/stage-pair.ts";
import { expectWhole } from "../support/verdict.ts";
import { PATIENCE_MS } from "./suites.ts";

const MEGABYTES = 12;
/** Fills what the store had reserved. */
const PADDING = "x".repeat(16_384);

const tried = SmallDisk.mount(1);
tried?.unmount();
const able = tried !== null || process.env["CI"] === "true";

describe.skipIf(!able)(able ? "a full disk" : `a full disk — ${UNMET_NEED} the right to mount (run as root)`, () => {
  test.each(["leader", "follower"] as const)("P8 EN7: of the %s", { timeout: PATIENCE_MS }, async (whose) => {
    const disk = SmallDisk.mount(MEGABYTES);
    if (disk === null) throw new Error("no right to mount");
    try {
      await withPair({ dataDirOfB: disk.folder }, async (pair) => {
        const probe = async (label: "a" | "b", path: string): Promise<number> =>
          (await fetch(`${pair.engines[label].url}${path}`)).status;
        await leadBy(pair, whose === "leader" ? "b" : "a");
        const pids = [pair.engines.a.pid, pair.engines.b.pid];
        disk.fill();
        await until("b has alarmed", async () => {
          const leader = await pair.leader();
          const answer = await submit(pair, leader);
          // Never half of it: taken, or refused with a reason that a client can act on.
          expect([200, 409, 503]).toContain(answer.status);
          if (answer.status === 503) expect(answer.body?.["code"]).toBe("store_failed");
          return (await pair.state("b")).alarms.some(({ code }) => code === "store-failed");
        });
        // P8: the healthy engine leads at once, whoever led, and takes commands; b tells the truth.
        await until("a leads and takes commands", async () => (await submit(pair, "a")).status === 200, {
          withinMs: 2_000,
        });
        expect(await probe("b", "/leader")).toBe(503);
        // The store reuses room of its own for a while, so commands have to keep coming.
        await until("b is not ready", async () => {
          expect((await submit(pair, "a")).status).toBe(200);
          return (await probe("b", "/ready")) === 503;
        });
        expect(await probe("a", "/leader")).toBe(200);
        disk.free();
        await until("commands are safe on both again", async () => {
          const { status, body } = await submit(pair, await pair.leader());
          return status === 200 && body?.["durability"] === "pair";
        });
        expect([pair.engines.a.pid, pair.engines.b.pid]).toEqual(pids);
        await pair.untilState(
          "b",
          "the alarm is over",
          ({ alarms }) => !alarms.some(({ code }) => code === "store-failed"),
        );
        await expectWhole(pair, []);
      });
    } finally {
      disk.unmount();
    }
  });
});

let commands = 0;

async function submit(pair: RealPair, label: "a" | "b"): Promise<CallAnswer> {
  commands += 1;
  const command = { kind: `POST /full/${commands}`, payload: { padding: PADDING } };
  return call("POST", `${pair.engines[label].url}/api/commands`, command);
}

async function leadBy(pair: RealPair, wanted: "a" | "b"): Promise<void> {
  if ((await pair.start()) === wanted) return;
  const answer = await call("POST", `${pair.engines[otherLabel(wanted)].url}/api/handover`);
  expect(answer.status).toBe(200);
  expect(await pair.ready()).toBe(wanted);
}
