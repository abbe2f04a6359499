/** Hooks that an engine may leave out, and whatever they give [A38]. The hooks that it must have: `engine-hooks.pair.test.ts`. */
import { describe, expect, test } from "vitest";
import { EngineGuard } from "../../src/actors/engine-guard.ts";
import { RoleHooks } from "../../src/actors/role-hooks.ts";
import type { Command } from "../../src/core/command.ts";
import { ChangeoverError } from "../../src/core/errors.ts";
import type { Engine, EngineSign } from "../../src/ports/engine.ts";
import { buildRig } from "./rig.ts";

type Hooks = Readonly<Record<string, unknown>>;

function guarded(hooks: Hooks) {
  const rig = buildRig();
  const engine = Object.assign(Object.create(rig.engine) as Engine, hooks);
  return { ...rig, guard: new EngineGuard({ engine, clock: rig.clock, alarms: rig.kit.alarms }) };
}

test.each(["position", "watch", "link", "repeatRole"])(
  "[A38] engine.%s that is no function stops the start",
  (hook) => {
    expect(() => guarded({ [hook]: null })).toThrow(`engine.${hook}: is null, must be a function`);
    expect(() => guarded({ [hook]: "yes" })).toThrow(`engine.${hook}: is the string "yes", must be a function`);
  },
);

const gives = (value: unknown) => () => value;
const throws = (value: unknown) => () => {
  throw value;
};

test.each<[string, () => unknown, string]>([
  ["nothing", gives(undefined), "returned undefined"],
  ["a string", gives("live"), 'returned the string "live"'],
  ["a lifeline that there is not", gives({ lifeline: "good", note: null }), "returned an object with the keys"],
  ["a promise", gives(Promise.resolve({ lifeline: "live", note: null })), "returned a promise"],
  ["an error", throws(new Error("no link")), "threw: no link"],
  ["something else", throws(Object.create(null)), "threw: an object with no keys"],
])("[A38] link that gives %s is named, and the engine counts as one without a lifeline", (_name, link, says) => {
  const rig = guarded({ link });
  expect(rig.guard.link()).toEqual({ lifeline: "unused", note: null });
  expect(rig.alarmText("engine-hook")).toContain(`engine.link() ${says}`);
});

test.each<[string, unknown]>([
  ["nothing", undefined],
  ["a word", "dead"],
  ["an unknown type", { type: "gone" }],
  ["a position that is none", { type: "answered", instance: null, position: { seq: "7" }, reconnected: false }],
  ["no instance", { type: "line", position: null }],
  ["no reason", { type: "silent" }],
])("[A38] a sign that is %s is named and changes nothing", (_name, sign) => {
  const heard: EngineSign[] = [];
  let tell: (sign: unknown) => void = () => undefined;
  const rig = guarded({ watch: (listener: (given: unknown) => void) => void (tell = listener) });
  rig.guard.watch((good) => void heard.push(good));
  tell(sign);
  expect(heard).toEqual([]);
  expect(rig.alarmText("engine-hook")).toContain("engine.watch() gave its listener ");
  tell({ type: "refused" });
  expect(heard).toEqual([{ type: "refused" }]);
});

test("[A38] a watch that throws does not end the start", () => {
  const rig = guarded({ watch: throws("no socket") });
  rig.guard.watch(() => undefined);
  expect(rig.alarmText("engine-hook")).toContain('engine.watch() threw: the string "no socket"');
});

test.each([Object.create(null), Symbol("odd"), null, Object.assign(new Error("x"), { message: { deep: true } })])(
  "[A38] a role hook that throws anything at all is an alarm and nothing more (%#)",
  async (thrown) => {
    const rig = guarded({ onRole: throws(thrown) });
    const acting = { mayAct: () => true, mayActForMs: () => 600 } as never;
    const hooks = new RoleHooks({ ...rig.kit, ports: { ...rig.kit.ports, engine: rig.guard } }, acting);
    hooks.moved({ role: "follower", previousRole: "leader", epoch: 3, origin: null } as never);
    await rig.clock.pass(10);
    expect(rig.alarmText("engine-hook-slow")).toContain("role hook failed");
    hooks.stop();
  },
);

const refuse = (): never => {
  throw new Error("not for your eyes");
};
const hiding = (...keys: string[]): object => {
  const hidden = { enumerable: true, get: refuse };
  return Object.defineProperties({}, Object.fromEntries(keys.map((key) => [key, hidden])));
};
const closed = (): object => new Proxy({}, { get: refuse, getPrototypeOf: refuse, ownKeys: refuse });
const notReady = new ChangeoverError("invalid_value", "the engine speaks out of turn");

const STRANGE: readonly (readonly [string, () => unknown])[] = [
  ["gives what throws where a promise is looked for", () => hiding("then")],
  ["gives members that throw when they are read", () => hiding("ok", "status", "epoch", "lifeline")],
  ["gives a proxy that shows nothing", closed],
  ["throws an error whose message throws", throws(Object.defineProperty(new Error(), "message", { get: refuse }))],
  ["throws a proxy that shows nothing", throws(closed())],
];
const play = {
  validate: (guard: EngineGuard) => guard.validate("POST /x", null),
  execute: (guard: EngineGuard) => guard.execute({} as Command),
  snapshot: (guard: EngineGuard) => guard.snapshot(),
  position: (guard: EngineGuard) => guard.position(),
  link: (guard: EngineGuard) => guard.link(),
  health: (guard: EngineGuard) => guard.health(),
  programSource: (guard: EngineGuard) => guard.programSource(),
  read: (guard: EngineGuard) => guard.read("/", 0),
} as const;
const GIVEN: Readonly<Record<keyof typeof play, unknown>> = {
  ...{ validate: "engine_not_ready", snapshot: "engine_not_ready", position: null },
  ...{ execute: expect.objectContaining({ ok: false }), link: { lifeline: "unused", note: null } },
  ...{ health: "degraded", programSource: "", read: expect.objectContaining({ status: 502 }) },
};
const HOOKS = Object.keys(play) as (keyof typeof play)[];

async function played(hook: keyof typeof play, rig: ReturnType<typeof guarded>): Promise<unknown> {
  try {
    return await play[hook](rig.guard);
  } catch (error) {
    return (error as ChangeoverError).code;
  }
}

describe.each(HOOKS)("[A38] %s", (hook) => {
  test.each(STRANGE)("that %s is named, and nothing is thrown but what the hook may throw", async (_name, gives) => {
    const rig = guarded({ [hook]: gives });
    expect(await played(hook, rig)).toEqual(GIVEN[hook]);
    expect(rig.alarmText("engine-hook")).toContain(`engine.${hook}() `);
  });
});

test.each(["validate", "execute", "link", "health", "programSource"] as const)(
  "[A38] %s that throws the project's own error is named as any other",
  async (hook) => {
    const rig = guarded({ [hook]: throws(notReady) });
    expect(await played(hook, rig)).toEqual(GIVEN[hook]);
    expect(rig.alarmText("engine-hook")).toContain(`engine.${hook}() threw: the engine speaks out of turn`);
  },
);

test("[A38] close resolves, whatever the engine throws", async () => {
  const rig = guarded({ close: throws(notReady) });
  await expect(rig.guard.close()).resolves.toBeUndefined();
});
