/** `changeover machines inspect`: Stately's own receiver is attached to a running pair and understands what it hears. */
import { createWebSocketReceiver, type StatelyInspectionEvent } from "@statelyai/inspect";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createMachine, type AnyStateMachine } from "xstate";
import { actorTree } from "../../machines/index.ts";
import { waitUntil } from "../support/wait-until.ts";
import { type EnginePair, startPair } from "./engine-pair.ts";
import { runCli } from "./run-cli.ts";

let pair: EnginePair;
let inspecting: ChildProcess;
let address: string;

beforeAll(async () => {
  pair = await startPair();
  const args = ["src/cli/main.ts", "machines", "inspect", "--url", pair.urls.a, "--port", "0"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  inspecting = child;
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  address = /ws:\S+/.exec(line)?.[0] ?? "";
});
afterAll(async () => {
  inspecting.kill();
  await pair.close();
});

function isHeld(value: unknown): boolean {
  return JSON.stringify(value) === '{"follower":"held"}';
}

test("an attached inspector hears of both engines: actors with their definitions, events, states", async () => {
  const heard: StatelyInspectionEvent[] = [];
  createWebSocketReceiver({ server: address }).subscribe((event) => void heard.push(event));
  const actors = () => heard.flatMap((event) => (event.type === "@xstate.actor" ? [event] : []));
  const state = (await (await fetch(`${pair.urls.a}/api/state`)).json()) as { machines: object };
  const wanted = Object.keys(state.machines).flatMap((name) => [`a ${name}`, `b ${name}`]);
  expect(wanted).toContain("b leadership");
  await waitUntil(() => wanted.every((name) => actors().some((actor) => actor.name === name)));
  for (const { name, definition, sessionId, snapshot } of actors()) {
    const machine = createMachine(JSON.parse(definition ?? "") as object) as AnyStateMachine;
    // The definition is a statechart by itself, and the state that is told is one of it.
    expect(`${name}`.endsWith(machine.id)).toBe(true);
    expect(machine.resolveState({ value: (snapshot as { value: string }).value, context: {} }).status).toMatch(
      /^(active|done)$/,
    );
    expect(sessionId).toMatch(/^[ab]-/);
  }
  await runCli(["maintenance", "on", "--reason", "inspected", "--url", pair.urls.a]);
  const states = (of: string): unknown[] =>
    heard.flatMap((event) => {
      const isOf = event.type === "@xstate.snapshot" && event.sessionId.startsWith(`${of}-`);
      return isOf && event.sessionId.endsWith(":leadership") ? [(event.snapshot as { value?: unknown }).value] : [];
    });
  // The follower's campaigns are held from now on.
  await waitUntil(() => ["a", "b"].some((label) => states(label).some((value) => isHeld(value))));
  const told = heard.filter(({ type }) => type === "@xstate.event");
  expect(told.some((event) => JSON.stringify(event).includes("VERDICT"))).toBe(true);
});

test("CH7 the charts of a running engine: where they stand, what their delays have left, why it waits", async () => {
  const export_ = (...args: string[]) => runCli(["machines", "export", "--running", ...args]);
  const follower = (await (await fetch(`${pair.urls.a}/api/state`)).json()) as { role: string };
  const url = follower.role === "follower" ? pair.urls.a : pair.urls.b;
  const told = JSON.parse((await export_("--url", url)).stdout) as {
    readonly waiting: { readonly reasons: readonly string[] };
    readonly actors: readonly { readonly name: string; readonly parent: string | null; readonly value: unknown }[];
  };
  expect(told.waiting.reasons.length).toBeGreaterThan(0);
  expect(told.actors.map(({ name }) => name)).toEqual(expect.arrayContaining(["leadership", "peer-link", "catch-up"]));
  // CH1: all charts are children of the pair's root, or of their parent below it.
  const parents = new Map<string, string | null>(actorTree().map(({ name, parent }) => [name, parent]));
  for (const { name, parent } of told.actors.filter((actor) => parents.has(actor.name))) {
    expect(parent, name).toBe(parents.get(name));
  }
  expect(told.actors[0]).toMatchObject({ name: "pair", parent: null, value: "running" });
  const { code, stdout } = await export_("--format", "tree", "--url", url);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^waits for /m);
  expect(stdout).toMatch(/^ *peer-link +alive/m);
});
