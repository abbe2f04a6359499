/** A witness that shows what is not this pair's: another pair of the same name, a stray engine, a damaged record [VT7]. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stateOf, until } from "../../src/cli/demo/observe.ts";
import { EngineProcess } from "../../src/cli/demo/processes.ts";
import type { CoordinatorState } from "../../src/coordinator/types.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { runCli } from "../cli/run-cli.ts";
import { freePort } from "../support/free-port.ts";
import { call } from "../support/http-call.ts";
import { RealPair, type RealPairOptions } from "../support/real-pair.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { describeWithServer } from "../support/servers.ts";
import { withPair } from "../support/stage-pair.ts";
import { PATIENCE_MS } from "./suites.ts";

const CLI = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const LABELS = ["a", "b"] as const;
/** Longer than every wait of the protocol, so that what would move has moved. */
const LASTS_MS = 5_000;

const alarmsOf = (state: CoordinatorState): string[] => state.alarms.map(({ code }) => code);

async function submit(pair: RealPair, label: Label, source: string): Promise<unknown> {
  const command = { kind: "POST /api/switch/cut", payload: { source } };
  return (await call("POST", `${pair.engines[label].url}/api/commands`, command)).body;
}

/** A further pair while one of `withPair` runs. */
async function besides(options: RealPairOptions, play: (pair: RealPair) => Promise<void>): Promise<void> {
  const pair = await RealPair.prepare(options);
  try {
    await play(pair);
  } finally {
    await pair.close();
  }
}

/** Watches for a while that `leader` leads in its epoch, without a gap. */
async function nothingMoves(pair: RealPair, leader: Label): Promise<void> {
  const { epoch } = await pair.state(leader);
  const endMs = performance.now() + LASTS_MS;
  while (performance.now() < endMs) {
    expect(await pair.state(leader)).toMatchObject({ role: "leader", mayAct: true, epoch });
    expect(await pair.state(otherLabel(leader))).toMatchObject({ role: "follower", epoch });
    await until("a while", async () => true, { pollMs: 20 });
  }
}

async function twoOfAName(server: RedisServer): Promise<void> {
  const name = "two-of-a-name";
  await withPair({ redis: server.url, pair: name }, async (first) => {
    const leader = await first.start();
    await besides({ redis: server.url, pair: name }, async (second) => {
      const other = await second.start();
      for (const label of LABELS) {
        await second.untilState(label, "tells the stranger", (state) => alarmsOf(state).includes("witness-foreign"));
      }
      await Promise.all([nothingMoves(first, leader), nothingMoves(second, other)]);
      expect(alarmsOf(await first.state(leader))).not.toContain("witness-foreign");
      const { alarms, confirmedBy } = await second.state(other);
      const { engineId } = await first.state(leader);
      expect(alarms.find(({ code }) => code === "witness-foreign")?.detail).toContain(engineId);
      expect(confirmedBy).toBe("peer");
      expect(await submit(first, leader, "cam2")).toMatchObject({ durability: "pair" });
      expect(await submit(second, other, "cam3")).toMatchObject({ durability: "pair" });
      await Promise.all(LABELS.map((label) => first.kill(label)));
      const adopted = await call("POST", `${second.engines[other].url}/api/witness/adopt`, {});
      expect([adopted.status, adopted.body?.["adopted"]]).toEqual([200, true]);
      await second.untilState(other, "has the witness", ({ confirmedBy: by }) => by === "both");
      const again = await call("POST", `${second.engines[other].url}/api/witness/adopt`, {});
      expect([again.status, again.body?.["code"]]).toEqual([409, "nothing_to_adopt"]);
      for (const label of LABELS) {
        await second.untilState(label, "is clear", (state) => !alarmsOf(state).includes("witness-foreign"));
      }
    });
  });
}

let strays = 0;

/** `folderOf`: the stray one also runs on a copy of a data folder; null: on an empty one. */
async function strayEngine(server: RedisServer, folderOf: "leader" | "follower" | null): Promise<void> {
  await withPair({ redis: server.url, pair: `stray-${(strays += 1)}` }, async (pair) => {
    const leader = await pair.start();
    const label = folderOf === "follower" ? otherLabel(leader) : leader;
    const copied = JSON.parse(readFileSync(join(pair.folder, `engine-${label}.yaml`), "utf8")) as { dataDir: string };
    const [port, nobody] = [await freePort(), await freePort()];
    const configFile = join(pair.folder, "stray.yaml");
    const stray = {
      ...copied,
      listen: { host: "127.0.0.1", port },
      dataDir: join(pair.folder, "stray"),
      peer: { links: [{ name: "red", url: `ws://127.0.0.1:${nobody}` }], url: `http://127.0.0.1:${nobody}` },
    };
    writeFileSync(configFile, JSON.stringify(stray));
    if (folderOf !== null) cpSync(copied.dataDir, stray.dataDir, { recursive: true });
    const url = `http://127.0.0.1:${port}`;
    const logFile = join(pair.folder, "stray.log");
    const engine = new EngineProcess({ label, url, configFile, launcher: CLI, logFile });
    try {
      await engine.start();
      await until("the stray one says it", async () => {
        const state = await stateOf(url);
        return state !== null && alarmsOf(state).includes(folderOf === null ? "witness-foreign" : "peer-unreachable");
      });
      await nothingMoves(pair, leader);
      expect(await stateOf(url)).toMatchObject({ role: "follower", mayAct: false });
      // The peer's death is proven to it, but it has never met this peer.
      await pair.kill(otherLabel(leader));
      await pair.untilState(leader, "is alone", ({ peer }) => peer.state === "dead");
      expect(await stateOf(url)).toMatchObject({ role: "follower", mayAct: false });
      expect(await pair.state(leader)).toMatchObject({ role: "leader", mayAct: true });
    } finally {
      engine.kill();
      await engine.gone();
    }
  });
}

describeWithServer("redis-server", "strangers at the witness", () => {
  let server: RedisServer;
  let admin: Redis;
  beforeAll(async () => {
    server = await startRedis();
    admin = new Redis(server.url);
  });
  afterAll(async () => {
    admin.disconnect();
    await server.stop();
  });

  describe("with Redis", { timeout: PATIENCE_MS }, () => {
    test("P7 VT7: two pairs of one name on one Redis: an alarm at the second, no role change; `adopt` ends it", () =>
      twoOfAName(server));

    test("P7 VT7: a stray engine with a copied configuration that reaches only Redis moves nothing", () =>
      strayEngine(server, null));

    test.each(["leader", "follower"] as const)(
      "P7 DP1: a stray engine on a copy of the %s's folder that reaches only Redis moves nothing",
      async (folderOf) => strayEngine(server, folderOf),
    );

    test.each([
      ["both fields", (body: object) => ["version", `a:1:${Number.MAX_SAFE_INTEGER}`, "body", JSON.stringify(body)]],
      ["the body alone", (body: object) => ["body", JSON.stringify(body)]],
    ])(
      "P10 VT7: the record's seq set to 2^53-1 in %s: an alarm, the pair goes on; DEL heals",
      async (_what, fields) => {
        const name = `damaged-${_what.length}`;
        const key = `changeover:{${name}}:record`;
        await withPair({ redis: server.url, pair: name }, async (pair) => {
          const leader = await pair.start();
          const body = JSON.parse((await admin.hget(key, "body")) ?? "") as object;
          await admin.hset(key, ...fields({ ...body, seq: Number.MAX_SAFE_INTEGER }));
          for (const label of LABELS) {
            await pair.untilState(label, "tells the damage", (state) => alarmsOf(state).includes("witness-corrupt"));
          }
          await nothingMoves(pair, leader);
          expect(await submit(pair, leader, "cam2")).toMatchObject({ durability: "pair" });
          expect((await pair.state(leader)).confirmedBy).toBe("peer");
          await admin.del(key);
          await pair.untilState(leader, "has the witness", ({ confirmedBy }) => confirmedBy === "both");
          for (const label of LABELS) {
            await pair.untilState(label, "is clear", (state) => !alarmsOf(state).includes("witness-corrupt"));
          }
          expect(await pair.leader()).toBe(leader);
        });
      },
    );

    test("P10 VT7: a key of another type, too; `changeover witness adopt` heals it", async () => {
      const name = "of-another-type";
      const key = `changeover:{${name}}:record`;
      await withPair({ redis: server.url, pair: name }, async (pair) => {
        const leader = await pair.start();
        await admin.set(key, "a note");
        await pair.untilState(leader, "tells the damage", (state) => alarmsOf(state).includes("witness-corrupt"));
        expect(await submit(pair, leader, "cam2")).toMatchObject({ durability: "pair" });
        const { stdout } = await runCli(["witness", "adopt", "--url", pair.engines[leader].url]);
        expect(stdout).toContain("adopted");
        await pair.untilState(leader, "has the witness", ({ confirmedBy }) => confirmedBy === "both");
        expect(await admin.type(key)).toBe("hash");
      });
    });
  });
});
