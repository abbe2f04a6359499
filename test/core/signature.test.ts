/** Seals as text, and instants as text. */
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { isoTime } from "../../src/core/iso-time.ts";
import { formatSeal, identityText, isSeal, readSeal, sealedOpText } from "../../src/core/signature.ts";
import { newKey } from "../support/federation.ts";

describe("a seal", () => {
  it("is read as it was written", () => {
    const signatures = newKey();
    const seal = { key: signatures.key, signature: signatures.sign("x") };
    expect(readSeal(formatSeal(seal))).toEqual(seal);
    expect(isSeal(formatSeal(seal))).toBe(true);
  });

  it.each(["", ".", "a.b", `${"A".repeat(43)}.${"B".repeat(85)}`, `${"A".repeat(43)}.${"B".repeat(86)} `])(
    "%j is none",
    (text) => expect(readSeal(text)).toBeNull(),
  );
});

describe("Ed25519", () => {
  it("holds for the text, the key and the signature, and for nothing else", () => {
    const [one, other] = [newKey(), newKey()];
    const signature = one.sign("a text");
    expect(one.verify(one.key, "a text", signature)).toBe(true);
    expect(other.verify(one.key, "a text", signature)).toBe(true);
    expect(one.verify(one.key, "a text.", signature)).toBe(false);
    expect(one.verify(other.key, "a text", signature)).toBe(false);
    expect(one.verify("no key", "a text", signature)).toBe(false);
    expect(one.verify(one.key, "a text", "")).toBe(false);
  });

  it("signs for one purpose at a time", () => {
    const identity = { hubId: "h", engineId: "e", generation: "g" };
    expect(identityText(identity, "c")).not.toBe(identityText(identity, "d"));
    expect(sealedOpText("0".repeat(64)).startsWith(identityText(identity, "c").slice(0, 20))).toBe(false);
  });
});

test("isoTime says what Date says", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (ms) => {
      expect(isoTime(ms)).toBe(new Date(ms).toISOString());
    }),
  );
  expect(isoTime(951_782_399_999.9)).toBe("2000-02-28T23:59:59.999Z");
});
