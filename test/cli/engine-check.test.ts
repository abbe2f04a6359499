/** `changeover engine check`: an engine that holds everything, and engines that break one rule each. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { type Checked, checkEngineAt } from "../../src/cli/commands/engine-check.ts";
import { runCli } from "./run-cli.ts";

type Flaw =
  | "executes repeats"
  | "forgets the identity in a restore"
  | "uses the clock"
  | "names no position"
  | "names a wrong position"
  | "takes anything for a state"
  | "never answers a command"
  | "has no execute"
  | "refuses its own state"
  | "writes no lines"
  | "writes nonsense"
  | "has no lifeline"
  | "names a wrong status"
  | "has no role hook";

interface State {
  shown: string[];
  epoch: number;
  seq: number;
}

const servers: Server[] = [];
const timers: NodeJS.Timeout[] = [];

afterEach(() => {
  for (const timer of timers.splice(0)) clearInterval(timer);
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A whole engine in a few lines, with the flaws that are asked for. */
async function engineWith(...flaws: Flaw[]): Promise<string> {
  const has = (flaw: Flaw): boolean => flaws.includes(flaw);
  let state: State = { shown: [], epoch: 0, seq: 0 };
  const execute = (command: { epoch: number; seq: number; payload: { source: string } }): void => {
    const { epoch, seq, payload } = command;
    const isNew = epoch > state.epoch || (epoch === state.epoch && seq > state.seq);
    if (!isNew && !has("executes repeats")) return;
    const source = has("uses the clock") ? `${payload.source}@${process.hrtime.bigint()}` : payload.source;
    state = { shown: [...state.shown, source], epoch, seq };
  };
  const restore = (given: unknown): number => {
    if (has("refuses its own state")) return 400;
    if (has("takes anything for a state") && typeof given === "string") state = { shown: [given], epoch: 0, seq: 0 };
    if (!Array.isArray((given as Partial<State> | null)?.shown)) return has("takes anything for a state") ? 200 : 400;
    const { epoch, seq } = state;
    state = { ...(given as State), ...(has("forgets the identity in a restore") ? { epoch, seq } : {}) };
    return 200;
  };
  const health = () => ({
    status: has("names a wrong status") ? "fine" : "ok",
    instance: "one",
    ...(has("names no position")
      ? {}
      : { position: { epoch: state.epoch, seq: has("names a wrong position") ? 0 : state.seq } }),
  });
  const server = createServer((request, response) => {
    void (async () => {
      let text = "";
      for await (const piece of request) text += String(piece);
      const answer = (status: number, body: unknown = {}): void =>
        void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      let body: unknown;
      try {
        body = text === "" ? null : JSON.parse(text);
      } catch {
        return answer(400, { error: "not JSON" });
      }
      switch (`${request.method} ${request.url}`) {
        case "GET /health":
          return answer(200, health());
        case "GET /snapshot":
          return answer(200, state);
        case "POST /restore":
          return answer(restore(body));
        case "POST /execute":
          if (has("never answers a command")) return;
          if (has("has no execute")) return answer(404);
          execute(body as Parameters<typeof execute>[0]);
          return answer(200);
        case "POST /role":
          return answer(has("has no role hook") ? 404 : 204);
        case "GET /lifeline":
          if (has("has no lifeline")) return answer(404);
          response.writeHead(200).flushHeaders();
          if (has("writes no lines")) return;
          timers.push(setInterval(() => response.write(has("writes nonsense") ? "{\n" : "\n"), 5));
          return;
        default:
          return answer(404);
      }
    })();
  }).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Generous where a busy machine might be late. */
const PATIENT = { timeout: 5_000, lifelineMs: 500, listenMs: 300 };

const notGood = (found: readonly Checked[]) => found.filter(({ state }) => state !== "good");

describe("EN2 EN9 EN10 EN12: changeover engine check", () => {
  test("an engine that holds everything: all is good, and it has its first state again", async () => {
    const url = await engineWith();
    const found = await checkEngineAt(url, PATIENT);
    expect(notGood(found)).toEqual([]);
    expect(found.map(({ check }) => check)).toEqual([
      ...["health", "instance", "snapshot", "execute", "position", "repeats", "determinism", "restore", "bad input"],
      ...["put back", "role", "lifeline"],
    ]);
    expect(await (await fetch(`${url}/snapshot`)).json()).toEqual({ shown: [], epoch: 0, seq: 0 });
  });

  test.each<[Flaw, Checked["state"], string, RegExp]>([
    ["executes repeats", "bad", "repeats", /command \(1, 4\) was executed a second time/],
    ["forgets the identity in a restore", "bad", "restore", /differs from what was given/],
    ["uses the clock", "bad", "determinism", /the same commands from the same state gave state\.shown\.0 "check-1@/],
    ["names no position", "doubtful", "position", /not given/],
    ["names a wrong position", "bad", "position", /\(1, 0\) after command \(1, 4\)/],
    ["takes anything for a state", "bad", "bad input", /no state was taken over/],
    ["has no execute", "bad", "execute", /command 1 is answered 404/],
    ["refuses its own state", "bad", "restore", /POST \/restore of its own state answers 400/],
    ["writes nonsense", "bad", "lifeline", /it gave a line: "\{" is not JSON/],
    ["has no lifeline", "doubtful", "lifeline", /answers 404: a hang is detected late/],
    ["names a wrong status", "bad", "health", /status is "fine", must be "ok", "degraded" or "failed"/],
    ["has no role hook", "doubtful", "role", /POST \/role is not there/],
  ])("an engine that %s is found %s", async (flaw, state, check, detail) => {
    const found = await checkEngineAt(await engineWith(flaw), PATIENT);
    const said = notGood(found).find((one) => one.check === check && one.state === state && detail.test(one.detail));
    expect(said, JSON.stringify(notGood(found))).toBeDefined();
    expect(said?.remedy).not.toBe("");
  });

  test("an engine that never answers a command is found within the time-out", async () => {
    const found = await checkEngineAt(await engineWith("never answers a command"), { ...PATIENT, timeout: 200 });
    expect(notGood(found)).toContainEqual(
      expect.objectContaining({ state: "bad", check: "execute", detail: "command 1: no answer within 200 ms" }),
    );
  });

  test("the exit code is 1 when something does not hold, and the remedy is shown; 0 otherwise", async () => {
    const bad = await runCli(["engine", "check", await engineWith("executes repeats", "writes no lines")]);
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(/!! {2}repeats .*\n.*→ an identity/);
    expect(bad.stdout).toContain("docs/engines.md");
    const good = await runCli(["engine", "check", "--json", await engineWith("has no lifeline")]);
    expect(good.code).toBe(0);
    expect(JSON.parse(good.stdout)).toContainEqual(expect.objectContaining({ check: "determinism", state: "good" }));
  });

  test("wrong use is 2, an engine that is not there 3", async () => {
    expect(await runCli(["engine", "check", "studio"])).toMatchObject({ code: 2, stdout: "" });
    expect(await runCli(["engine", "check", "http://127.0.0.1:1", "--commands", "/nowhere"])).toMatchObject({
      code: 2,
    });
    const gone = await runCli(["engine", "check", "http://127.0.0.1:1"]);
    expect(gone).toMatchObject({ code: 3, stdout: "" });
    expect(gone.stderr).toContain("is the engine running?");
  });
});
