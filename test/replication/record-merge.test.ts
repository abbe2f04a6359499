/** What stands in a field, and what is contested, whatever the order in which operations become known. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatHlc } from "../../src/core/hlc.ts";
import { type Op, contested, type Heads, mergeHeads } from "../../src/core/operation.ts";
import type { VectorClock } from "../../src/core/vector-clock.ts";
import { altered } from "../support/replication-node.ts";

const ORIGINS = ["rec_a", "rec_b", "rec_c"] as const;

/** Each step: who writes what, and whose operations it has read before. */
const history = fc.array(fc.record({ by: fc.nat(2), reads: fc.nat(2), value: fc.nat(2) }), {
  minLength: 1,
  maxLength: 9,
});

/** Operations on one field as honest places would make them. */
function made(steps: readonly { readonly by: number; readonly reads: number; readonly value: number }[]): Op[] {
  const held: Record<string, VectorClock> = Object.fromEntries(ORIGINS.map((origin) => [origin, {}]));
  return steps.map(({ by, reads, value }, index) => {
    const origin = ORIGINS[by] as string;
    const seen = { ...held[origin] };
    for (const [other, seq] of Object.entries(held[ORIGINS[reads] as string] ?? {}))
      seen[other] = Math.max(seen[other] ?? 0, seq);
    const originSeq = (seen[origin] ?? 0) + 1;
    const clock = { ...seen, [origin]: originSeq };
    held[origin] = clock;
    const hlc = formatHlc({ unixMs: 1_000 + index, counter: 0, origin });
    const op: Op = {
      origin,
      originSeq,
      hlc,
      epoch: 0,
      kind: "set",
      entity: "e",
      field: "f",
      payload: value,
      clock,
      checksum: "",
    };
    return altered(op, {});
  });
}

const merged = (ops: readonly Op[]): Heads => ops.reduce<Heads>(mergeHeads, []);

describe("the heads of a field", () => {
  it("are the same in every order, doubled or not; the latest stands", () => {
    fc.assert(
      fc.property(
        history.chain((steps) => {
          const ops = made(steps);
          return fc.tuple(fc.constant(ops), fc.shuffledSubarray([...ops, ...ops], { minLength: ops.length * 2 }));
        }),
        ([ops, shuffled]) => {
          const inOrder = merged(ops);
          expect(merged(shuffled)).toEqual(inOrder);
          expect(inOrder[0]).toEqual(ops.at(-1));
          for (const divergent of contested(inOrder)) expect(divergent.payload).not.toEqual(inOrder[0]?.payload);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("cannot be made to depend on the order by two operations that claim to have seen each other", () => {
    const [one, other] = made([
      { by: 0, reads: 0, value: 1 },
      { by: 1, reads: 1, value: 2 },
    ]) as [Op, Op];
    const liars = [altered(one, { clock: { rec_a: 1, rec_b: 1 } }), altered(other, { clock: { rec_a: 1, rec_b: 1 } })];
    expect(merged(liars)).toEqual(merged(liars.toReversed()));
  });
});
