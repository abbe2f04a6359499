/** The checker notices each kind of false evidence, and finds nothing in evidence that is right. */
import { describe, expect, test } from "vitest";
import { check } from "./checker.ts";
import type { Answer, Order } from "./clients.ts";
import type { Account, Evidence, LogLine } from "./evidence.ts";
import type { Played } from "./faults.ts";
import type { Sample } from "./recorder.ts";
import type { Fault } from "./schedule.ts";

const HEALED_MS = 5_000;
const PLAN = { seed: 1, policy: "consistency", witness: "redis", engine: "embedded" } as const;

function answer(more: Partial<Answer> = {}): Answer {
  const place = { epoch: 1, seq: 1, durability: "pair" } as const;
  return { engine: "a", sentMs: 100, answeredMs: 110, status: 200, code: null, ...place, ...more };
}

function order(nth: number, answers: readonly Answer[]): Order {
  const client = "p1";
  const kind = `POST /campaign/${client}/${nth}`;
  return { client, manner: "persistent", nth, key: `${client}-${nth}`, kind, answers: [...answers] };
}

function sample(label: "a" | "b", epoch: number, sentMs: number, acts = true): Sample {
  return { label, epoch, sentMs, answeredMs: sentMs + 1, acts, role: acts ? "leader" : "follower" };
}

function played(fault: Fault, beganMs: number, endedMs: number, label: "a" | "b" | null = "a"): Played {
  return { step: { fault, atMs: 0, lastsMs: 0 }, label, beganMs, endedMs };
}

function logged(seq: number, more: object = {}) {
  const kind = `POST /campaign/p1/${seq - 1}`;
  return { seq, epoch: 1, kind, payload: null, executeAtUs: 1, origin: "eng_a", ...more };
}

function line(atUnixMs: number, text: string): LogLine {
  return { text, atUnixMs, level: "info", message: text, alarm: null };
}

function account(more: Partial<Account> = {}): Account {
  const log = [logged(1), logged(2)];
  const call = (lastSeq: number) => ({ method: "POST", payload: null, times: 1, lastSeq });
  const state = { calls: { "/campaign/p1/0": call(1), "/campaign/p1/1": call(2) } };
  return {
    logs: { a: log, b: log },
    conflicts: { a: [], b: [] },
    checksums: { a: "x", b: "x" },
    states: { a: state, b: state },
    alarms: { a: [], b: [] },
    ...more,
  };
}

function evidence(more: Partial<Evidence> = {}): Evidence {
  return {
    plan: PLAN,
    played: [played({ kind: "kill", whom: "first" }, 1_000, 2_000)],
    samples: [sample("a", 1, 500), sample("b", 2, 1_100), sample("b", 2, 4_990), sample("b", 2, 5_600)],
    orders: [order(0, [answer()]), order(1, [answer({ seq: 2 })])],
    truths: new Map(),
    healedMs: HEALED_MS,
    readyMs: HEALED_MS + 500,
    account: account(),
    disagreement: "",
    deaths: [],
    unplayed: [],
    lines: { a: [line(0, "started")], b: [] },
    peakMb: { a: 100, b: 100 },
    stalls: [],
    ...more,
  };
}

function conflict(seq: number, { outcome = "superseded", epoch = 3 } = {}) {
  const divergent = logged(seq, { epoch });
  return {
    id: `c${seq}`,
    kind: "command",
    divergent,
    standing: [],
    outcome,
  } as unknown as Account["conflicts"]["a"][number];
}

function calls(times: number, lastSeq: number) {
  return { calls: { "/campaign/p1/0": { method: "POST", payload: null, times, lastSeq } } };
}

const standing = { epoch: 1 };
const refused = answer({ status: 409, code: "fenced", seq: null, durability: null });
const lost = [order(0, [answer({ seq: 3 })])];
const onAir = { ...PLAN, policy: "on-air" } as const;
const BOTH_ACT = [sample("b", 2, 1_100), sample("a", 1, 1_200), ...evidence().samples];

const FALSE: readonly (readonly [title: string, rule: string, more: Partial<Evidence>])[] = [
  ["two leaders under consistency", "I6", { samples: BOTH_ACT }],
  [
    "two leaders under on-air, long after every fault",
    "I6",
    { plan: onAir, samples: [...evidence().samples, sample("a", 1, 9_000)] },
  ],
  ["a acts under an even epoch", "I3", { samples: [sample("a", 2, 100)] }],
  ["ready too late", "I19", { readyMs: HEALED_MS + 3_100 }],
  ["never ready", "I19", { readyMs: null }],
  ["no agreement", "I7", { account: null, disagreement: "checksums" }],
  [
    "logs differ",
    "I7",
    { account: account({ logs: { a: account().logs.a, b: [logged(1), logged(2, { epoch: 2 })] } }) },
  ],
  ["a gap in the log", "I7", { account: account({ logs: { a: [logged(1), logged(3)], b: [logged(1), logged(3)] } }) }],
  ["an acknowledged command is lost", "I9", { orders: lost }],
  [
    "one acknowledged by both is only a conflict",
    "I9",
    { orders: lost, account: account({ conflicts: { a: [conflict(3)], b: [conflict(3)] } }) },
  ],
  ["a command executed twice", "I9", { account: account({ states: { a: calls(2, 1), b: calls(1, 1) } }) }],
  ["a command executed at another place", "I9", { account: account({ states: { a: calls(1, 2), b: calls(1, 1) } }) }],
  [
    "a command twice in the log",
    "I9",
    { account: account({ logs: { a: [logged(1), logged(1), logged(2)], b: [logged(1)] } }) },
  ],
  ["one client's commands swapped", "I9", { orders: [order(1, [answer({ seq: 2 })]), order(0, [answer()])] }],
  ["not done, but in the log", "I17", { orders: [order(0, [refused])] }],
  [
    "asked again, another place",
    "HO6",
    {
      orders: [order(0, [answer({ status: null })])],
      truths: new Map([["p1-0", { answer: answer({ seq: 2 }), tookMs: 5 }]]),
    },
  ],
  [
    "asked again, the truth comes late",
    "HO6",
    {
      orders: [order(0, [answer({ status: null })])],
      truths: new Map([["p1-0", { answer: answer(), tookMs: 1_500 }]]),
    },
  ],
  [
    "a command that stands is listed as one that does not",
    "SB3",
    { account: account({ conflicts: { a: [conflict(2, standing)], b: [conflict(2, standing)] } }) },
  ],
  ["a conflict twice", "SB3", { account: account({ conflicts: { a: [conflict(2), conflict(2)], b: [conflict(2)] } }) }],
  ["a conflict on one engine only", "SB3", { account: account({ conflicts: { a: [conflict(2)], b: [] } }) }],
  ["an internal error", "answers", { orders: [order(0, [answer({ status: 500 }), answer()])] }],
  ["the role flaps", "I11", { samples: Array.from({ length: 9 }, (_one, at) => sample("b", 2 + at * 2, 100 + at)) }],
  ["an engine that returns takes the role", "I20", { samples: [sample("b", 2, 4_900), sample("a", 3, 5_600)] }],
  ["a process ends by itself", "process", { deaths: ["coordinator a ended by itself"] }],
  ["a broken invariant in the log", "log", { lines: { a: [line(0, "broken invariant: x")], b: [] } }],
  ["a flood of lines", "log", { lines: { a: Array.from({ length: 100 }, (_one, at) => line(at, String(at))), b: [] } }],
  ["a line again and again", "log", { lines: { a: [line(0, "x"), line(300, "x"), line(600, "x")], b: [] } }],
  ["no log line", "log", { lines: { a: [{ ...line(0, "boom"), level: "none" }], b: [] } }],
  ["too much memory", "memory", { peakMb: { a: 100, b: 900 } }],
  [
    "an alarm that stays",
    "alarm",
    { account: account({ alarms: { a: [{ code: "peer-refused", detail: "x" }], b: [] } }) },
  ],
];

describe("the campaign's checker", () => {
  test("finds nothing where all is right", () => {
    expect(check(evidence())).toEqual([]);
  });

  test.each(FALSE)("notices: %s (%s)", (_title, rule, more) => {
    expect(check(evidence(more)).map((found) => found.rule)).toContain(rule);
  });

  test("lines that a clock which was put back brings together were not written together", () => {
    const step = [line(2_288, "x"), line(550, "x"), line(1_795, "x")];
    const many = Array.from({ length: 40 }, (_one, at) => line(at, String(at)));
    for (const a of [step, [...many, ...many.map((one) => ({ ...one, atUnixMs: one.atUnixMs - 5_000 }))]])
      expect(check(evidence({ lines: { a, b: [] } }))).toEqual([]);
  });

  test("two leaders while a link is cut are no violation under on-air", () => {
    expect(check(evidence({ plan: onAir, samples: BOTH_ACT })).map(({ rule }) => rule)).not.toContain("I6");
  });

  test("a command that only one engine had may become a conflict", () => {
    const local = [order(1, [answer({ seq: 2, epoch: 3, durability: "local" })])];
    const listed = account({ conflicts: { a: [conflict(2)], b: [conflict(2)] } });
    expect(check(evidence({ orders: local, account: listed }))).toEqual([]);
  });

  test("what both had is gone with both folders, and only then", () => {
    const restored = (label: "a" | "b") => played({ kind: "restore-folder", whom: "first" }, 1_000, 2_000, label);
    expect(check(evidence({ orders: lost, played: [restored("a"), restored("b")] }))).toEqual([]);
    expect(check(evidence({ orders: lost, played: [restored("a"), restored("a")] })).map(({ rule }) => rule)).toEqual([
      "I9",
    ]);
  });

  test("a conflict that was closed because its command stands is no contradiction", () => {
    const closed = [conflict(2, { ...standing, outcome: "reapplied" })];
    expect(check(evidence({ account: account({ conflicts: { a: closed, b: closed } }) }))).toEqual([]);
  });

  test("a machine that stands still is no fault of the pair", () => {
    const stalls = [{ untilMs: HEALED_MS + 1_000, lastedMs: 200 }];
    expect(check(evidence({ readyMs: HEALED_MS + 3_100, stalls }))).toEqual([]);
    const paused = [{ untilMs: 8_900, lastedMs: 400 }];
    const samples = [...evidence().samples, sample("a", 1, 9_000)];
    expect(check(evidence({ plan: onAir, samples, stalls: paused }))).toEqual([]);
    expect(check(evidence({ samples, stalls: paused })).map(({ rule }) => rule)).toContain("I6");
  });

  test("what the machine did at another time excuses nothing", () => {
    const before = [{ untilMs: HEALED_MS - 10, lastedMs: 900 }];
    expect(check(evidence({ readyMs: HEALED_MS + 3_100, stalls: before })).map(({ rule }) => rule)).toEqual(["I19"]);
  });
});
