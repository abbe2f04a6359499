/** [HB2] Whom a peer channel lets in, and whose word it does not take any more. */
import { beforeEach, describe, expect, it, test } from "vitest";
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

  it("one on an older folder, with its clock behind, is let in once a person has the pin forgotten", () => {
    expect(admits(identity("third", 3))).toBe(true);
    expect(admits(identity("second", 2))).toBe(false);
    gate.pin(null);
    expect(admits(identity("second", 2))).toBe(true);
  });

  it("those without a number count in the order of their greetings", () => {
    expect(admits(identity("one", null))).toBe(true);
    expect(admits(identity("two", null))).toBe(true);
    expect(admits(identity("one", null))).toBe(false);
    expect(admits(identity("numbered", 7))).toBe(true);
    expect(admits(identity("two", null))).toBe(false);
  });
});

test("P3 [HB4] heartbeats that a later one overtook, over another link or an older connection, are dropped silently", () => {
  const { engineId, label, incarnation } = identity("first", 1);
  const gate = new PeerGate({ pair: "studio", label: "a" });
  expect(gate.admit(identity("first", 1), () => true)).toBeNull();
  const sift = (n: number) => {
    return gate.sift({ ...SAMPLES.heartbeat, engineId, label, incarnation, n }, identity("first", 1));
  };
  expect([77, 78, 77, 78, 12, 79].map(sift)).toEqual([
    "deliver",
    "deliver",
    "duplicate",
    "duplicate",
    "duplicate",
    "deliver",
  ]);
});
