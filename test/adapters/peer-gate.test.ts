/** [HB2] Whom a peer channel lets in, and whose word it does not take any more. */
import { beforeEach, describe, expect, it } from "vitest";
import { PeerGate, type PeerIdentity } from "../../src/adapters/peer-gate.ts";
import { makeId, withStart } from "../../src/core/ids.ts";
import { SAMPLES } from "../core/sample-messages.ts";
import { keyOf } from "../support/test-keys.ts";

const KEY = keyOf("b").key;

/** The engine `b` in its start number `start`; null: of a version that does not number them. */
function identity(name: string, start: number | null): PeerIdentity {
  const plain = makeId("incarnation", name);
  const incarnation = start === null ? plain : withStart(plain, start);
  return {
    pair: "studio",
    label: "b",
    link: "red",
    key: KEY,
    engineId: makeId("engine", "b"),
    incarnation,
    version: "0.1.0",
  };
}

describe("[HB2] of several starts of the peer", () => {
  let gate: PeerGate;
  const admits = (one: PeerIdentity): boolean => gate.admit(one, () => true) === null;

  beforeEach(() => {
    gate = new PeerGate({ pair: "studio", label: "a" });
  });

  it("an earlier one that greets late is turned away, and the later one stays let in", () => {
    expect(admits(identity("third", 3))).toBe(true);
    expect(gate.admit(identity("second", 2), () => true)?.refusal).toBe("replayed");
    expect(admits(identity("third", 3))).toBe(true);
    expect(admits(identity("fourth", 4))).toBe(true);
    expect(admits(identity("third", 3))).toBe(false);
  });

  it("those without a number count in the order of their greetings", () => {
    expect(admits(identity("one", null))).toBe(true);
    expect(admits(identity("two", null))).toBe(true);
    expect(admits(identity("one", null))).toBe(false);
    expect(admits(identity("numbered", 7))).toBe(true);
    expect(admits(identity("two", null))).toBe(false);
  });
});

describe("P3 [HB4] heartbeats over two links of different speed", () => {
  const peer = identity("first", 1);
  let gate: PeerGate;
  const sift = (n: number, link: string) => {
    const { engineId, label, incarnation } = peer;
    return gate.sift({ ...SAMPLES.heartbeat, engineId, label, incarnation, n }, peer, link);
  };

  beforeEach(() => {
    gate = new PeerGate({ pair: "studio", label: "a" });
    expect(gate.admit(peer, () => true)).toBeNull();
  });

  it("one that a later one overtook is dropped silently, and extends nothing", () => {
    expect([sift(77, "red"), sift(78, "red")]).toEqual(["deliver", "deliver"]);
    expect([sift(77, "blue"), sift(78, "blue")]).toEqual(["duplicate", "duplicate"]);
    expect(sift(79, "blue")).toBe("deliver");
  });

  it("one that comes again over its own link is refused as replayed", () => {
    expect([sift(77, "blue"), sift(78, "red"), sift(77, "blue")]).toEqual([
      "deliver",
      "deliver",
      { refusal: "replayed", detail: "heartbeat 77 after 77" },
    ]);
  });
});
