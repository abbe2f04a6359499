/** Contracts of the ports Ids, Random and Digest. */
import { describe, expect, it } from "vitest";
import { NanoIds, NodeDigest, SystemRandom } from "../../src/adapters/basics.ts";
import { parseId } from "../../src/core/ids.ts";

describe("ids contract: NanoIds", () => {
  it.each(["engine", "incarnation", "lock", "request", "conflict"] as const)(
    "makes ids of kind %s, each once",
    (kind) => {
      const ids = new NanoIds();
      const made = Array.from({ length: 1_000 }, () => ids.next(kind));
      expect(new Set(made).size).toBe(1_000);
      for (const id of made) expect(parseId(kind, id)).toBe(id);
    },
  );
});

describe("random contract: SystemRandom", () => {
  it("gives numbers of [0, 1), spread over it", () => {
    const random = new SystemRandom();
    const drawn = Array.from({ length: 10_000 }, () => random.next());
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...drawn)).toBeLessThan(1);
    const tenths = new Set(drawn.map((number) => Math.floor(number * 10)));
    expect(tenths.size).toBe(10);
  });
});

describe("digest contract: NodeDigest", () => {
  const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

  it("gives the published sha256 of the published examples", () => {
    const digest = new NodeDigest();
    expect(digest.sha256().hex()).toBe(empty);
    const running = digest.sha256();
    running.update("abc");
    expect(running.hex()).toBe(abc);
    expect([digest.sha256Of(""), digest.sha256Of("abc")]).toEqual([empty, abc]);
  });

  it("pieces give the hash of the whole, and hashes do not share anything", () => {
    const digest = new NodeDigest();
    const whole = digest.sha256();
    const pieces = digest.sha256();
    whole.update("grün \u{1f3ac} fade");
    for (const piece of ["grün ", "\u{1f3ac}", "", " fade"]) pieces.update(piece);
    const hex = whole.hex();
    expect(pieces.hex()).toBe(hex);
    expect(digest.sha256Of("grün \u{1f3ac} fade")).toBe(hex);
  });
});
