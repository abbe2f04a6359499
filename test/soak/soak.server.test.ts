/** Half a minute of the soak: everything is looked at, judged and drawn. `npm run soak` plays as long as you like. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { whatIsMissing } from "../campaign/campaign.ts";
import { UNMET_NEED } from "../support/left-out-reporter.ts";
import { judge } from "./judge.ts";
import { judgeSoak, summaryLines, writeReport } from "./report.ts";
import { playSoak } from "./soak.ts";

const LASTS_MS = 30_000;
const WITHIN_MS = 180_000;
/** Its first faults leave both processes alive. */
const SEED = 1;
/** What no busy machine can cause. */
const OF_THE_PAIR = ["process", "log", "I7"];

const missing = whatIsMissing({ witnesses: ["redis"], engine: "embedded" });
const isLeftOut = missing.length > 0 && process.env["CI"] !== "true";

describe.skipIf(isLeftOut)(isLeftOut ? `the soak — ${UNMET_NEED} ${missing.join("; ")}` : "the soak", () => {
  const out = mkdtempSync(join(tmpdir(), "changeover-soak-"));
  const mostListeners = process.getMaxListeners();
  beforeAll(() => void process.setMaxListeners(0));
  afterAll(() => {
    process.setMaxListeners(mostListeners);
    rmSync(out, { recursive: true });
  });

  test(
    "A26: faults and load for half a minute: all is seen, and a leak planted into it is found",
    { timeout: WITHIN_MS },
    async () => {
      expect(missing).toEqual([]);
      const result = await playSoak(
        { lastsMs: LASTS_MS, seed: SEED, witness: "redis", policy: "on-air", engine: "embedded", out, keep: false },
        () => undefined,
      );
      expect(result.violations.filter(({ rule }) => OF_THE_PAIR.includes(rule))).toEqual([]);
      expect(result.commands).toBeGreaterThan(100);
      const judgement = judgeSoak(result);
      const plots = result.samples.plots();
      for (const { kind, series } of plots) {
        if (!["takeOver", "heartbeat", "median", "p99"].includes(kind)) expect(series.length, kind).toBeGreaterThan(0);
      }
      const files = plots.find(({ kind }) => kind === "files")?.series ?? [];
      expect(files).toHaveLength(2);
      for (const series of files) {
        expect(judge(series, result.lastsSec)).toMatchObject({ isFlat: true, why: "" });
        const leaking = series.points.map(([atSec, value]) => [atSec, value + atSec] as const);
        expect(judge({ ...series, points: leaking }, result.lastsSec).why).toMatch(/^grew by \d/);
      }
      writeReport(result, judgement);
      const page = readFileSync(join(out, "README.md"), "utf8");
      const drawn = readdirSync(out).filter((name) => name.endsWith(".svg"));
      expect(drawn.length).toBeGreaterThan(6);
      for (const name of drawn) {
        expect(page).toContain(`(${name})`);
        expect(readFileSync(join(out, name), "utf8")).not.toMatch(/NaN|Infinity/);
      }
      expect(summaryLines(result, judgement).length).toBeGreaterThan(12);
    },
  );
});
