/** Changeover switches by HTTP and by script: what they are asked, and how their answers are understood. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ExecChangeoverSwitch, HttpChangeoverSwitch } from "../../src/adapters/changeover-switches.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import type { ChangeoverSwitch } from "../../src/ports/changeover-switch.ts";
import { type HookServer, startHookServer } from "../support/hook-server.ts";

const clock = new SystemClock();
const toA = { engineLabel: "a", epoch: 9 } as const;
let target: ChangeoverSwitch;

describe("by HTTP", () => {
  let server: HookServer;
  beforeEach(async () => {
    server = await startHookServer();
  });
  afterEach(async () => {
    await target.close();
    await server.close();
  });

  test("is asked with label and epoch in address, header and body", async () => {
    target = new HttpChangeoverSwitch({ clock }, { name: "router", url: `${server.baseUrl}/route/{label}?e={epoch}` });
    server.faults.set("POST /route/a?e=9", [200]);
    expect(await target.route(toA)).toBe("confirmed");
    expect(server.asked[0]).toMatchObject({
      headers: { "x-changeover-epoch": "9" },
      body: { engineLabel: "a", epoch: 9 },
    });
  });

  test("takes a body and a method of its own", async () => {
    const url = `${server.baseUrl}/out/1`;
    target = new HttpChangeoverSwitch({ clock }, { name: "router", url, method: "PUT", body: '{"in":"{label}"}' });
    server.faults.set("PUT /out/1", [204]);
    expect(await target.route(toA)).toBe("confirmed");
    expect(server.asked[0]?.body).toEqual({ in: "a" });
  });

  test.each([
    [409, "refused"],
    [302, "refused"],
    [500, "unreachable"],
    [429, "unreachable"],
    ["lost", "unreachable"],
    ["silent", "unreachable"],
  ] as const)("%s is %s", async (fault, outcome) => {
    target = new HttpChangeoverSwitch({ clock }, { name: "router", url: `${server.baseUrl}/r`, timeoutMs: 500 });
    server.faults.set("POST /r", [fault]);
    expect(await target.route(toA)).toBe(outcome);
  });

  test("is unreachable when nobody listens, when its address is none, and after it was closed", async () => {
    const url = server.baseUrl;
    target = new HttpChangeoverSwitch({ clock }, { name: "router", url: "no address" });
    expect(await target.route(toA)).toBe("unreachable");
    await target.close();
    target = new HttpChangeoverSwitch({ clock }, { name: "router", url });
    await server.close();
    expect(await target.route(toA)).toBe("unreachable");
    await target.close();
    await target.close();
    expect(await target.route(toA)).toBe("unreachable");
    server = await startHookServer();
  });
});

describe("by script", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "changeover-switch-"));
  });
  afterEach(async () => {
    await target.close();
    await rm(folder, { recursive: true });
  });
  const scripted = (script: string, budgetMs = 10_000) => {
    target = new ExecChangeoverSwitch({ clock }, { name: "relay", command: ["sh", "-c", script, folder], budgetMs });
    return target;
  };

  test("is told label and epoch", async () => {
    expect(await scripted('echo "$@" $CHANGEOVER_LABEL $CHANGEOVER_EPOCH > "$0/told"').route(toA)).toBe("confirmed");
    expect(await readFile(join(folder, "told"), "utf8")).toBe("a 9 a 9\n");
  });

  test.each([
    ["exit 0", "confirmed"],
    ["exit 1", "refused"],
    ["exit 75", "unreachable"],
    ["kill -9 $$", "unreachable"],
  ] as const)("%s is %s", async (script, outcome) => {
    expect(await scripted(script).route(toA)).toBe(outcome);
  });

  test("an overrun is killed; a script that is not there is unreachable", async () => {
    expect(await scripted("sleep 600", 50).route(toA)).toBe("unreachable");
    await target.close();
    target = new ExecChangeoverSwitch({ clock }, { name: "relay", command: ["/nowhere/relay"] });
    expect(await target.route(toA)).toBe("unreachable");
  });

  test("a newer request ends the one under way", async () => {
    const older = scripted('[ "$2" = 9 ] && exec sleep 600; exit 0').route(toA);
    expect(await target.route({ engineLabel: "a", epoch: 11 })).toBe("confirmed");
    expect(await older).toBe("unreachable");
  });
});
