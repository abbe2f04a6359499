/** A stamp from the far future: refused, counted where people can see it, and no clock follows it. */
import { expect, test } from "vitest";
import { formatHlc, parseHlc } from "../../src/core/hlc.ts";
import { altered, makePlace, wired } from "../support/replication-node.ts";
import { Pair } from "./pair.ts";

const YEAR_MS = 365 * 86_400_000;

test("an operation that is stamped a year ahead is refused and counted, and moves no clock", async () => {
  const pair = await Pair.started();
  const spoke = makePlace({ name: "s1" });
  spoke.replication.records.set("macros", "opening", 1);
  const [made] = spoke.replication.records.log("", 1).ops;
  if (made === undefined) throw new Error("the spoke has made nothing");
  const hlc = formatHlc({ unixMs: Math.floor(pair.clock.unixMs()) + YEAR_MS, counter: 0, origin: made.op.origin });
  const { hub, records } = pair.of("a").replication;
  const report = hub.push({ origin: "", token: null }, [wired(altered(made.op, { hlc }))]);
  expect(report).toMatchObject({ applied: 0, results: [{ outcome: "rejected", reason: "clock_drift" }] });
  expect(pair.of("a").counters().stampsRefused).toBe(1);
  records.set("macros", "opening", 2);
  const written = records.get("macros", "opening");
  expect(parseHlc(written?.hlc ?? "").unixMs).toBeLessThanOrEqual(pair.clock.unixMs());
});
