/** Strangers at the WebSocket peer channel: what they send is refused, counted, reported, and never delivered [HB2]. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeId } from "../../src/core/ids.ts";
import { encodeMessage } from "../../src/adapters/peer-messages.ts";
import type { PeerRefusal } from "../../src/ports/peer-channel.ts";
import { SAMPLES } from "../core/sample-messages.ts";
import { PeerEnd, hello } from "../support/peer-end.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { keyOf } from "../support/test-keys.ts";
import { waitUntil } from "../support/wait-until.ts";
import { WsPeerRig } from "../support/ws-peer-rig.ts";

const TOKEN = "peer-token";
const WHO = { pair: "studio-1", label: "b", link: "red", ...hello("b") } as const;
const KEY = keyOf("b");
const PEER = { engineId: WHO.engineId, key: KEY.key };
const TEXT = encodeMessage(SAMPLES.checkpoint);

let rig: WsPeerRig;
let a: PeerEnd;
let strangers: RawPeer[] = [];

beforeEach(async () => {
  rig = await WsPeerRig.start(["red"], TOKEN);
  a = new PeerEnd(rig.end(0, { pair: "studio-1", label: "a" }), "a", hello("a")).open(PEER);
});

afterEach(async () => {
  for (const stranger of strangers) stranger.ws.terminate();
  strangers = [];
  await rig.close();
});

async function connect(): Promise<RawPeer> {
  const stranger = await RawPeer.connect(rig.places[0].url, TOKEN);
  strangers.push(stranger);
  return stranger;
}

const refusals = (): PeerRefusal[] => a.refusals.map(({ refusal }) => refusal);

describe("WsPeerChannel: an impostor [HB2]", () => {
  it("without the token does not get a socket", async () => {
    await expect(RawPeer.connect(rig.places[0].url, "guessed")).rejects.toThrow(/401/);
    expect(refusals()).toEqual(["bad-token"]);
  });

  it("that cannot prove the token is closed with 4401", async () => {
    const stranger = await connect();
    await stranger.shakeHands("guessed", WHO, KEY);
    expect(await stranger.closed()).toBe(4401);
    expect(refusals()).toEqual(["bad-token"]);
    expect(a.ups).toEqual([]);
  });

  it("that sends a's own proof back to it is closed with 4401", async () => {
    const stranger = await connect();
    const ownHello = await stranger.frame(0);
    stranger.send(JSON.stringify({ ...(JSON.parse(ownHello) as object), ...WHO, type: "hello" }));
    stranger.send(await stranger.frame(1));
    expect(await stranger.closed()).toBe(4401);
    expect(a.ups).toEqual([]);
  });

  it.each([
    ["wrong-engine", 4403, { engineId: hello("impostor").engineId }],
    ["wrong-pair", 4404, { pair: "studio-2" }],
    ["own-label", 4409, { label: "a" as const }],
  ] as const)("with the token but %s is closed with %d", async (refusal, code, change) => {
    const stranger = await connect();
    await stranger.shakeHands(TOKEN, { ...WHO, ...change }, KEY);
    expect(await stranger.closed()).toBe(code);
    expect(refusals()).toEqual([refusal]);
    expect(a.ups).toEqual([]);
  });

  it("that speaks before it is proven is not heard", async () => {
    const stranger = await connect();
    stranger.send(TEXT);
    expect(await stranger.closed()).toBe(4400);
    expect(refusals()).toEqual(["bad-frame"]);
    expect(a.messages).toEqual([]);
  });
});

describe("WsPeerChannel: one with a stolen token [ID1]", () => {
  const thief = { key: KEY.key, sign: (text: string) => keyOf("thief").sign(text), verify: () => true };
  const stolen = { ...WHO, incarnation: makeId("incarnation", "999999999999999-x") };

  it.each([
    ["wrong-key", 4405, "of its own key", keyOf("thief"), true],
    ["bad-proof", 4402, "of the pinned key that it cannot sign with", thief, true],
    ["no-key", 4426, "of an older version", null, false],
  ] as const)(
    "P10 ID1: with a stolen token and the peer's name, %s is closed with %d",
    async (refusal, code, _how, signatures, keyed) => {
      const real = await connect();
      const seal = await real.shakeHands(TOKEN, WHO, KEY);
      await waitUntil(() => a.up);
      const impostor = await RawPeer.connect(rig.places[0].url, TOKEN, keyed);
      strangers.push(impostor);
      const forged = await impostor.shakeHands(TOKEN, stolen, signatures);
      for (let frame = 0; frame < 40; frame++) {
        impostor.send(forged.seal(encodeMessage({ type: "stale-epoch", highestEpoch: (frame + 1) * 2 ** 32 })));
      }
      expect(await impostor.closed()).toBe(code);
      expect(refusals()).toEqual([refusal]);
      expect(a.refusals[0]?.stranger?.key).toBe(refusal === "wrong-key" ? keyOf("thief").key : undefined);
      // The living peer's connection stands, and its next start is let in.
      real.send(seal.seal(TEXT));
      await waitUntil(() => a.messages.length === 1);
      expect(a.downs).toEqual([]);
      const restarted = await connect();
      await restarted.shakeHands(TOKEN, { ...WHO, incarnation: makeId("incarnation", "b-2") }, KEY);
      await waitUntil(() => a.ups.length === 2);
    },
  );

  it("P10 ID1: the peer itself with a start number out of reach is refused, and let in with the next", async () => {
    const far = await connect();
    await far.shakeHands(TOKEN, stolen, KEY);
    expect(await far.closed()).toBe(4422);
    expect(refusals()).toEqual(["out-of-reach"]);
    const next = await connect();
    await next.shakeHands(TOKEN, WHO, KEY);
    await waitUntil(() => a.up);
  });

  it("ID2: once another engine is pinned, it is let in and the one before is not", async () => {
    const old = await connect();
    await old.shakeHands(TOKEN, WHO, KEY);
    await waitUntil(() => a.up);
    a.channel.repin({ engineId: hello("new").engineId, key: keyOf("new").key });
    await old.closed();
    const replacement = await connect();
    await replacement.shakeHands(TOKEN, { ...WHO, ...hello("new") }, keyOf("new"));
    await waitUntil(() => a.up);
    const again = await connect();
    await again.shakeHands(TOKEN, WHO, KEY);
    expect(await again.closed()).toBe(4403);
  });
});

describe("WsPeerChannel: frames of an open session", () => {
  it("replayed, unsealed, altered, or of another session are dropped, and the link stays", async () => {
    const first = await connect();
    const oldSeal = await first.shakeHands(TOKEN, WHO, KEY);
    await waitUntil(() => a.up);
    const second = await connect();
    const seal = await second.shakeHands(TOKEN, WHO, KEY);
    await first.closed();

    const good = seal.seal(TEXT);
    second.send(good);
    second.send(good);
    second.send(TEXT);
    second.send(good.replace('"seq":10', '"seq":11'));
    second.send(good.replace(/\.1\./, ".9."));
    second.send(oldSeal.seal(TEXT));
    second.send(seal.seal('{"type":"reboot"}'));
    second.send(seal.seal(TEXT));
    await waitUntil(() => a.messages.length === 2);
    expect(refusals()).toEqual(["replayed", "bad-frame", "bad-frame", "bad-frame", "bad-frame", "bad-frame"]);
    expect(a.messages.map(({ message }) => message)).toEqual([SAMPLES.checkpoint, SAMPLES.checkpoint]);
    expect(a.up).toBe(true);
  });

  it("that do not open, one after another, end the session in the end", async () => {
    const stranger = await connect();
    await stranger.shakeHands(TOKEN, WHO, KEY);
    await waitUntil(() => a.up);
    for (let frame = 0; frame < 40; frame++) stranger.send("AAAAAAAAAAAAAAAAAAAAAA.1.{}");
    expect(await stranger.closed()).toBe(4400);
    expect(refusals().length).toBeLessThanOrEqual(16);
    expect(a.downs).toMatchObject([{ link: "red", socketClosed: false }]);
  });

  it("that are binary or beyond 2 MB end it at once", async () => {
    const binary = await connect();
    await binary.shakeHands(TOKEN, WHO, KEY);
    await waitUntil(() => a.up);
    binary.send(Buffer.from(TEXT));
    expect(await binary.closed()).toBe(4400);

    const huge = await connect();
    await huge.shakeHands(TOKEN, WHO, KEY);
    await waitUntil(() => a.up);
    huge.send("x".repeat(2_200_000));
    await huge.closed();
    await waitUntil(() => refusals().includes("too-large"));
    expect(a.messages).toEqual([]);
  });
});

describe("WsPeerChannel: crowds and noise", () => {
  it("ID1: shakes hands with at most 32 at once, lets the oldest go first, and drops the idle ones after 2 s", async () => {
    const crowd: RawPeer[] = [];
    for (let stranger = 0; stranger < 50; stranger++) crowd.push(await connect());
    await waitUntil(() => refusals().length === 18);
    expect(new Set(refusals())).toEqual(new Set(["too-many"]));
    const open = (): RawPeer[] => crowd.filter(({ closeCode }) => closeCode === null);
    await waitUntil(() => open().length === 32);
    expect(open()).toEqual(crowd.slice(18));
    // The peer gets its turn in the middle of the crowd.
    const late = await connect();
    await late.shakeHands(TOKEN, WHO, KEY);
    await waitUntil(() => a.up);
    await waitUntil(() => open().length === 0);
    expect(a.up).toBe(true);
  });

  it("survives any first frame", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json(), fc.constant("x".repeat(5_000))), async (frame) => {
        const stranger = await connect();
        stranger.send(frame);
        return [4400, 4413].includes(await stranger.closed());
      }),
      { numRuns: 60 },
    );
    expect(a.ups).toEqual([]);
    expect(a.messages).toEqual([]);
  });
});
