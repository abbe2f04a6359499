/** Contract of the port PeerChannel, for every adapter. */
import { afterEach, describe, expect, it } from "vitest";
import type { Label } from "../../src/core/ids.ts";
import type { PeerChannel } from "../../src/ports/peer-channel.ts";
import { SAMPLES, sampleCommand } from "../core/sample-messages.ts";
import { PeerEnd, hello } from "../support/peer-end.ts";
import { keyOf } from "../support/test-keys.ts";
import { waitUntil } from "../support/wait-until.ts";

/** Where two channels can meet. A side may be given a new channel once its old one is closed. */
export interface PeerChannelRig {
  readonly end: (side: 0 | 1, init: { readonly pair: string; readonly label: Label }) => PeerChannel;
  readonly close: () => Promise<void>;
}

type StartRig = (links: readonly string[]) => Promise<PeerChannelRig>;
type Start = (links?: readonly string[]) => Promise<PeerChannelRig>;

const PAIR = "studio-1";

export function peerChannelContract(name: string, startRig: StartRig): void {
  describe(`peer channel contract: ${name}`, () => {
    const rigs: PeerChannelRig[] = [];
    const start: Start = async (links = ["red"]) => {
      const rig = await startRig(links);
      rigs.push(rig);
      return rig;
    };
    afterEach(async () => {
      for (const rig of rigs.splice(0)) await rig.close();
    });
    carrying(start);
    sending(start);
    identity(start);
    heartbeats(start);
    endings(start);
  });
}

/** Engine `name` on its side, not yet open. */
function engine(rig: PeerChannelRig, label: Label, start = 1, pair = PAIR): PeerEnd {
  const side = label === "a" ? 0 : 1;
  return new PeerEnd(rig.end(side, { pair, label }), label, hello(label, start));
}

async function meet(rig: PeerChannelRig): Promise<{ a: PeerEnd; b: PeerEnd }> {
  const a = engine(rig, "a").open();
  const b = engine(rig, "b").open();
  await waitUntil(() => a.up && b.up);
  return { a, b };
}

function carrying(start: Start): void {
  it("brings every link up on both sides and says who is there", async () => {
    const { a, b } = await meet(await start(["red", "blue"]));
    expect(new Set(a.ups.map(({ link }) => link))).toEqual(new Set(["red", "blue"]));
    for (const { peer } of a.ups) expect(peer).toEqual(b.self);
    for (const { peer } of b.ups) expect(peer).toEqual(a.self);
  });

  it("carries every type of message unchanged, once, in order", async () => {
    const { a, b } = await meet(await start(["red", "blue"]));
    const sent = Object.values(SAMPLES).filter(({ type }) => type !== "heartbeat");
    for (const message of sent) expect(a.channel.send(message)).toBe(true);
    await waitUntil(() => b.messages.length >= sent.length);
    expect(b.messages.map(({ message }) => message)).toEqual(sent);
    expect(a.messages).toEqual([]);
  });

  it("keeps the order of a burst in both directions at once", async () => {
    const { a, b } = await meet(await start());
    for (let seq = 1; seq <= 500; seq++) {
      a.channel.send({ type: "replicated", epoch: 1, throughSeq: seq });
      b.channel.send({ type: "checkpoint", epoch: 1, seq });
    }
    await waitUntil(() => a.messages.length === 500 && b.messages.length === 500);
    const seqs = Array.from({ length: 500 }, (_, index) => index + 1);
    expect(b.messages.map(({ message }) => message.type === "replicated" && message.throughSeq)).toEqual(seqs);
    expect(a.messages.map(({ message }) => message.type === "checkpoint" && message.seq)).toEqual(seqs);
  });

  it("stamps the receipt on the monotonic clock and names the link", async () => {
    const { a, b } = await meet(await start());
    const before = performance.now();
    a.channel.send(SAMPLES.checkpoint);
    await waitUntil(() => b.messages.length === 1);
    expect(b.messages[0]).toMatchObject({ link: "red" });
    expect(b.messages[0]?.receivedAtMonoMs).toBeGreaterThanOrEqual(before);
    expect(b.messages[0]?.receivedAtMonoMs).toBeLessThanOrEqual(performance.now());
  });
}

function sending(start: Start): void {
  it("sends nothing and says so while no link is open", async () => {
    const rig = await start();
    const a = engine(rig, "a").open();
    expect(a.channel.send(SAMPLES.checkpoint)).toBe(false);
    expect(a.channel.broadcast(a.heartbeat(1))).toBe(0);
    expect(a.channel.links()).toEqual([{ name: "red", up: false, bufferedBytes: 0 }]);
  });

  it("refuses to send what the other side would not read, and says so", async () => {
    const { a, b } = await meet(await start());
    const commands = [{ ...sampleCommand, payload: "x".repeat(2_200_000) }];
    expect(a.channel.send({ ...SAMPLES.replicate, commands })).toBe(false);
    expect(a.refusals.map(({ refusal }) => refusal)).toEqual(["too-large"]);
    expect(a.channel.send(SAMPLES.checkpoint)).toBe(true);
    await waitUntil(() => b.messages.length === 1);
  });

  it("bounds what waits to be sent", async () => {
    const { a } = await meet(await start());
    const piece = { ...SAMPLES["snapshot-piece"], text: "x".repeat(1_000_000) };
    let taken = 0;
    while (taken < 64 && a.channel.send({ ...piece, index: taken })) taken++;
    expect(taken).toBeLessThan(64);
    expect(a.channel.links()[0]?.bufferedBytes).toBeLessThanOrEqual(4_194_304);
    await waitUntil(() => a.channel.send(SAMPLES.checkpoint));
  });
}

function identity(start: Start): void {
  it("[HB2] asks once about the first peer, and lets in only that engine from then on", async () => {
    const rig = await start(["red", "blue"]);
    const { a, b } = await meet(rig);
    expect(a.contacts).toMatchObject([{ engineId: b.self.engineId }]);
    await b.channel.close();
    const impostor = new PeerEnd(rig.end(1, { pair: PAIR, label: "b" }), "b", hello("impostor")).open();
    await waitUntil(() => a.refusals.some(({ refusal }) => refusal === "wrong-engine"));
    expect(a.contacts).toHaveLength(1);
    // It may take the link for open until it hears that it was refused.
    await waitUntil(() => !impostor.channel.send(SAMPLES.checkpoint));
    expect(a.messages).toEqual([]);
  });

  it("[HB2] lets in no engine but the pinned one, and does not ask", async () => {
    const rig = await start();
    const a = engine(rig, "a").open({ engineId: hello("somebody else").engineId, key: keyOf("somebody else").key });
    engine(rig, "b").open();
    await waitUntil(() => a.refusals.some(({ refusal }) => refusal === "wrong-engine"));
    expect(a.contacts).toEqual([]);
    expect(a.ups).toEqual([]);
  });

  it("[HB2] turns a first peer away when the answer is no", async () => {
    const rig = await start();
    const a = engine(rig, "a").open(null, false);
    engine(rig, "b").open();
    await waitUntil(() => a.refusals.some(({ refusal }) => refusal === "wrong-engine"));
    expect(a.contacts.length).toBeGreaterThan(0);
    expect(a.ups).toEqual([]);
  });

  it("[HB2] turns away its own label", async () => {
    const rig = await start();
    const a = engine(rig, "a").open();
    new PeerEnd(rig.end(1, { pair: PAIR, label: "a" }), "a", hello("twin")).open();
    await waitUntil(() => a.refusals.some(({ refusal }) => refusal === "own-label"));
    expect(a.contacts).toEqual([]);
    expect(a.ups).toEqual([]);
  });

  it("[HB2] turns away another pair", async () => {
    const rig = await start();
    const a = engine(rig, "a").open();
    engine(rig, "b", 1, "studio-2").open();
    await waitUntil(() => a.refusals.some(({ refusal }) => refusal === "wrong-pair"));
    expect(a.contacts).toEqual([]);
    expect(a.ups).toEqual([]);
  });
}

function heartbeats(start: Start): void {
  it("[HB1] broadcasts over every link; of the copies one counts, silently", async () => {
    const { a, b } = await meet(await start(["red", "blue"]));
    for (let n = 1; n <= 20; n++) {
      expect(a.channel.broadcast(a.heartbeat(n))).toBe(2);
      await waitUntil(() => b.beats.includes(n));
    }
    a.channel.send(SAMPLES.checkpoint);
    await waitUntil(() => b.messages.length > 20);
    expect(b.beats).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  it("[HB2] [HB4] drops a heartbeat that is not above the last, silently: it may have come late over a slower link", async () => {
    const { a, b } = await meet(await start());
    for (const n of [5, 4, 5, 1, 6]) a.channel.broadcast(a.heartbeat(n));
    await waitUntil(() => b.beats.includes(6));
    expect(b.beats).toEqual([5, 6]);
    expect(b.refusals).toEqual([]);
  });

  it("[HB2] drops and counts heartbeats that name another engine, incarnation or label than their sender", async () => {
    const { a, b } = await meet(await start());
    a.channel.broadcast(a.heartbeat(1, { engineId: hello("impostor").engineId }));
    a.channel.broadcast(a.heartbeat(1, { incarnation: hello("a", 2).incarnation }));
    a.channel.broadcast(a.heartbeat(1, { label: "b" }));
    a.channel.broadcast(a.heartbeat(1));
    await waitUntil(() => b.beats.length > 0);
    expect(b.beats).toEqual([1]);
    expect(b.refusals.map(({ refusal }) => refusal)).toEqual(["wrong-engine", "replayed", "own-label"]);
  });
}

function endings(start: Start): void {
  it("tells each link that the other side's end has closed", async () => {
    const { a, b } = await meet(await start(["red", "blue"]));
    await b.channel.close();
    await waitUntil(() => a.downs.length === 2);
    expect(a.downs.every(({ socketClosed }) => socketClosed)).toBe(true);
    expect(a.channel.links().some(({ up }) => up)).toBe(false);
    expect(a.channel.send(SAMPLES.checkpoint)).toBe(false);
  });

  it("tells nothing any more once it is closed, and may be closed twice", async () => {
    const { a, b } = await meet(await start());
    b.channel.send(SAMPLES.checkpoint);
    await a.channel.close();
    await a.channel.close();
    const told = a.messages.length;
    await waitUntil(() => b.downs.length === 1);
    expect(a.messages).toHaveLength(told);
    expect(a.downs).toEqual([]);
    expect(a.channel.send(SAMPLES.checkpoint)).toBe(false);
    expect(a.channel.broadcast(a.heartbeat(1))).toBe(0);
  });

  it("takes a new incarnation of its peer, whose counter starts anew, and never the old one again", async () => {
    const rig = await start();
    const { a, b } = await meet(rig);
    b.channel.broadcast(b.heartbeat(900));
    await waitUntil(() => a.beats.includes(900));
    await b.channel.close();
    const again = engine(rig, "b", 2).open();
    await waitUntil(() => a.up && again.up);
    again.channel.broadcast(again.heartbeat(1));
    await waitUntil(() => a.beats.includes(1));
    expect(a.ups.at(-1)?.peer).toEqual(again.self);
    await again.channel.close();
    engine(rig, "b", 1).open();
    await waitUntil(() => a.refusals.some(({ refusal }) => refusal === "replayed"));
    expect(a.up).toBe(false);
  });

  it("takes an incarnation that was followed by another once its peer is pinned anew, for a peer on an older folder", async () => {
    const rig = await start();
    const { a, b } = await meet(rig);
    await b.channel.close();
    const again = engine(rig, "b", 2).open();
    await waitUntil(() => a.up && again.up);
    await again.channel.close();
    const restored = engine(rig, "b", 1).open();
    await waitUntil(() => a.refusals.some(({ refusal }) => refusal === "replayed"));
    a.channel.repin(a.contacts[0] ?? null);
    await waitUntil(() => a.up && restored.up);
    expect(a.ups.at(-1)?.peer).toEqual(restored.self);
  });
}
