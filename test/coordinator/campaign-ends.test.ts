/** Campaigns that begin rightly and must not be won: something changes while they ask. */
import { expect, test } from "vitest";
import type { Witness } from "../../src/ports/witness.ts";
import { Pair } from "./pair.ts";

/** A pair under `consistency` whose two ways to the witness the test changes at will. */
async function watched() {
  const calls: Record<"a" | "b", Partial<Witness>> = { a: {}, b: {} };
  const pair = await Pair.started({
    failover: { policy: "consistency" },
    wrapPorts: (ports, label) => {
      const { witness } = ports;
      const [read, swap] = [witness.read.bind(witness), witness.swap.bind(witness)];
      witness.read = () => calls[label].read?.() ?? read();
      witness.swap = (...asked) => calls[label].swap?.(...asked) ?? swap(...asked);
      return ports;
    },
  });
  await pair.clock.pass(300);
  return { pair, calls };
}

const UNREACHABLE = { outcome: "unreachable", reason: "refused" } as const;
const later = (pair: Pair, ms: number): Promise<void> => new Promise((resolve) => pair.clock.setTimeout(resolve, ms));

test.each([
  ["is read", true],
  ["is swapped", false],
])("[CP3] a witness that goes away when its record %s in a campaign on silence: nobody leads", async (_, whenRead) => {
  const { pair, calls } = await watched();
  calls.a.swap = async () => UNREACHABLE;
  pair.wire.cut("red");
  const roles: string[] = [];
  pair.of("b").subscribe((event) => {
    if (event.type === "role") roles.push(event.role);
  });
  calls.b.read = async () => (whenRead && roles.length > 0 ? UNREACHABLE : pair.server.read());
  calls.b.swap = async () => UNREACHABLE;
  await pair.clock.pass(5_000);
  expect(new Set(roles)).toEqual(new Set(["candidate", "follower"]));
  expect(pair.of("b").state()).toMatchObject({ role: "follower", mayAct: false });
  expect(pair.alarm("b", "no-quorum")).toBe(true);
});

test("[CP1] a peer that is heard while the record is read ends a campaign on silence", async () => {
  const { pair, calls } = await watched();
  const { server } = pair;
  calls.a.swap = async () => UNREACHABLE;
  calls.a.read = async () => UNREACHABLE;
  pair.wire.cut("red");
  calls.b.read = async () => {
    if (pair.of("b").state().role === "candidate") {
      pair.wire.mend("red");
      await later(pair, 300);
    }
    return server.read();
  };
  await pair.clock.pass(5_000);
  expect(pair.of("b").state()).toMatchObject({ role: "follower" });
  expect(pair.of("a").state()).toMatchObject({ role: "leader", epoch: 1, mayAct: true });
});

test("[HO1] a grant that lapses while the record is swapped, with an answer that never comes, wins nothing", async () => {
  const { pair, calls } = await watched();
  calls.b.swap = async () => {
    await later(pair, 480);
    return { outcome: "unknown", reason: "no answer in time" };
  };
  calls.b.read = async () => UNREACHABLE;
  const going = pair.of("a").handover({ reason: "drill", by: "ops" });
  await pair.untilDone(going);
  await pair.clock.pass(2_000);
  expect(pair.of("a").state()).toMatchObject({ role: "leader", epoch: 1, mayAct: true });
  expect(pair.of("b").state()).toMatchObject({ role: "follower" });
});
