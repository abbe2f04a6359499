/** Who is let in as a federation peer: pins of ids and keys, and liars of every kind. */
import { afterEach, describe, expect, it } from "vitest";
import type { SyncTransport } from "../../src/ports/sync-transport.ts";
import { keptOf as kept, newKey, peerOf, peerPort, Places, poll } from "../support/federation.ts";
import { originOf, type Place, shown } from "../support/replication-node.ts";

const places = new Places();
const { place, asking } = places;
afterEach(places.stop);

describe("a pin", () => {
  it("stops everything with whoever answers in another's place, before anything is stored", async () => {
    const there = place({ name: "there" });
    const impostor = place({ name: "impostor" });
    impostor.replication.records.set("show", "title", "mine now");
    let end = there;
    const here = asking(() => end.wayFor(originOf("here")));
    await poll(here, "there");
    const before = shown(here);
    end = impostor;
    const status = await poll(here, "there");
    expect(status).toMatchObject({
      state: "refused",
      id: "eng_there",
      health: { lastError: { reason: "identity_mismatch" } },
    });
    expect(shown(here)).toEqual(before);
    expect(kept(here, "seen")).toBe(status.lastSeen);
    end = there;
    expect(peerOf(here, "there").state).toBe("refused");
  });

  it("also stops one that has the id but not the key, another key, or somebody else's proof", async () => {
    const keyed = place({ name: "there", signatures: newKey() });
    let end = keyed.wayFor(originOf("here"));
    const here = asking(() => end, { signatures: newKey() });
    expect((await poll(here, "there")).health).toMatchObject({ lastError: null });
    const otherKey = place({ name: "there", signatures: newKey() }).wayFor(originOf("here"));
    const noKey = place({ name: "there" }).wayFor(originOf("here"));
    const replayed = await keyed.wayFor(originOf("here")).identity("an old challenge");
    const replaying = { ...noKey, identity: async () => replayed, close: () => undefined } as SyncTransport;
    for (const lie of [otherKey, noKey, replaying]) {
      end = lie;
      expect((await poll(here, "there")).health?.lastError).toMatchObject({ reason: "identity_mismatch" });
    }
    end = keyed.wayFor(originOf("here"));
    expect((await poll(here, "there")).health?.lastError).toBeNull();
  });
});

describe("whom a pin lets in", () => {
  it("goes before who answers first, when it is configured", async () => {
    const there = place({ name: "there", signatures: newKey() });
    const { fingerprint } = there.replication.federation.status();
    const way = () => there.wayFor(originOf("here"));
    const own = { signatures: newKey() };
    for (const pins of [{ pinnedId: "eng_other" }, { pinnedKey: `sha256:${"0".repeat(32)}` }]) {
      const status = await poll(asking(way, own, pins), "there");
      expect(status).toMatchObject({ state: "refused", keys: ["peer:there:health"] });
    }
    const right = asking(way, own, { pinnedId: "eng_there", pinnedKey: fingerprint });
    expect((await poll(right, "there")).health?.lastError).toBeNull();
  });

  it("refuses one that shows itself as another peer, met or only configured, whatever key it proves", async () => {
    const victim = place({ name: "victim", signatures: newKey() });
    const liar = place({ name: "victim", signatures: newKey() });
    const way = (end: Place) => end.wayFor(originOf("here"));
    const federation = [
      peerPort("victim", way(victim)),
      peerPort("liar", way(liar)),
      peerPort("late", way(liar), { pinnedId: "eng_late" }),
    ];
    const late = place({ name: "late" });
    federation.push(peerPort("early", way(late)));
    const here = place({ name: "here", signatures: newKey(), federation });
    await poll(here, "victim");
    const bound = here.store.replica.peerState.get(`origin:${originOf("victim")}:key`);
    for (const name of ["liar", "early"]) {
      expect(await poll(here, name)).toMatchObject({ state: "refused", keys: [`peer:${name}:health`] });
    }
    expect(here.store.replica.peerState.get(`origin:${originOf("victim")}:key`)).toBe(bound);
  });

  it("refuses this engine itself", async () => {
    const here = asking(() => here.wayFor(originOf("here")));
    expect((await poll(here, "there")).health?.lastError?.reason).toBe("identity_mismatch");
  });
});
