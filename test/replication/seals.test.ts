/** Signatures of operations: whose they are, how they travel, and what is done about those that do not hold. */
import { afterEach, describe, expect, it } from "vitest";
import type { Ed25519Signatures } from "../../src/adapters/basics.ts";
import { formatSeal, sealedOpText } from "../../src/core/signature.ts";
import type { Op } from "../../src/core/operation.ts";
import type { SignatureMode } from "../../src/replication/seals.ts";
import { newKey, peerPort, Places, poll, wayTo } from "../support/federation.ts";
import { altered, originOf, type Place, type PlaceInit, shown, wired } from "../support/replication-node.ts";

const places = new Places();
afterEach(places.stop);

function place(init: PlaceInit, signatures: SignatureMode = "enforce"): Place {
  return places.place({ signatures: newKey(), ...init, init: { ...init.init, signatures } });
}

/** What of `ops` became, pushed to `at` by `via`. */
function pushed(at: Place, ops: readonly Op[], via = "rec_relay"): string[] {
  const { results } = at.replication.hub.push({ origin: via, token: null }, wired(ops) as never);
  return results.map((one) =>
    "reason" in one && one.reason !== undefined ? `${one.outcome} ${one.reason}` : one.outcome,
  );
}

/** The operations of `at` as it gives them to others. */
const given = (at: Place): readonly Op[] =>
  at.replication.hub.pull({ caller: { origin: "", token: null }, after: "", limit: 100, maxBytes: 1_048_576 }).ops;

/** `op` with the signature of another key. */
function signedBy(op: Op, key: Ed25519Signatures): Op {
  return { ...op, signature: formatSeal({ key: key.key, signature: key.sign(sealedOpText(op.checksum)) }) };
}

/** A place that wrote `count` operations. */
function writer(name: string, count: number, init: Partial<PlaceInit> = {}): Place {
  const made = place({ name, ...init });
  for (let n = 1; n <= count; n += 1) made.replication.records.set("show", name, n);
  return made;
}

describe("a signature", () => {
  it("belongs to the origin: it comes whole through a hub that trusts nobody, to one that never met the origin", async () => {
    const origin = writer("origin", 2);
    const hub = place({ name: "hub" });
    expect(pushed(hub, given(origin), originOf("origin"))).toEqual(["applied", "applied"]);
    const far = place({
      name: "far",
      federation: [
        peerPort(
          "hub",
          wayTo(() => hub.wayFor(originOf("far"))),
        ),
      ],
    });
    far.replication.federation.start();
    expect((await poll(far, "hub")).health?.lastError).toBeNull();
    expect(shown(far)).toEqual(shown(hub));
    expect(given(far)).toEqual(given(origin));
  });

  it("is made with the key of today, also of operations from before there was one", () => {
    const unsigned = writer("origin", 1, { init: {} });
    expect(given(place({ name: "origin", store: unsigned.store }, "off"))[0]?.signature).toBeUndefined();
    const later = place({ name: "origin", store: unsigned.store, signatures: newKey() });
    expect(pushed(place({ name: "hub" }), given(later))).toEqual(["applied"]);
  });
});

describe("auto", () => {
  it("takes what is unsigned from an origin that never signed, and nothing unsigned once it has", () => {
    const signed = given(place({ name: "origin", store: writer("origin", 3).store }, "auto"));
    const bare = signed.map(({ signature: _signature, ...op }) => op);
    const reader = place({ name: "reader" }, "auto");
    expect(pushed(reader, bare.slice(0, 1))).toEqual(["applied"]);
    expect(pushed(reader, signed.slice(1, 2))).toEqual(["applied"]);
    expect(pushed(reader, bare.slice(1))).toEqual(["duplicate", "rejected unsigned"]);
    const [, , third] = bare as [Op, Op, Op];
    expect(pushed(reader, [signedBy(third, newKey())])).toEqual(["rejected bad_signature"]);
    expect(pushed(reader, signed.slice(2))).toEqual(["applied"]);
    expect(reader.replication.release(originOf("origin"))).toBe(true);
    expect(reader.replication.release(originOf("origin"))).toBe(false);
  });
});

describe("enforce", () => {
  it("refuses what is unsigned, altered, or signed by another key than the origin's first one, and moves no clock", () => {
    const origin = writer("origin", 2);
    const [first, second] = given(origin) as [Op, Op];
    const hub = place({ name: "hub" });
    const { signature: _signature, ...unsigned } = first;
    expect(pushed(hub, [unsigned])).toEqual(["rejected unsigned"]);
    expect(pushed(hub, [{ ...altered(first, { payload: 99 }), signature: first.signature ?? "" }])).toEqual([
      "rejected bad_signature",
    ]);
    expect(hub.store.replica.hlc() < first.hlc).toBe(true);
    expect(pushed(hub, [{ ...first, signature: "x" }])).toEqual(["rejected invalid_frontmatter"]);
    expect(pushed(hub, [first])).toEqual(["applied"]);
    expect(pushed(hub, [signedBy(second, newKey())])).toEqual(["rejected bad_signature"]);
    expect(pushed(hub, [second])).toEqual(["applied"]);
  });

  it("lets nobody write in this engine's own name, and takes its own operations back", () => {
    const here = writer("here", 1);
    const ahead = writer("here", 2).replication.records.log("", 2).ops.at(-1)?.op as Op;
    expect(pushed(here, [ahead])).toEqual(["rejected unsigned"]);
    expect(pushed(here, [signedBy(ahead, newKey())])).toEqual(["rejected bad_signature"]);
    const key = newKey();
    const lost = given(writer("here", 1, { signatures: key }));
    expect(pushed(place({ name: "here", signatures: key }), lost)).toEqual(["applied"]);
  });
});

describe("whose key it is", () => {
  it("takes no first key from whoever relays, once the origin's own engine has shown its key", async () => {
    const origin = writer("origin", 1);
    const forger = newKey();
    const hub = place({
      name: "hub",
      federation: [
        peerPort(
          "origin",
          wayTo(() => origin.wayFor(originOf("hub"))),
        ),
      ],
    });
    hub.replication.federation.start();
    await poll(hub, "origin");
    const second = writer("origin", 2).replication.records.log("", 2).ops.at(-1)?.op as Op;
    expect(pushed(hub, [signedBy(second, forger)])).toEqual(["rejected bad_signature"]);
  });

  it("lets a person forget the keys that were learnt through a peer", async () => {
    const origin = writer("origin", 1);
    const relay = place({ name: "relay" });
    pushed(relay, given(origin));
    const far = place({
      name: "far",
      federation: [
        peerPort(
          "relay",
          wayTo(() => relay.wayFor(originOf("far"))),
        ),
      ],
    });
    far.replication.federation.start();
    await poll(far, "relay");
    const rotated = place({ name: "origin", store: origin.store });
    rotated.replication.records.set("show", "origin", "with the new key");
    const fresh = given(rotated).slice(1);
    expect(pushed(far, fresh)).toEqual(["rejected bad_signature"]);
    far.replication.federation.reset("relay", { keyRotated: true });
    expect(pushed(far, fresh)).toEqual(["applied"]);
  });
});

describe("warn", () => {
  it("takes what does not hold, says so in the answer and in an alarm", () => {
    const alarms: string[] = [];
    const hub = place({ name: "hub", joint: { alarm: (code, detail) => alarms.push(`${code} ${detail}`) } }, "warn");
    const [op] = writer("origin", 1).replication.records.log("", 1).ops;
    expect(pushed(hub, [op?.op as Op])).toEqual(["applied unsigned"]);
    expect(alarms).toEqual([`op-unsigned ${originOf("origin")}/1 from rec_relay: unsigned, but taken`]);
  });

  it("is the health of the peer that brought it", async () => {
    const bare = places.place({ name: "bare" });
    bare.replication.records.set("show", "title", 1);
    const here = place(
      {
        name: "here",
        federation: [
          peerPort(
            "bare",
            wayTo(() => bare.wayFor(originOf("here"))),
          ),
        ],
      },
      "warn",
    );
    here.replication.federation.start();
    const status = await poll(here, "bare");
    expect(status.health?.lastError).toMatchObject({ reason: "auth", eventId: `${originOf("bare")}/1` });
    expect(status.lag).toBe(0);
    expect((await poll(here, "bare")).health?.lastError).toBeNull();
  });
});

it("off looks at nothing, and passes on what is signed", () => {
  const hub = place({ name: "hub" }, "off");
  const signed = given(writer("origin", 1));
  expect(pushed(hub, [signedBy(signed[0] as Op, newKey())])).toEqual(["applied"]);
  expect(given(hub)[0]?.signature).toBeDefined();
});
