/** A real pair that publishes into a folder, while its leader is killed again and again. */
import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import { stateOf, until } from "../../src/cli/demo/observe.ts";
import type { ControlEvent } from "../../src/core/control-event.ts";
import { otherLabel } from "../../src/core/ids.ts";
import type { OutboxStatus } from "../../src/outbox/outbox.ts";
import { runCli } from "../cli/run-cli.ts";
import { call } from "../support/http-call.ts";
import { CommandLoad } from "../support/command-load.ts";
import { RealPair } from "../support/real-pair.ts";
import { eventsOf } from "./crash.suite.ts";

const KILLS = 3;
/** Commands acknowledged between two kills. */
const SOME = 40;
/** On a busy machine a follower is held up at times: what is acknowledged before a kill shall be safe on both. */
const PATIENT = { ackTimeoutMs: 2_000 };

async function depthOf(url: string): Promise<number> {
  const answer = await fetch(`${url}/api/outbox`);
  return ((await answer.json()) as OutboxStatus).depth;
}

test(
  `[A22] every command acknowledged over ${KILLS} kills of the leader stands in the feed, once and in order`,
  { timeout: 120_000 },
  async () => {
    const pair = await RealPair.prepare({ commands: PATIENT, outbox: { sink: "file" } });
    try {
      await pair.start();
      const load = CommandLoad.begin(pair, { paceMs: 5 });
      for (let kill = 0; kill < KILLS; kill += 1) {
        const before = load.acknowledged.length;
        await until("some commands", async () => load.acknowledged.length >= before + SOME, { pollMs: 1 });
        const leader = await pair.leader();
        await pair.kill(leader);
        await pair.untilLeads(otherLabel(leader));
        await pair.engines[leader].start();
        await pair.ready();
      }
      const acknowledged = await load.stop();
      await pair.settled();
      for (const label of ["a", "b"] as const) {
        await until(`all of ${label} is published`, async () => (await depthOf(pair.engines[label].url)) === 0);
      }
      judge(
        await eventsOf("file", pair.feed),
        acknowledged.map(({ kind }) => kind),
        (await stateOf(pair.engines.a.url))?.lastCommandSeq ?? 0,
      );
    } catch (error) {
      throw new Error(pair.lastWords(), { cause: error });
    } finally {
      await pair.close();
    }
  },
);

test("F1 RP3: `outbox status` ends with 1 while the feed is another one, and with 0 once it is resynced", async () => {
  const pair = await RealPair.prepare({ outbox: { sink: "file" } });
  const status = async (url: string) => runCli(["outbox", "status", "--url", url]);
  try {
    await pair.start();
    const leader = await pair.leader();
    const { url } = pair.engines[leader];
    const command = async (): Promise<number> =>
      (await call("POST", `${url}/api/commands`, { kind: "POST /load/1", payload: {} })).status;
    expect(await command()).toBe(200);
    await until("it is published", async () => (await depthOf(url)) === 0);
    expect(await status(url)).toMatchObject({ code: 0, stderr: "" });
    rmSync(pair.feed, { recursive: true });
    expect(await command()).toBe(200);
    await expect.poll(async () => (await status(url)).code, { timeout: 30_000 }).toBe(1);
    await expect
      .poll(async () => (await status(url)).stdout, { timeout: 30_000 })
      .toMatch(/^! feed-lost: .*\n {2}→ Run/m);
    expect((await runCli(["outbox", "resync", "--url", url])).code).toBe(0);
    await expect.poll(async () => (await status(url)).code, { timeout: 30_000 }).toBe(0);
  } catch (error) {
    throw new Error(pair.lastWords(), { cause: error });
  } finally {
    await pair.close();
  }
}, 120_000);

function judge(events: readonly ControlEvent[], acknowledged: readonly string[], lastSeq: number): void {
  const commands = events.filter(({ stackId }) => stackId === "programme");
  expect(new Set(commands.map(({ eventId }) => eventId)).size).toBe(commands.length);
  expect(commands.map(({ version }) => version)).toEqual(Array.from({ length: lastSeq }, (_, index) => index + 1));
  const told = new Set(commands.map(({ payload }) => (payload as { readonly kind: string }).kind));
  expect(acknowledged.filter((kind) => !told.has(kind))).toEqual([]);
  expect(events.filter(({ eventType }) => eventType === "leadership.began").length).toBeGreaterThan(KILLS);
}
