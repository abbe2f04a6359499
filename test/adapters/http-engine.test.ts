/** What can go wrong between Changeover and an engine behind HTTP hooks. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HttpEngine, type HttpEngineInit } from "../../src/adapters/http-engine.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import type { EngineSign } from "../../src/ports/engine.ts";
import type { LogFields } from "../../src/ports/basics.ts";
import { atMs, commandAt } from "../support/commands.ts";
import { type HookServer, startHookServer } from "../support/hook-server.ts";

const POLITE = { executeTimeoutMs: 5_000, healthIntervalMs: 5_000, healthTimeoutMs: 5_000, retryDelayMs: 1 };
const clock = new SystemClock();

let server: HookServer;
let engine: HttpEngine;

beforeEach(async () => {
  server = await startHookServer();
});
afterEach(async () => {
  await engine.close();
  await server.close();
});

function start(init: Partial<HttpEngineInit> = {}): HttpEngine {
  engine = new HttpEngine({ clock }, { baseUrl: `${server.baseUrl}/`, ...POLITE, ...init });
  return engine;
}

const cut = commandAt(7, "POST /api/switch/cut", { source: "cam2" }, { epoch: 3 });
const executions = () => server.asked.filter(({ call }) => call === "POST /execute");

describe("a command", () => {
  test("[A4] whose answer was lost is sent again with the same identity, and counts once", async () => {
    server.faults.set("POST /execute", ["lost", 503]);
    expect(await start().execute(cut)).toEqual({ ok: true });
    const identities = executions().map(({ headers }) => [
      headers["x-changeover-epoch"],
      headers["x-changeover-seq"],
      headers["idempotency-key"],
    ]);
    expect(identities).toEqual(Array.from({ length: 3 }, () => ["3", "7", "3-7"]));
    expect(await engine.snapshot()).toMatchObject({ cuts: ["cam2"] });
    expect(engine.programSource()).toBe("cam2");
  });

  test("that the engine refuses is not sent again", async () => {
    server.faults.set("POST /execute", [409]);
    expect(await start().execute(cut)).toEqual({ ok: false, error: "asked to answer 409" });
    expect(executions()).toHaveLength(1);
  });

  test("is given up after a bounded number of attempts; the engine then counts as failed until it answers", async () => {
    server.faults.set("POST /execute", ["silent", 500, "silent", 500]);
    start({ executeTimeoutMs: 20, executeAttempts: 4, healthIntervalMs: 10 });
    const outcome = await engine.execute(cut);
    expect(outcome).toEqual({
      ok: false,
      error: "the engine does not execute: asked to answer 500",
      gaveUp: true,
    });
    expect(executions()).toHaveLength(4);
    await expect.poll(() => engine.health()).toBe("ok");
  });

  test("carries the token, and reads are passed on", async () => {
    await start({ token: "hush" }).execute(cut);
    expect(executions()[0]?.headers.authorization).toBe("Bearer hush");
    expect(await engine.read("/health?x=1", atMs(0))).toEqual({ status: 404, body: { error: "unknown" } });
    expect(await engine.read("//elsewhere.invalid/x", atMs(0))).toMatchObject({ status: 404 });
    expect(await engine.read("elsewhere", atMs(0))).toMatchObject({ status: 400 });
  });
});

describe("health", () => {
  test("is degraded before the first answer and then what the engine says", async () => {
    server.health = { status: "degraded", programSource: "cam9" };
    start({ healthIntervalMs: 5 });
    expect(engine.health()).toBe("degraded");
    await expect.poll(() => engine.programSource()).toBe("cam9");
    server.health = { status: "failed" };
    await expect.poll(() => engine.health()).toBe("failed");
    server.health = {};
    await expect.poll(() => engine.health()).toBe("ok");
  });

  test("is degraded after one poll without an answer, failed after three, and comes back", async () => {
    const changes: unknown[] = [];
    const note = (fields: LogFields) => changes.push([fields["before"], fields["after"]]);
    const logger = { debug: note, info: note, warn: note, error: note };
    server.faults.set("GET /health", ["silent", 500, "lost"]);
    const init = { baseUrl: server.baseUrl, healthIntervalMs: 5, healthTimeoutMs: 1_500 };
    engine = new HttpEngine({ clock, logger }, init);
    await expect
      .poll(() => changes)
      .toEqual([
        ["degraded", "failed"],
        ["failed", "ok"],
      ]);
    server.faults.set("GET /health", [503]);
    await expect
      .poll(() => changes.slice(2))
      .toEqual([
        ["ok", "degraded"],
        ["degraded", "ok"],
      ]);
  });
});

describe("a role change", () => {
  test("does not wait behind a command that hangs", async () => {
    server.faults.set("POST /execute", ["silent"]);
    const hanging = start({ executeAttempts: 1 }).execute(cut);
    await expect.poll(() => executions().length).toBe(1);
    await engine.onRole({ role: "follower", epoch: 4, previousRole: "leader", mayActForMs: 0 });
    expect(server.asked.at(-1)).toMatchObject({
      call: "POST /role",
      body: { role: "follower", epoch: 4, previousRole: "leader", mayActForMs: 0 },
    });
    await engine.close();
    expect(await hanging).toMatchObject({ ok: false });
  });

  test("on the way when the coordinator stops is told before the connection ends", async () => {
    start();
    void engine.onRole({ role: "follower", epoch: 4, previousRole: "leader", mayActForMs: 0 });
    await engine.close();
    expect(server.asked.filter(({ call }) => call === "POST /role")).toMatchObject([{ body: { role: "follower" } }]);
  });

  test("that the engine did not take is told again, never an older one after a newer, and not once more than needed", async () => {
    server.faults.set("POST /role", [500, 500, 500]);
    start({ healthIntervalMs: 5 });
    await engine.onRole({ role: "leader", epoch: 5, previousRole: "follower", mayActForMs: 600 });
    await engine.onRole({ role: "follower", epoch: 6, previousRole: "leader", mayActForMs: 0 });
    const epochsOf = (call: string) =>
      server.asked.filter((asked) => asked.call === call).map(({ headers }) => headers["x-changeover-epoch"]);
    await expect.poll(() => epochsOf("POST /role")).toHaveLength(4);
    const told = epochsOf("POST /role");
    expect(told).toEqual(told.toSorted());
    expect(told.at(-1)).toBe("6");
    const polls = epochsOf("GET /health").length;
    await expect.poll(() => epochsOf("GET /health").length).toBeGreaterThan(polls + 2);
    expect(epochsOf("POST /role")).toHaveLength(4);
  });
});

describe("EN12 EN13: the role of a leader", () => {
  const LEADS = { role: "leader", epoch: 5, previousRole: "follower", mayActForMs: 60_000 } as const;
  const roles = () => server.asked.filter(({ call }) => call === "POST /role").map(({ body }) => body);

  test("is repeated with {role, epoch, previousRole, mayActForMs}", async () => {
    start();
    await engine.onRole(LEADS);
    await engine.repeatRole(LEADS);
    expect(roles()).toHaveLength(2);
    const { mayActForMs, ...role } = roles()[1] as { mayActForMs: number };
    expect(role).toEqual({ role: "leader", epoch: 5, previousRole: "follower" });
    expect(mayActForMs).toBeGreaterThan(0);
    expect(mayActForMs).toBeLessThanOrEqual(60_000);
  });

  test("does not pile up behind a hook that hangs: one call, then the newest, with the time that is left", async () => {
    server.faults.set("POST /role", ["silent"]);
    start({ healthIntervalMs: 300 });
    const told = Array.from({ length: 100 }, () => engine.repeatRole(LEADS));
    const demoted = engine.onRole({ role: "follower", epoch: 6, previousRole: "leader", mayActForMs: 0 });
    await Promise.all([...told, demoted]);
    expect(roles()).toMatchObject([{ role: "leader" }, { role: "follower", epoch: 6, mayActForMs: 0 }]);
  });

  test("that waited has less time, never more", async () => {
    server.faults.set("POST /role", ["silent"]);
    start({ healthIntervalMs: 200 });
    await Promise.all([engine.repeatRole(LEADS), engine.repeatRole(LEADS)]);
    const [, later] = roles() as { mayActForMs: number }[];
    expect(later?.mayActForMs).toBeLessThanOrEqual(59_900);
  });

  test("is not missed by an engine without the hook: no complaint, no endless repeats of a change", async () => {
    server.faults.set("POST /role", [404, 500]);
    const complaints: EngineSign[] = [];
    start();
    engine.watch((sign) => void (sign.type === "strange" && complaints.push(sign)));
    await engine.onRole(LEADS);
    expect(complaints).toEqual([]);
    await engine.onRole(LEADS);
    expect(complaints).toMatchObject([{ hook: "POST /role", fault: "no good answer: asked to answer 500" }]);
  });
});

describe("a state", () => {
  test("that is longer than the bound is not read", async () => {
    await expect(start({ maxStateBytes: 20 }).snapshot()).rejects.toMatchObject({
      code: "engine_not_ready",
      retryable: true,
      message: "the engine gives no answer to snapshot: answer longer than 20 bytes",
    });
  });

  test("cannot be had from an engine that is gone", async () => {
    start();
    await server.close();
    await expect(engine.snapshot()).rejects.toMatchObject({ code: "engine_not_ready" });
    await expect(engine.restore({ cuts: [] })).rejects.toMatchObject({ code: "engine_not_ready" });
    expect(await engine.read("/x", atMs(0))).toEqual({
      status: 502,
      body: { error: "the engine does not answer: ECONNREFUSED" },
    });
    server = await startHookServer();
  });
});

describe("answers that make no sense", () => {
  let signs: EngineSign[];
  const watch = (init: Partial<HttpEngineInit> = {}): void => {
    signs = [];
    start(init).watch((sign) => void signs.push(sign));
  };
  const strange = () => signs.filter((sign) => sign.type === "strange");

  test.each(["<html>", "", '{"cuts":['])(
    "EN11: %j is no state: it is refused and named, never taken for one",
    async (text) => {
      server.faults.set("GET /snapshot", [{ text }]);
      watch();
      await expect(engine.snapshot()).rejects.toMatchObject({ code: "engine_not_ready" });
      const fault = expect.stringContaining("is not JSON") as string;
      expect(strange()).toEqual([{ type: "strange", hook: "GET /snapshot", fault }]);
      expect(await engine.snapshot()).toMatchObject({ cuts: [] });
      expect(strange().at(-1)).toEqual({ type: "strange", hook: "GET /snapshot", fault: null });
    },
  );

  test.each([
    ["HTML", "<html>"],
    ["a list", "[1]"],
    ["a number", "7"],
    ["lists without end", "[".repeat(20_000) + "]".repeat(20_000)],
  ])("/health that says %s is named", async (_what, text) => {
    server.faults.set(
      "GET /health",
      Array.from({ length: 1_000 }, () => ({ text })),
    );
    watch({ healthIntervalMs: 10 });
    await expect
      .poll(() => strange().at(-1))
      .toMatchObject({ hook: "GET /health", fault: expect.stringContaining("is not a JSON object") as string });
    expect(engine.health()).toBe("ok");
    server.faults.delete("GET /health");
    await expect.poll(() => strange().at(-1)).toMatchObject({ hook: "GET /health", fault: null });
  });

  test("/health that does not end within its bound is no good answer", async () => {
    server.faults.set(
      "GET /health",
      Array.from({ length: 1_000 }, () => ({ text: `{"status":"ok","more":"${"x".repeat(1_100_000)}"}` })),
    );
    watch({ healthIntervalMs: 10 });
    await expect.poll(() => engine.health()).toBe("failed");
    expect(JSON.stringify(signs)).toContain("answer longer than 1048576 bytes");
  });

  test("EN3: a redirect is no judgement on a command: it is not followed, and the command is given up", async () => {
    server.faults.set("POST /execute", [302, 307, 301]);
    expect(await start().execute(cut)).toEqual({
      ok: false,
      error: "the engine does not execute: HTTP 301: a redirect, which is not followed",
      gaveUp: true,
    });
  });

  test("EN1: an engine that breaks every connection is asked at the usual pace", async () => {
    watch({ healthIntervalMs: 200 });
    await expect.poll(() => engine.health()).toBe("ok");
    server.faults.set(
      "GET /health",
      Array.from({ length: 1_000 }, () => "cut" as const),
    );
    await expect.poll(() => engine.health(), { timeout: 10_000 }).toBe("failed");
    const looks = () => server.asked.filter(({ call }) => call === "GET /health").length;
    const before = looks();
    const began = clock.monoMs();
    await expect.poll(looks, { timeout: 20_000 }).toBeGreaterThanOrEqual(before + 5);
    expect(clock.monoMs() - began).toBeGreaterThan(700);
  });
});

test("a read stays below the base URL: the hooks' token is for the engine alone", async () => {
  engine = new HttpEngine({ clock }, { baseUrl: `${server.baseUrl}/mixer`, ...POLITE, token: "hush" });
  for (const path of ["/../secret", "/%2e%2e/secret", "/x/../../secret", "/..\\secret"]) {
    expect(await engine.read(path, atMs(0))).toMatchObject({ status: 400 });
  }
  expect(await engine.read("/x/../sources?of=../all", atMs(0))).toMatchObject({ status: 404 });
  const asked = server.asked.map(({ call }) => call).filter((call) => !/health|lifeline/.test(call));
  expect(asked).toEqual(["GET /mixer/sources?of=../all"]);
});
