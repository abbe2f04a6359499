/**
 * What befalls the ways between the engines and to the witness: the failure matrix of the protocol, row by row, under
 * both policies. The leader is a.
 */
import { describe, expect, test } from "vitest";
import { until } from "../../src/cli/demo/observe.ts";
import type { Label } from "../../src/core/ids.ts";
import type { AlarmCode } from "../../src/core/events.ts";
import type { RealPair } from "../support/real-pair.ts";
import { Recorder } from "../support/recorder.ts";
import { withPair } from "../support/stage-pair.ts";
import { expectWhole } from "../support/verdict.ts";
import { CommandLoad } from "../support/command-load.ts";
import { PATIENCE_MS, type WitnessUnderTest } from "./suites.ts";

type Policy = "on-air" | "consistency";

/** One row under one policy. */
interface Row {
  readonly situation: string;
  readonly policy: Policy;
  /** Done to the pair while a leads. */
  readonly befalls: (pair: RealPair) => void;
  /** Who may act in the end. */
  readonly leads: readonly Label[];
  readonly alarms: readonly (readonly [Label, AlarmCode])[];
  /** Commands go on: under `consistency` none may, where nobody leads. */
  readonly underLoad?: boolean;
}

const linkDown = (pair: RealPair): void => pair.cutLink();
const onlyB = (pair: RealPair): void => (pair.witness.cut("a"), pair.cutLink());
const onlyA = (pair: RealPair): void => (pair.witness.cut("b"), pair.cutLink());
const allDown = (pair: RealPair): void => (pair.witness.cut("b"), pair.witness.cut("a"), pair.cutLink());
const noWitness = (pair: RealPair): void => (pair.witness.cut("b"), pair.witness.cut("a"));

const SAME_UNDER_BOTH: readonly Omit<Row, "policy">[] = [
  {
    situation: "the link is up, the witness lost to both",
    befalls: noWitness,
    leads: ["a"],
    alarms: [
      ["a", "witness-unreachable"],
      ["b", "witness-unreachable"],
    ],
    underLoad: true,
  },
  {
    situation: "the link is down, both reach the witness",
    befalls: linkDown,
    leads: ["a"],
    alarms: [
      ["a", "peer-unreachable"],
      ["b", "peer-unreachable"],
    ],
    underLoad: true,
  },
  {
    situation: "the link is down, only a reaches the witness",
    befalls: onlyA,
    leads: ["a"],
    alarms: [["b", "no-quorum"]],
    underLoad: true,
  },
  {
    situation: "one way: b does not hear a",
    befalls: (pair) => pair.cutFrom("a"),
    leads: ["a"],
    alarms: [["b", "peer-unreachable"]],
    underLoad: true,
  },
  {
    situation: "one way: a does not hear b",
    befalls: (pair) => pair.cutFrom("b"),
    leads: ["a"],
    alarms: [["a", "peer-unreachable"]],
    underLoad: true,
  },
];

const ROWS: readonly Row[] = [
  ...SAME_UNDER_BOTH.flatMap((row) => (["on-air", "consistency"] as const).map((policy) => ({ ...row, policy }))),
  {
    situation: "the link is down, only b reaches the witness",
    policy: "consistency",
    befalls: onlyB,
    leads: ["b"],
    alarms: [["b", "peer-unreachable"]],
  },
  {
    situation: "the link is down, only b reaches the witness",
    policy: "on-air",
    befalls: onlyB,
    leads: ["a", "b"],
    alarms: [["a", "unconfirmed"]],
  },
  { situation: "link and witness are down", policy: "consistency", befalls: allDown, leads: [], alarms: [] },
  {
    situation: "link and witness are down",
    policy: "on-air",
    befalls: allDown,
    leads: ["a"],
    alarms: [
      ["a", "unconfirmed"],
      ["b", "no-quorum"],
    ],
  },
];

const MAX_HANDOVERS = 5;
/** Longer than every wait of the protocol, so that what would move has moved. */
const WATCHED_MS = 2_000;

export function linkFaults(witness: WitnessUnderTest): void {
  describe.concurrent(`links, witness ${witness.name}`, { timeout: PATIENCE_MS }, () => {
    test.each(ROWS)("[A2] [I6] $policy: $situation: $leads may act", async (row) => {
      await withPair({ redis: witness.redis(), policy: row.policy }, async (pair) => {
        await leadByA(pair);
        const recorder = Recorder.watch(pair);
        const load = CommandLoad.begin(pair);
        try {
          if (row.underLoad !== true) await load.stop();
          row.befalls(pair);
          await untilActing(pair, row.leads);
          for (const [label, code] of row.alarms) {
            await pair.untilState(label, code, ({ alarms }) => alarms.some((alarm) => alarm.code === code));
          }
          await staysSo(pair, row.leads);
          // Nobody else, and nobody twice: who leads in the end has led without a break since a campaign, if any.
          expect(recorder.reigns.map(({ label }) => label)).toEqual([...new Set(["a", ...row.leads])]);
          pair.healAll();
          await pair.ready();
          const acknowledged = await load.stop();
          await expectWhole(pair, acknowledged);
        } finally {
          await load.stop().catch(() => undefined);
          await recorder.stop();
        }
        // Under on-air a leader that knows nothing of its successor goes on until it hears of it.
        if (row.leads.length < 2) expect(recorder.overtaken).toEqual([]);
      });
    });
  });
}

/** The rows say it of a: b hands over where it came to lead, again where it cannot yet. */
async function leadByA(pair: RealPair): Promise<void> {
  let leader = await pair.start();
  for (let tries = 0; leader !== "a" && tries < MAX_HANDOVERS; tries += 1) {
    await fetch(`${pair.engines.b.url}/api/handover`, { method: "POST" });
    leader = await pair.settled();
  }
  expect(leader).toBe("a");
}

async function acting(pair: RealPair): Promise<readonly Label[]> {
  const [a, b] = await Promise.all([pair.state("a"), pair.state("b")]);
  return [a, b].flatMap(({ mayAct, engineLabel }) => (mayAct ? [engineLabel] : []));
}

async function untilActing(pair: RealPair, labels: readonly Label[]): Promise<void> {
  await until(`${labels.join(" and ")} may act`, async () => String(await acting(pair)) === String(labels));
}

/** A leader that a busy machine held up for a moment may pause to renew its votes; no other may act instead. */
async function staysSo(pair: RealPair, labels: readonly Label[]): Promise<void> {
  const endMs = performance.now() + WATCHED_MS;
  while (performance.now() < endMs) {
    const others = (await acting(pair)).filter((label) => !labels.includes(label));
    expect(others, "may act and should not").toEqual([]);
  }
  await untilActing(pair, labels);
}
