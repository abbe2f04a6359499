/** What `status` and `watch` show. */
import { expect, test } from "vitest";
import { columns, duration, plain } from "../../src/cli/output.ts";
import { stateLines, tally } from "../../src/cli/commands/state-view.ts";
import { changeLine, sparkline, Track, watchLines } from "../../src/cli/commands/watch-view.ts";
import type { CoordinatorState } from "../../src/coordinator/types.ts";

const STATE: CoordinatorState = {
  pair: "studio-1",
  engineLabel: "a",
  engineId: "eng_1",
  version: "0.1.0",
  policy: "on-air",
  role: "leader",
  epoch: 3,
  mayAct: true,
  confirmedBy: "both",
  leader: "a",
  uptimeMs: 192_000,
  health: "ok",
  syncState: "ready",
  lastCommandSeq: 98,
  lastExecutedSeq: 97,
  programSource: "cam1",
  preferred: "none",
  switchBack: { mode: "never", waiting: [], dueAt: null },
  plannedHandover: null,
  engine: { state: "well", lifeline: "unused", note: null },
  votes: { peerMs: 512.4, witnessMs: 0 },
  peer: {
    label: "b",
    state: "alive",
    engineId: "eng_2",
    version: "0.1.0",
    role: "follower",
    epoch: 3,
    health: "ok",
    syncState: "ready",
    lastCommandSeq: 98,
    lastExecutedSeq: 97,
    lastHeardMs: 45,
    roundTripMs: 0.42,
    clockOffsetMs: 0,
    links: [{ name: "red", up: true, bufferedBytes: 0 }],
    refused: 0,
    url: "http://127.0.0.1:7402",
  },
  witness: { kind: "sqlite", reachable: true, usable: true, holder: "a", epoch: 3, seq: 12, lastAnswerMs: 20 },
  reconcileLock: null,
  maintenance: null,
  waiting: { reasons: [], untilMs: null },
  alarms: [],
  machines: {},
};

test("status is one screen", () => {
  expect(stateLines(STATE)).toEqual([
    "studio-1 · engine a · LEADER · epoch 3 · on-air · 0.1.0",
    "  programme    cam1 · health ok · up 3 min 12 s",
    "  sync         ready · commands 98, executed 97",
    "  votes        peer 512 ms left · witness none · confirmed by both",
    "  peer b       alive · follower · epoch 3 · ready · heard 45 ms ago · round trip 0.4 ms · commands 98",
    "  links        red up",
    "  witness      sqlite · reachable · held by a at epoch 3",
    "  maintenance  off",
    "  alarms       none",
  ]);
});

test("CH3 CH7 status and watch say why a follower waits, and until when", () => {
  const untilMs = Date.UTC(2026, 4, 3, 12, 0, 1, 250);
  const follower: CoordinatorState = { ...STATE, role: "follower", mayAct: false, confirmedBy: "none" };
  const waits = { ...follower, waiting: { reasons: ["quarantine", "peer-leads"], untilMs } };
  const row = "  waits for    quarantine, peer-leads until 12:00:01.250 UTC";
  expect(stateLines(waits)).toContain(row);
  const seen = { url: "http://127.0.0.1:7401", state: waits, problem: null, heartbeats: [] };
  expect(watchLines([seen], 120)).toContain(row);
  const open = { ...follower, waiting: { reasons: ["maintenance"], untilMs: null } };
  expect(stateLines(open)).toContain("  waits for    maintenance");
});

test("the vote of a dead peer is called what it is", () => {
  const dead = stateLines({ ...STATE, peer: { ...STATE.peer, state: "dead" } });
  expect(dead).toContain("  votes        peer 512 ms left by proof of death · witness none · confirmed by both");
});

test("the tally tells a leader from one that is not sure, and from one that may not act", () => {
  expect(tally({ ...STATE, confirmedBy: "none" })).toBe("LEADER (unconfirmed)");
  expect(tally({ ...STATE, mayAct: false })).toBe("leader, may not act");
  expect(tally({ ...STATE, role: "candidate", mayAct: false })).toBe("candidate");
});

test("status shows each alarm with its remedy below it", () => {
  const alarms = [
    { code: "unconfirmed", since: 0, detail: "leads without any vote", remedy: "Repair the network." },
  ] as const;
  const lines = stateLines({ ...STATE, alarms });
  const at = lines.findIndex((text) => text.includes("! unconfirmed: leads without any vote"));
  expect(lines[at + 1]?.trim()).toBe("→ Repair the network.");
});

test("watch shows both, says who is on air, and keeps within the width", () => {
  const other: CoordinatorState = { ...STATE, engineLabel: "b", role: "follower", mayAct: false, lastCommandSeq: 96 };
  const seen = [STATE, other].map((state) => ({ url: "http://x", state, problem: null, heartbeats: [0, 300, null] }));
  const lines = watchLines(seen, 60);
  expect(lines[0]).toBe("ON AIR: a (epoch 3) · commands 98 and 96, gap 2");
  expect(lines).toContain("  heartbeats  ▁▅×");
  expect(Math.max(...lines.map(({ length }) => length))).toBe(60);
});

test("a terminal with little room shows what matters of both engines", () => {
  const alarms = [
    { code: "unconfirmed", since: 0, detail: "leads without any vote", remedy: "Repair the network." },
  ] as const;
  const other: CoordinatorState = { ...STATE, engineLabel: "b", role: "follower", mayAct: false, alarms };
  const seen = [STATE, other].map((state) => ({ url: "http://x", state, problem: null, heartbeats: [0] }));
  const lines = watchLines(seen, 60, 11);
  expect(lines).toHaveLength(9);
  expect(lines.join("\n")).toMatch(/^ON AIR: a[^]*\na · LEADER · epoch 3[^]*\nb · follower[^]*alarms unconfirmed/);
});

test("watch says when nobody is on air, and when both are", () => {
  const gone = { url: "http://x", state: null, problem: "cannot reach http://x", heartbeats: [] };
  expect(watchLines([gone, gone], 80).slice(0, 3)).toEqual(["ON AIR: NOBODY", "", "http://x · NO ANSWER"]);
  const both = (["a", "b"] as const).map((engineLabel, at) => {
    return { url: "http://x", state: { ...STATE, engineLabel, epoch: 3 + at }, problem: null, heartbeats: [] };
  });
  expect(watchLines(both, 80)[0]).toContain("ON AIR: a (epoch 3) AND b (epoch 4)");
});

test("a plain line changes only with what matters", () => {
  const line = (state: CoordinatorState) => changeLine({ url: "http://x", state, problem: null, heartbeats: [] });
  expect(line({ ...STATE, uptimeMs: 1, lastCommandSeq: 1 })).toBe(line(STATE));
  expect(line({ ...STATE, epoch: 4 })).not.toBe(line(STATE));
});

test("a sparkline rises with silence and never leaves its signs", () => {
  expect(sparkline([0, 74, 75, 599, 600, 1e9, null])).toBe("▁▁▂███×");
});

test("a track keeps half a minute", () => {
  const track = new Track();
  for (let ms = 0; ms < 200; ms += 1) track.add(ms);
  expect(track.samples).toHaveLength(150);
  expect(track.samples.at(-1)).toBe(199);
});

test("text from outside cannot move the cursor", () => {
  expect(plain("cam\u001b[2J1\r\n")).toBe("cam�[2J1��");
});

test("columns and spans of time", () => {
  expect(
    columns([
      ["a", "bb"],
      ["ccc", ""],
    ]),
  ).toEqual(["a    bb", "ccc"]);
  expect([0.42, 45.4, 12_400, 192_000, 11_520_000, 200_000_000].map(duration)).toEqual([
    "0.4 ms",
    "45 ms",
    "12.4 s",
    "3 min 12 s",
    "3 h 12 min",
    "2 d 7 h",
  ]);
});
