/** A21 and A23 (operations): a spoke that was away, and an operation that cannot be taken; records over a failover. */
import { describe, expect, it } from "vitest";
import { peerPort, poll, wayTo } from "../support/federation.ts";
import { makePlace, altered, originOf, shown, type Place, wired } from "../support/replication-node.ts";
import { scenario } from "./stage.ts";

const HOUR_MS = 3_600_000;

/** A hub and spokes of it. */
function plant(...names: readonly string[]): { hub: Place; spokes: readonly Place[]; stop(): void } {
  const hub = makePlace({ name: "hub" });
  const spokes = names.map((name) => makePlace({ name, hub: hub.wayFor(originOf(name)) }));
  return { hub, spokes, stop: () => [hub, ...spokes].forEach((place) => place.replication.stop()) };
}

const exchange = async (place: Place | undefined) => place?.replication.spoke?.exchangeNow();

describe("[A21] a third spoke was offline for an hour", () => {
  it("its old operations reach every node, each once", async () => {
    const took: Record<string, string[]> = {};
    const site = plant("one", "two", "three");
    const { hub, spokes } = site;
    const [one, two, three] = spokes as [Place, Place, Place];
    three.replication.records.set("show", "title", "made offline");
    for (const place of [hub, one, two, three]) place.clock.nowMs += HOUR_MS;
    one.replication.records.set("show", "lead", "made later");
    for (const place of [one, two]) await exchange(place);
    await exchange(three);
    for (const place of [one, two, one, two]) {
      const before = place.store.replica.ops.count();
      await exchange(place);
      const fresh = place.store.replica.ops.newest(place.store.replica.ops.count() - before);
      took[place.name] = [...(took[place.name] ?? []), ...fresh.map(({ op }) => `${op.origin}/${op.originSeq}`)];
    }
    expect(took["one"]).toEqual([`${originOf("three")}/1`]);
    expect(took["two"]).toEqual([`${originOf("three")}/1`]);
    for (const place of spokes) expect(shown(place)).toEqual(shown(hub));
    site.stop();
  });
});

describe("[A21] two sites federate, and a spoke of one was offline for an hour", () => {
  it("its old operations reach every node of both sites, each once", async () => {
    const [east, west] = ["east", "west"].map((name) => site(name)) as [Site, Site];
    const late = makePlace({ name: "late", hub: east.hub.wayFor(originOf("late")) });
    late.replication.records.set("show", "title", "made offline");
    const nodes = [east.hub, east.spoke, west.hub, west.spoke];
    for (const node of [...nodes, late]) node.clock.nowMs += HOUR_MS;
    west.spoke.replication.records.set("show", "lead", "made later");
    const round = async () => {
      for (const spoke of [west.spoke, east.spoke]) await exchange(spoke);
      for (const [hub, peer] of [
        ["east", "west"],
        ["west", "east"],
      ] as const) {
        await poll(hub === "east" ? east.hub : west.hub, peer);
      }
    };
    for (let n = 0; n < 3; n += 1) await round();
    for (const node of nodes) expect(node.replication.records.get("show", "lead")?.value).toBe("made later");
    await exchange(late);
    for (let n = 0; n < 3; n += 1) await round();
    await exchange(late);
    for (const node of [...nodes, late]) {
      expect(shown(node)).toEqual(shown(east.hub));
      const taken = node.store.replica.ops.newest(100).map(({ op }) => `${op.origin}/${op.originSeq}`);
      expect(taken.sort()).toEqual([`${originOf("late")}/1`, `${originOf("west-spoke")}/1`]);
    }
    for (const node of [...nodes, late]) node.replication.stop();
  });

  interface Site {
    readonly hub: Place;
    readonly spoke: Place;
  }

  const hubs = new Map<string, Place>();

  /** A hub that asks the other site's, and one spoke of it. */
  function site(name: string): Site {
    const other = name === "east" ? "west" : "east";
    const way = wayTo(() => (hubs.get(other) as Place).wayFor(originOf(name)));
    const hub = makePlace({ name, federation: [peerPort(other, way)] });
    hubs.set(name, hub);
    const spoke = makePlace({ name: `${name}-spoke`, hub: hub.wayFor(originOf(`${name}-spoke`)) });
    return { hub, spoke };
  }
});

describe("[A23] a poison operation", () => {
  it("stalls only its origin, becomes a dead letter with an alarm, and can be skipped", async () => {
    const alarms: string[] = [];
    const hub = makePlace({ name: "hub", joint: { alarm: (code, detail) => alarms.push(`${code} ${detail}`) } });
    const source = makePlace({ name: "source" });
    for (const value of [1, 2, 3]) source.replication.records.set("macro", "steps", value);
    const [first, second, third] = source.replication.records.log("", 10).ops.map(({ op }) => op);
    if (first === undefined || second === undefined || third === undefined) throw new Error("three were written");
    const poison = altered(second, { kind: "explode" });
    const other = makePlace({ name: "other" });
    other.replication.records.set("layout", "main", "2-up");
    const healthy = other.replication.records.log("", 10).ops.map(({ op }) => op);
    const push = () =>
      hub.replication.hub.push({ origin: "", token: null }, wired([first, poison, third, ...healthy]) as never).results;
    expect(push().map((one) => ("reason" in one ? one.reason : one.outcome))).toEqual([
      "applied",
      "unknown_action",
      "gap",
      "applied",
    ]);
    push();
    push();
    expect(alarms).toEqual([`op-dead-letter ${originOf("source")}/2: unknown_action; its origin stands still`]);
    expect(hub.replication.records.setAside(10)).toMatchObject([{ originSeq: 2, dead: true, attempts: 3 }]);
    expect(hub.replication.records.skip(originOf("source"), 2).outcome).toBe("skipped");
    expect(push().map(({ outcome }) => outcome)).toEqual(["duplicate", "duplicate", "applied", "duplicate"]);
    expect(hub.replication.records.get("macro", "steps")?.value).toBe(3);
    expect(hub.replication.records.get("layout", "main")?.value).toBe("2-up");
    const spoke = makePlace({ name: "spoke", hub: hub.wayFor(originOf("spoke")) });
    await spoke.replication.spoke?.exchangeNow();
    expect(shown(spoke)).toEqual(shown(hub));
  });
});

scenario(
  "A8",
  "records of either engine stand on both, also after a failover and on one that comes back",
  {},
  async (stage) => {
    const records = (label: "a" | "b") => stage.coordinator(label).replication.records;
    await stage.given("a pair on air", () => stage.onAir("a"));
    await stage.when("each engine writes a record", () => {
      records("a").set("show", "title", "Monday");
      records("b").set("show", "lead", "Ada");
    });
    const both = (label: "a" | "b") =>
      records(label)
        .list("show", null, 10)
        .records.map(({ field, value }) => [field, value]);
    await stage.outcome("both engines hold both", () =>
      stage.until("held", () => both("a").length + both("b").length === 4, 5_000),
    );
    await stage.when("the leader is killed, and the other one's records change", async () => {
      stage.process("a").kill(3);
      await stage.until("b leads", () => stage.leads("b"), 10_000);
      records("b").set("show", "title", "Tuesday");
    });
    await stage.when("a starts again", () => stage.process("a").boot());
    await stage.outcome("it holds what b has changed", () =>
      stage.until(
        "held",
        () => stage.process("a").coordinator !== null && records("a").get("show", "title")?.value === "Tuesday",
        30_000,
      ),
    );
    expect(both("a")).toEqual([
      ["lead", "Ada"],
      ["title", "Tuesday"],
    ]);
  },
);
