/** The files in examples/deploy: they name only metrics, alarms, paths and settings that exist. Needs nothing but Node. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { startPair } from "../http/pair-rig.ts";

const ROOT = join(import.meta.dirname, "../..");
const DEPLOY = join(ROOT, "examples/deploy");

/** Alarms that tell of something that has repaired itself: nobody has to get up for them. */
const NO_PERSON_NEEDED = ["witness-amnesia", "resynced"];

const read = (name: string): string => readFileSync(join(DEPLOY, name), "utf8");

/** The codes in the runbook's table, which has every alarm. */
function alarmCodes(): string[] {
  const runbook = readFileSync(join(ROOT, "docs/runbook.md"), "utf8");
  const table = runbook.slice(runbook.indexOf("## Alarms"));
  return [...table.matchAll(/^\| `([a-z-]+)` +\|/gm)].map(([, code]) => code ?? "");
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
}

function rules(): Rule[] {
  const { groups } = parse(read("prometheus/changeover.rules.yml")) as { groups: { rules: Rule[] }[] };
  return groups.flatMap((group) => group.rules);
}

describe("Prometheus and Grafana", () => {
  test("there is one rule for each alarm that needs a person, and for no other", () => {
    const coded = rules().flatMap(({ expr }) => /changeover_alarm\{code="([a-z-]+)"\}/.exec(expr)?.[1] ?? []);
    const wanted = alarmCodes().filter((code) => !NO_PERSON_NEEDED.includes(code));
    expect(wanted.length).toBeGreaterThan(30);
    expect(coded.toSorted()).toEqual(wanted.toSorted());
  });

  test("every metric of the rules and of the dashboard is one that an engine exposes", async () => {
    const dashboard = JSON.parse(read("grafana/changeover.json")) as { panels: { targets: { expr: string }[] }[] };
    const exprs = [
      ...rules().map(({ expr }) => expr),
      ...dashboard.panels.flatMap((p) => p.targets.map((t) => t.expr)),
    ];
    const named = new Set(exprs.flatMap((expr) => expr.match(/\b(changeover|process)_[a-z_]+\b/g) ?? []));
    const pair = await startPair();
    try {
      const { body } = await pair.sides.a.get("/metrics");
      const exposed = new Set([...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
      const missing = [...named].filter((name) => !exposed.has(name) && !exposed.has(name.replace(/_bucket$/, "")));
      expect(missing).toEqual([]);
    } finally {
      await pair.close();
    }
  });
});

test("Kubernetes: probes ask for routes that exist, the root is read-only, nobody is root", async () => {
  const documents = parseAllDocuments(read("kubernetes/pair.yaml")).map((document) => document.toJS() as unknown);
  const text = JSON.stringify(documents);
  expect(documents).toHaveLength(3);
  expect(text).toContain('"readOnlyRootFilesystem":true');
  expect(text).toContain('"runAsNonRoot":true');
  const paths = new Set([...text.matchAll(/"path":"([^"]+)"/g)].map(([, path]) => path ?? ""));
  expect([...paths].toSorted()).toEqual(["/leader", "/live"]);
  const pair = await startPair();
  try {
    const leader = pair.sides[await pair.settled()];
    for (const path of paths) expect((await leader.get(path)).statusCode, path).toBe(200);
  } finally {
    await pair.close();
  }
});

describe("container", () => {
  const lines = read("container/Containerfile")
    .replaceAll("\\\n", " ")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const last = (instruction: string): string => lines.filter((line) => line.startsWith(`${instruction} `)).at(-1) ?? "";

  test("has only instructions that exist, and pins its base", () => {
    const known = /^(FROM|WORKDIR|COPY|RUN|USER|ENV|VOLUME|EXPOSE|STOPSIGNAL|HEALTHCHECK|ENTRYPOINT|CMD) /;
    expect(lines.filter((line) => !known.test(line))).toEqual([]);
    expect(
      lines.filter((line) => /^FROM \S+(:latest)?$/.test(line.replace(/ AS .*/, "")) && !/:\d/.test(line)),
    ).toEqual([]);
  });

  test("runs without root, without a shell before the program, and asks /live", () => {
    expect(last("USER")).toBe("USER node");
    expect(lines.indexOf(last("USER"))).toBeGreaterThan(lines.indexOf(last("RUN")));
    const json = (line: string): unknown => JSON.parse(line.slice(line.indexOf("[")));
    expect(json(last("ENTRYPOINT"))).toEqual(["changeover", "engine"]);
    expect(json(last("CMD"))).toEqual(["-c", "/etc/changeover/engine.yaml"]);
    expect(last("STOPSIGNAL")).toBe("STOPSIGNAL SIGTERM");
    const [node, , script] = json(last("HEALTHCHECK")) as string[];
    expect(node).toBe("node");
    expect(script).toContain("/live");
  });
});
