/** Both lead for a time and take commands, and links that come and go in the middle of a burst. */
import { describe, expect, test } from "vitest";
import { wholeLog } from "../../src/cli/demo/account.ts";
import { leads, until } from "../../src/cli/demo/observe.ts";
import { Show, type ShowCall } from "../../src/cli/demo/show.ts";
import type { Conflict } from "../../src/core/command.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { call } from "../support/http-call.ts";
import type { RealPair } from "../support/real-pair.ts";
import { withPair } from "../support/stage-pair.ts";
import { expectWhole, expectWholeWithoutConflicts } from "../support/verdict.ts";
import { PATIENCE_MS, type WitnessUnderTest } from "./suites.ts";

const ON_EACH_SIDE = 8;
const CUTS = 20;
const MACRO_STEPS = 177;

export function splitBrains(witness: WitnessUnderTest): void {
  describe.concurrent(`split brain, witness ${witness.name}`, { timeout: PATIENCE_MS }, () => {
    test("[A13] [SB3] [SB5] both led and took commands: one leads on, the other side is listed on both", async () => {
      await withPair({ redis: witness.redis() }, async (pair) => {
        const first = await pair.start();
        const second = otherLabel(first);
        const show = showOf(pair, "both");
        await show.play(ON_EACH_SIDE);
        pair.witness.cut(first);
        pair.cutLink();
        await pair.untilLeads(second);
        expect(await leads(pair.engines[first].url)).toBe(true);
        const sides = { [first]: showOf(pair, "first"), [second]: showOf(pair, "second") } as Record<Label, Show>;
        await Promise.all([first, second].map((label) => sides[label].play(ON_EACH_SIDE, label)));
        const onAir = await wholeLog(pair.engines[second].url);
        pair.healAll();
        expect(await pair.settled()).toBe(second);
        await expectWhole(
          pair,
          [first, second].flatMap((label) => sides[label].acknowledged).concat(show.acknowledged),
        );
        expect((await wholeLog(pair.engines[first].url)).slice(0, onAir.length)).toEqual(onAir);
        const lists = await Promise.all([first, second].map((label) => conflictsOn(pair, label)));
        expect(lists[1]).toEqual(lists[0]);
        const divergent = sides[first].acknowledged.map(({ epoch, seq }) => `${epoch}/${seq}`);
        expect(lists[0]?.map((conflict) => placeOf(conflict)).sort()).toEqual(divergent.sort());
        expect(await pair.state(second)).toMatchObject({ reconcileLock: null });
      });
    });

    test(`[A19] a burst of ${CUTS} cuts and a macro of ${MACRO_STEPS} steps while the link drops and returns`, async () => {
      await withPair({ redis: witness.redis() }, async (pair) => {
        const leader = await pair.start();
        const show = showOf(pair, "macro", [storeMacro(), { method: "POST", path: "/api/macros/long/run", body: {} }]);
        await show.play(2);
        const burst = Array.from({ length: CUTS }, (_cut, n) =>
          showOf(pair, `burst-${n}`, [cutTo(`cam${(n % 3) + 1}`)]),
        );
        const played = burst.map(async (one, n) => {
          if (n === CUTS / 2) pair.cutLink();
          await one.play(1);
        });
        await Promise.all(played);
        const afterwards = showOf(pair, "afterwards", [cutTo("cam2")]);
        pair.healLink();
        await afterwards.play(CUTS);
        await until("the macro is over", async () => {
          const { body } = await call("GET", `${pair.engines[leader].url}/engine/api/macros/execution`);
          return body?.["macro"] === null;
        });
        const acknowledged = [show, ...burst, afterwards].flatMap((one) => one.acknowledged);
        expect(acknowledged).toHaveLength(2 + CUTS + CUTS);
        await expectWholeWithoutConflicts(pair, acknowledged);
      });
    });
  });
}

function showOf(pair: RealPair, name: string, calls?: readonly ShowCall[]): Show {
  const own = Array.from({ length: ON_EACH_SIDE }, (_call, n) => cutTo(`cam${(n % 3) + 1}`));
  return new Show(calls ?? own, { a: pair.engines.a.url, b: pair.engines.b.url }, name);
}

function cutTo(source: string): ShowCall {
  return { method: "POST", path: "/api/switch/cut", body: { source } };
}

/** Cuts and pauses in turn; it runs while the link is away. */
function storeMacro(): ShowCall {
  const steps = Array.from({ length: MACRO_STEPS }, (_step, n) =>
    n % 2 === 0
      ? { action: "cut", params: { source: `cam${(n % 3) + 1}` } }
      : { action: "wait", params: { durationMs: 10 } },
  );
  return { method: "PUT", path: "/api/macros/long", body: { steps } };
}

async function conflictsOn(pair: RealPair, label: Label): Promise<readonly Conflict[]> {
  const { body } = await call("GET", `${pair.engines[label].url}/api/conflicts?limit=1000`);
  const { conflicts } = body as unknown as { readonly conflicts: readonly Conflict[] };
  return [...conflicts].sort((one, other) => one.divergent.seq - other.divergent.seq);
}

function placeOf({ divergent }: Conflict): string {
  return `${divergent.epoch}/${divergent.seq}`;
}
