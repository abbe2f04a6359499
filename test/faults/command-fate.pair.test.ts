/** P2: what a client is told about a command when the leadership ends, and what it learns by asking again [HO6]. */
import { expect, test } from "vitest";
import { wholeLog } from "../../src/cli/demo/account.ts";
import { until } from "../../src/cli/demo/observe.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { call, type CallAnswer } from "../support/http-call.ts";
import type { RealPair } from "../support/real-pair.ts";
import { withPair } from "../support/stage-pair.ts";
import { PATIENCE_MS } from "./suites.ts";

/** Long enough that no answer says `local` while the test holds up the acknowledgement. */
const COMMANDS = { ackTimeoutMs: 8_000 };
const KEY = "cut-to-2";
const COMMAND = { kind: "POST /api/switch/cut", payload: { source: "cam2" }, idempotencyKey: KEY };

function give(pair: RealPair, label: Label): Promise<CallAnswer> {
  return call("POST", `${pair.engines[label].url}/api/commands`, COMMAND);
}

async function logOf(pair: RealPair, label: Label): Promise<readonly { epoch: number; seq: number; kind: string }[]> {
  return (await wholeLog(pair.engines[label].url)).filter(({ kind }) => kind === COMMAND.kind);
}

/** Gives the command at the leader so that it is stored there and not answered. */
async function giveUnanswered(pair: RealPair, leader: Label): Promise<Promise<CallAnswer>[]> {
  const answers = [give(pair, leader), give(pair, leader)];
  await until("the command is stored", async () => (await logOf(pair, leader)).length === 1, { pollMs: 1 });
  return answers;
}

/** Asks every engine until each gives the same final answer. */
async function askAgain(pair: RealPair): Promise<CallAnswer> {
  let last: CallAnswer | null = null;
  await until("both engines say the same of the command", async () => {
    const [a, b] = [await give(pair, "a"), await give(pair, "b")];
    last = a;
    return a.status === 200 && b.status === 200 && a.body?.["seq"] === b.body?.["seq"];
  });
  return last as unknown as CallAnswer;
}

/** H2: neither engine takes another command under the key. */
async function expectKeyTaken(pair: RealPair): Promise<void> {
  for (const label of ["a", "b"] as const) {
    const body = { ...COMMAND, payload: { source: "cam3" } };
    const answer = await call("POST", `${pair.engines[label].url}/api/commands`, body);
    expect([answer.status, answer.body?.["code"]]).toEqual([422, "idempotency_conflict"]);
  }
}

async function expectOneTruth(pair: RealPair, leader: Label): Promise<void> {
  const { body } = await askAgain(pair);
  await pair.settled();
  for (const label of [leader, otherLabel(leader)]) {
    const [only, ...more] = await logOf(pair, label);
    expect(more).toEqual([]);
    expect(only).toMatchObject({ epoch: body?.["epoch"], seq: body?.["seq"] });
  }
}

test(
  "P2 HO6 I17: the follower had the command: outcome_unknown, then 200 at both engines, also after a restart",
  { timeout: PATIENCE_MS },
  async () => {
    await withPair({ commands: COMMANDS }, async (pair) => {
      const leader = await pair.start();
      const other = otherLabel(leader);
      pair.engines[other].freeze();
      const answers = await giveUnanswered(pair, leader);
      pair.engines[leader].freeze();
      pair.engines[other].thaw();
      await pair.untilLeads(other);
      pair.engines[leader].thaw();
      const { epoch, seq } = (await logOf(pair, leader))[0] ?? {};
      for (const { status, body } of await Promise.all(answers)) {
        expect([status, body?.["code"]]).toEqual([503, "outcome_unknown"]);
        expect(body).toMatchObject({ epoch, seq });
      }
      await expectOneTruth(pair, other);
      await pair.engines[leader].stop();
      await pair.engines[leader].start();
      await pair.ready();
      await expectOneTruth(pair, other);
      await expectKeyTaken(pair);
    });
  },
);

test(
  "P2 HO6 I17: the command diverged: outcome_unknown, and asking again executes it once",
  { timeout: PATIENCE_MS },
  async () => {
    await withPair({ commands: COMMANDS }, async (pair) => {
      const leader = await pair.start();
      const other = otherLabel(leader);
      pair.cutLink();
      const answers = await giveUnanswered(pair, leader);
      pair.engines[leader].freeze();
      await pair.untilLeads(other);
      pair.healAll();
      for (const { status, body } of await Promise.all(answers)) {
        // Answered `local` if the machine stood still for longer than the silence takes; never 409, for it was stored.
        if (status === 200) expect(body?.["durability"]).toBe("local");
        else expect([status, body?.["code"]]).toEqual([503, "outcome_unknown"]);
      }
      await pair.ready();
      await expectOneTruth(pair, other);
    });
  },
);

test(
  "P2 I17: what is answered 409 while the leader is frozen now and then is in no log",
  { timeout: PATIENCE_MS },
  async () => {
    await withPair({ failover: { maxAutomaticFailovers: 1_000 } }, async (pair) => {
      let leader = await pair.start();
      const answers: Promise<{ readonly key: string; readonly answer: CallAnswer | null }>[] = [];
      let count = 0;
      let running = true;
      const load = (async (): Promise<void> => {
        while (running) {
          const key = `key-${(count += 1)}`;
          const url = `${pair.engines[leader].url}/api/commands`;
          const answer = call("POST", url, { kind: `POST /fate/${key}`, payload: null, idempotencyKey: key });
          answers.push(
            answer.then(
              (got) => ({ key, answer: got }),
              () => ({ key, answer: null }),
            ),
          );
          await new Promise((resolve) => setTimeout(resolve, 15));
        }
      })();
      for (let round = 0; round < 4; round += 1) {
        const before = count;
        await until("some commands", async () => count >= before + 10);
        pair.engines[leader].freeze();
        await pair.untilLeads(otherLabel(leader));
        pair.engines[leader].thaw();
        leader = await pair.ready();
      }
      running = false;
      await load;
      const told = await Promise.all(answers);
      await pair.settled();
      const standing = new Set((await wholeLog(pair.engines.a.url)).map(({ kind }) => kind));
      const denied = told.filter(({ answer }) => answer?.status === 409);
      expect(denied.filter(({ key }) => standing.has(`POST /fate/${key}`)).map(({ answer }) => answer?.body)).toEqual(
        [],
      );
      const accepted = told.filter(({ answer }) => answer?.status === 200 && answer.body?.["durability"] === "pair");
      expect(accepted.filter(({ key }) => !standing.has(`POST /fate/${key}`))).toEqual([]);
    });
  },
);
