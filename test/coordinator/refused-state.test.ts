/** A stored state that the engine does not take back: one bad answer of `snapshot` must not keep the pair down [A38]. */
import { expect, test } from "vitest";
import { ChangeoverError } from "../../src/core/errors.ts";
import { Pair, type PairSettings } from "./pair.ts";

const refuses = (): never => {
  throw new ChangeoverError("invalid_value", "not a switcher's state: state: 42 must be object");
};
const throws = (): never => {
  throw new TypeError("Cannot read properties of null");
};

/** Both engines gave 42 as their state once, when it was stored, and were stopped. */
async function badlyStored(restore: () => never, commands: PairSettings["commands"] = {}): Promise<Pair> {
  let gives42 = true;
  const pair = await Pair.started({
    commands: { checkpointEvery: 5, ...commands },
    wrapPorts: (ports) => {
      const { engine } = ports;
      const given = { snapshot: engine.snapshot.bind(engine), restore: engine.restore.bind(engine) };
      const snapshot = () => (gives42 ? 42 : given.snapshot());
      const takes = (state: unknown) => (state === 42 ? restore() : given.restore(state as never));
      return { ...ports, engine: Object.assign(engine, { snapshot, restore: takes }) };
    },
  });
  for (let n = 1; n <= 7; n += 1) await pair.submit("a", `CAM ${n}`);
  await pair.until(() => pair.of("b").syncHealth().lastExecutedSeq === 7);
  await pair.stop("b");
  await pair.stop("a");
  gives42 = false;
  return pair;
}

test.each([
  ["refuses", refuses],
  ["throws at", throws],
])(
  "A38: a restart whose engine %s the stored state executes the whole log again, and the pair goes on",
  async (_how, restore) => {
    const pair = await badlyStored(restore);
    await pair.start("b");
    await pair.start("a");
    await pair.until(() => (["a", "b"] as const).some((label) => pair.of(label).mayAct()));
    await pair.until(() => (["a", "b"] as const).every((label) => pair.of(label).ready()));
    const [a, b] = (["a", "b"] as const).map((label) => pair.member(label).engine.past);
    expect(a).toMatchObject({ seq: 7 });
    expect(a).toEqual(b);
  },
);

test("A38: where the log no longer reaches back that far, the engine waits for its peer's state", async () => {
  const pair = await badlyStored(refuses, { keep: 0 });
  await pair.start("b");
  await pair.clock.pass(10_000);
  expect(pair.of("b").mayAct()).toBe(false);
  expect(pair.alarm("b", "engine-failed")).toBe(true);
});
