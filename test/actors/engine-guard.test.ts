/** Hooks that an engine may leave out, and whatever they give [A38]. The hooks that it must have: `engine-hooks.pair.test.ts`. */
import { expect, test } from "vitest";
import { EngineGuard } from "../../src/actors/engine-guard.ts";
import { RoleHooks } from "../../src/actors/role-hooks.ts";
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
