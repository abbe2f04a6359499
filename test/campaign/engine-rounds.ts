/**
 * `npm run engines -- [--rounds 20] [--engine python,c,embedded,obs]`: kills, stops, hangs and restarts a real engine, as
 * leader and as follower, so many rounds each. What is on air is asked of the engine itself. Exit code 0: at no look was an
 * engine on air or ready that did not show the pair's picture; 1: one was; 2: asked wrongly, or something is not installed.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { leads, until } from "../../src/cli/demo/observe.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { freePort } from "../support/free-port.ts";
import { ObsStudio, VirtualDisplay } from "../support/obs-studio.ts";
import { RealPair, type RealPairOptions } from "../support/real-pair.ts";
import { findServer, requireServer, type ServerName } from "../support/servers.ts";

const LABELS = ["a", "b"] as const;
const FAULTS = ["kill", "stop", "hang", "restart"] as const;
const ROLES = ["leader", "follower"] as const;
/** How long a follower's engine hangs, or one that was killed or stopped stays away, ms. */
const AWAY_MS = 500;
const WITHIN_MS = 60_000;
const USAGE = "usage: npm run engines -- [--rounds 20] [--engine python,c,embedded,obs]";

type Fault = (typeof FAULTS)[number];
type Signal = "SIGKILL" | "SIGTERM" | "SIGSTOP" | "SIGCONT";

/** An engine of one kind, one for each label. */
interface Engines {
  readonly options: RealPairOptions;
  /** Where a command that puts `source` on programme goes, and its body. */
  cut(source: string): readonly [path: string, body: object];
  /** The scene or source on programme, as the engine itself says; null: it does not answer. */
  picture(label: Label): Promise<string | null>;
  signal(label: Label, name: Signal): Promise<void>;
  start(label: Label): Promise<void>;
  /** What must be done once before the first round. */
  prepare?(command: (path: string, body: object) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

const SWITCHER_CUT = (source: string) => ["/api/switch/cut", { source }] as const;

/** An engine of the examples in a process of its own, over HTTP. */
async function besides(program: (port: number) => readonly string[]): Promise<Engines> {
  const ports = { a: await freePort(), b: await freePort() };
  const running: Partial<Record<Label, ChildProcess>> = {};
  const start = async (label: Label): Promise<void> => {
    const [command = "", ...args] = program(ports[label]);
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "ignore"] });
    running[label] = child;
    process.once("exit", () => child.kill("SIGKILL"));
    await once(createInterface({ input: child.stdout }), "line");
  };
  await Promise.all(LABELS.map(start));
  const engine = (label: Label): object => ({ kind: "http", baseUrl: `http://127.0.0.1:${ports[label]}` });
  return {
    options: { engine: { a: engine("a"), b: engine("b") } },
    cut: SWITCHER_CUT,
    picture: async (label) => pictureAt(`http://127.0.0.1:${ports[label]}/snapshot`),
    signal: async (label, name) => signalled(running[label], name),
    start,
    close: async () => {
      for (const label of LABELS) await signalled(running[label], "SIGKILL");
    },
  };
}

async function obs(): Promise<Engines> {
  const display = await VirtualDisplay.open();
  const studios = { a: new ObsStudio(display, await freePort()), b: new ObsStudio(display, await freePort()) };
  await Promise.all(LABELS.map(async (label) => studios[label].start()));
  for (const label of LABELS) process.env[`OBS_URL_${label.toUpperCase()}`] = studios[label].url;
  return {
    options: { launcher: fileURLToPath(new URL("../support/obs-engine-process.ts", import.meta.url)) },
    cut: (scene) => ["/program", { scene }],
    picture: async (label) => studios[label].program(),
    signal: async (label, name) => {
      if (name === "SIGKILL" || name === "SIGTERM") await studios[label].kill();
      else studios[label].signal(name);
    },
    start: async (label) => studios[label].start(),
    prepare: async (command) => {
      for (const scene of ["SHOW 0", "SHOW 1"]) await command("/scenes", { scene });
    },
    close: async () => {
      await Promise.all(LABELS.map(async (label) => studios[label].close()));
      await display.close();
    },
  };
}

/** The reference switcher inside the coordinator's own process: both die together. */
function embedded(pairOf: () => RealPair): Engines {
  return {
    options: { stallMs: 250 },
    cut: SWITCHER_CUT,
    picture: async (label) => pictureAt(`${pairOf().engines[label].url}/engine/api/switch/state`),
    signal: async (label, name) => {
      const engine = pairOf().engines[label];
      if (name === "SIGKILL") await pairOf().kill(label);
      else if (name === "SIGTERM") await engine.stop();
      else if (name === "SIGSTOP") engine.freeze();
      else engine.thaw();
    },
    start: async (label) => pairOf().engines[label].start(),
    close: async () => {},
  };
}

async function pictureAt(url: string): Promise<string | null> {
  try {
    const state = (await (await fetch(url, { signal: AbortSignal.timeout(1_000) })).json()) as Record<string, unknown>;
    const shown = state["program"] ?? state["programSource"] ?? null;
    return typeof shown === "string" ? shown : JSON.stringify(shown);
  } catch {
    return null;
  }
}

async function signalled(child: ChildProcess | undefined, name: Signal): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = name === "SIGKILL" || name === "SIGTERM" ? once(child, "exit") : null;
  child.kill(name);
  await gone;
}

/** Plays the rounds of one kind; returns the violations. */
async function play(kind: string, engines: Engines, pair: RealPair, rounds: number): Promise<string[]> {
  const violations: string[] = [];
  let number = 0;
  let shown = "";
  const command = async (path: string, body: object): Promise<void> => {
    await until(`POST ${path} is taken`, async () => {
      const label = await pair.leader();
      const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
      const answer = await fetch(`${pair.engines[label].url}/engine${path}`, init).catch(() => null);
      await answer?.text();
      return answer?.status === 200;
    });
  };
  const cut = async (): Promise<void> => {
    shown = `SHOW ${(number += 1) % 2}`;
    await command(...engines.cut(shown));
  };
  /** On air or ready, before and after a look at its picture: then the picture is the pair's. */
  const look = async (label: Label, what: string): Promise<void> => {
    const { url } = pair.engines[label];
    const counts = async (): Promise<boolean> => {
      const ready = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(1_000) }).then(
        async (answer) => answer.text().then(() => answer.status === 200),
        () => false,
      );
      return ready || (await leads(url));
    };
    if (!(await counts())) return;
    const picture = await engines.picture(label);
    if (picture !== null && picture !== shown && (await counts())) {
      violations.push(`${what}: engine ${label} is on air or ready and shows ${picture} instead of ${shown}`);
    }
  };
  await engines.prepare?.(command);
  for (const fault of FAULTS) {
    for (const role of ROLES) {
      const tookMs: number[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        const what = `${kind}, ${fault} the ${role}'s engine, round ${round}`;
        const leader = await pair.settled(WITHIN_MS);
        await cut();
        for (const label of LABELS) await until(`${what}: shown`, async () => (await engines.picture(label)) === shown);
        const victim = role === "leader" ? leader : otherLabel(leader);
        const sinceMs = performance.now();
        await strike(engines, victim, fault);
        if (role === "leader" && fault !== "restart") {
          await pair.untilLeads(otherLabel(leader), WITHIN_MS);
          tookMs.push(performance.now() - sinceMs);
        }
        await look(otherLabel(victim), what);
        if (fault !== "restart") await delay(AWAY_MS);
        if (fault === "hang") await engines.signal(victim, "SIGCONT");
        else await engines.start(victim);
        await until(
          `${what}: both are well again`,
          async () => {
            for (const label of LABELS) await look(label, what);
            const states = await Promise.all(LABELS.map(async (label) => pair.state(label)));
            return states.every(({ syncState, role: now }) => syncState === "ready" || now === "leader");
          },
          { withinMs: WITHIN_MS, pollMs: 20 },
        );
      }
      const sorted = tookMs.sort((one, other) => one - other);
      const times =
        sorted.length === 0
          ? ""
          : `, other leads after ${Math.round(sorted[sorted.length >> 1] ?? 0)} ms (median), ${Math.round(sorted.at(-1) ?? 0)} ms (worst)`;
      console.log(`${kind}: ${fault}, ${role}: ${rounds} rounds${times}`);
    }
  }
  return violations;
}

async function strike(engines: Engines, label: Label, fault: Fault): Promise<void> {
  await engines.signal(label, fault === "hang" ? "SIGSTOP" : fault === "stop" ? "SIGTERM" : "SIGKILL");
}

const NEEDS: Readonly<Record<string, readonly ServerName[]>> = {
  python: ["python3"],
  c: ["gcc"],
  embedded: [],
  obs: ["obs", "Xvfb"],
};

async function playKind(kind: string, rounds: number, folder: string): Promise<string[]> {
  let pair: RealPair | null = null;
  const engines = await enginesOf(kind, folder, () => {
    if (pair === null) throw new Error("the pair has not been made yet");
    return pair;
  });
  try {
    pair = await RealPair.prepare(engines.options);
    await pair.start();
    return await play(kind, engines, pair, rounds);
  } finally {
    await pair?.close();
    await engines.close();
  }
}

async function enginesOf(kind: string, folder: string, pairOf: () => RealPair): Promise<Engines> {
  const example = (path: string): string => fileURLToPath(new URL(`../../examples/${path}`, import.meta.url));
  if (kind === "embedded") return embedded(pairOf);
  if (kind === "obs") return obs();
  if (kind === "python") {
    return besides((port) => [requireServer("python3"), example("http-engine/engine.py"), "--port", String(port)]);
  }
  const program = join(folder, "engine");
  execFileSync(requireServer("gcc"), ["-O2", "-pthread", "-o", program, example("c-engine/engine.c")]);
  return besides((port) => [program, String(port)]);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "20" },
      engine: { type: "string", default: Object.keys(NEEDS).join(",") },
      help: { type: "boolean", default: false },
    },
  });
  const rounds = Number(values.rounds);
  const kinds = values.engine.split(",");
  const wrong = kinds.find((kind) => NEEDS[kind] === undefined);
  if (wrong !== undefined || !Number.isInteger(rounds) || rounds < 1 || rounds > 1_000) {
    console.error(
      `--engine ${values.engine} --rounds ${values.rounds}: kinds as below, rounds from 1 to 1000\n${USAGE}`,
    );
    return 2;
  }
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const missing = kinds.flatMap((kind) => NEEDS[kind] ?? []).filter((name) => findServer(name) === undefined);
  if (missing.length > 0) {
    console.error(`not installed: ${missing.join(", ")}; npm run setup:services installs them`);
    return 2;
  }
  process.setMaxListeners(0);
  const folder = mkdtempSync(join(tmpdir(), "changeover-engines-"));
  try {
    const violations: string[] = [];
    for (const kind of kinds) violations.push(...(await playKind(kind, rounds, folder)));
    for (const line of violations) console.error(`VIOLATION ${line}`);
    console.log(`${violations.length} violations`);
    return violations.length === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
