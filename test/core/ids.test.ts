/** Ids carry their kind, labels have a counterpart, and closed unions end. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assert, assertNever, ChangeoverError } from "../../src/core/errors.ts";
import { type IdKind, makeId, otherLabel, parseId } from "../../src/core/ids.ts";

const PREFIXES: Record<IdKind, string> = {
  engine: "eng_",
  incarnation: "inc_",
  lock: "lock_",
  request: "req_",
  conflict: "cfl_",
  generation: "gen_",
};
const kinds = fc.constantFrom(...(Object.keys(PREFIXES) as IdKind[]));

describe("ids", () => {
  it("carry their kind before a body, and are read as that kind and no other", () => {
    fc.assert(
      fc.property(kinds, kinds, fc.string({ minLength: 1, maxLength: 40 }), (kind, other, body) => {
        const id = makeId(kind, body);
        expect(id).toBe(`${PREFIXES[kind]}${body}`);
        expect(parseId(kind, id)).toBe(id);
        if (other !== kind) expect(parseId(other, id)).toBeNull();
      }),
    );
  });

  it("are not read from a bare prefix or from more than 64 characters", () => {
    expect(parseId("engine", "eng_")).toBeNull();
    expect(parseId("engine", `eng_${"x".repeat(60)}`)).not.toBeNull();
    expect(parseId("engine", `eng_${"x".repeat(61)}`)).toBeNull();
  });
});

describe("the smallest things", () => {
  it("know the other label", () => {
    expect([otherLabel("a"), otherLabel("b")]).toEqual(["b", "a"]);
  });

  it("stop at a broken invariant and go on at a kept one", () => {
    expect(() => assert(1 + 1 === 2, "sums")).not.toThrow();
    expect(() => assert(0, "nothing is something")).toThrow("broken invariant: nothing is something");
    expect(() => assertNever({ type: "forgotten" } as never)).toThrow(/forgotten/u);
  });

  it("say what went wrong in words that programs can compare", () => {
    const cause = new Error("below");
    const error = new ChangeoverError("store_full", "no room", { details: { bytes: 7 }, cause, retryable: true });
    expect(error).toMatchObject({
      name: "ChangeoverError",
      code: "store_full",
      details: { bytes: 7 },
      retryable: true,
    });
    expect(error.cause).toBe(cause);
    expect(new ChangeoverError("stopped", "ended")).toMatchObject({ details: {}, retryable: false });
    expect("cause" in new ChangeoverError("stopped", "ended")).toBe(false);
  });
});
