/** Strangers at the address of a real engine whose peer is alive: nothing of theirs comes in, and it is told. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { CoordinatorState } from "../../src/coordinator/types.ts";
import { ask, until } from "../../src/cli/demo/observe.ts";
import type { EngineId, Label } from "../../src/core/ids.ts";
import { call } from "../support/http-call.ts";
import { hello } from "../support/peer-end.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { keyOf } from "../support/test-keys.ts";
import type { RealPair } from "../support/real-pair.ts";
import { withPair } from "../support/stage-pair.ts";

const TOKEN = "token-of-the-pair";
const OPERATOR = { authorization: "Bearer token-of-an-operator" };

test("[A20] [HB2] an impostor is refused, counted and alarmed; the pair goes on", { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "changeover-tokens-"));
  const token = (name: string, role: string, value: string) => {
    writeFileSync(join(folder, name), value);
    return { name, role, file: join(folder, name) };
  };
  const tokens = [token("pair", "peer", TOKEN), token("ops", "operator", "token-of-an-operator")];
  try {
    await withPair({ auth: { tokens } }, async (pair) => {
      await Promise.all([pair.engines.a.start(), pair.engines.b.start()]);
      await until("both are ready", async () => (await isReady(pair, "a")) && (await isReady(pair, "b")));
      const leader = await pair.leader();
      const before = await stateOf(pair, leader);
      await haunt(pair.engines[leader].url.replace("http", "ws"), before);
      const after = await stateOf(pair, leader);
      expect(after.peer.refused).toBeGreaterThan(before.peer.refused);
      expect(after.alarms.map(({ code }) => code)).toContain("peer-refused");
      expect(after).toMatchObject({ role: "leader", epoch: before.epoch, lastCommandSeq: before.lastCommandSeq });
      expect(after.peer).toMatchObject({ engineId: before.peer.engineId, state: "alive" });
      const command = { kind: "POST /api/switch/cut", payload: { source: "cam2" } };
      const taken = await call("POST", `${pair.engines[leader].url}/api/commands`, command, OPERATOR);
      expect(taken).toMatchObject({ status: 200, body: { durability: "pair" } });
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Every stranger in turn, each until it is sent away. */
async function haunt(url: string, { pair, engineLabel, peer }: CoordinatorState): Promise<void> {
  await expect(RawPeer.connect(url, "guessed")).rejects.toThrow(/401/);
  const label = engineLabel === "a" ? "b" : "a";
  const who = { pair, label, link: "red", ...hello(label), engineId: peer.engineId as EngineId } as const;
  const guesser = await RawPeer.connect(url, TOKEN);
  const guessed = recordOf(guesser);
  await guesser.shakeHands("guessed", who, keyOf("thief"));
  expect(await guesser.closed()).toBe(4401);
  const stranger = await RawPeer.connect(url, TOKEN);
  const proven = recordOf(stranger);
  await stranger.shakeHands(TOKEN, { ...who, engineId: hello("impostor").engineId }, keyOf("thief"));
  expect(await stranger.closed()).toBe(4403);
  for (const [change, code] of [
    [{ pair: "another" }, 4404],
    [{ label: engineLabel }, 4409],
  ] as const) {
    const wrong = await RawPeer.connect(url, TOKEN);
    await wrong.shakeHands(TOKEN, { ...who, ...change }, keyOf("thief"));
    expect(await wrong.closed()).toBe(code);
  }
  // A proof that was right in one handshake proves nothing in the next.
  const replay = await RawPeer.connect(url, TOKEN);
  for (const frame of [guessed[0], proven[1]]) replay.send(frame ?? "");
  expect(await replay.closed()).toBe(4401);
  const babble = await RawPeer.connect(url, TOKEN);
  babble.send(Buffer.alloc(1_000, 0xff));
  expect(await babble.closed()).toBeGreaterThanOrEqual(1_000);
}

/** What it sends from now on. */
function recordOf(peer: RawPeer): readonly string[] {
  const sent: string[] = [];
  const send = peer.send.bind(peer);
  peer.send = (frame) => {
    sent.push(String(frame));
    send(frame);
  };
  return sent;
}

async function isReady(pair: RealPair, label: Label): Promise<boolean> {
  return (await ask(`${pair.engines[label].url}/ready`))?.status === 200;
}

async function stateOf(pair: RealPair, label: Label): Promise<CoordinatorState> {
  const { body } = await call("GET", `${pair.engines[label].url}/api/state`, undefined, OPERATOR);
  return body as unknown as CoordinatorState;
}
