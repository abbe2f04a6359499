/** Plays a schedule on a plant: begins each fault when it is due, ends it, and keeps when that was. */
import { setTimeout as delay } from "node:timers/promises";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { call } from "../support/http-call.ts";
import { onlyOnce, type Undo } from "./network.ts";
import { AS_CONTROL, AS_OPERATOR, LABELS, type Plant } from "./plant.ts";
import type { Recorder } from "./recorder.ts";
import type { Fault, Network, Schedule, Step, Whom } from "./schedule.ts";

/** One fault as it was played, by the clock of the recorder. */
export interface Played {
  readonly step: Step;
  /** Whom it befell, where it befell one engine. */
  readonly label: Label | null;
  readonly beganMs: number;
  endedMs: number;
}

const TRIGGER_POLL_MS = 3;
const TRIGGER_WITHIN_MS = 3_000;
/** The states of the chart `split-brain` that a step waits for. */
const AIMS = {
  reconciling: ["locking", "comparing", "resolving", "verifying"],
  verifying: ["verifying"],
} as const;
const NOTHING: Undo = async () => {};

export class Nemesis {
  readonly played: Played[] = [];
  /** What could not be played, and why. */
  readonly failed: string[] = [];
  readonly #plant: Plant;
  readonly #recorder: Recorder;
  readonly #first: Label;
  readonly #open: { readonly played: Played; readonly undo: Undo }[] = [];
  #isOver = false;

  constructor(plant: Plant, recorder: Recorder, first: Label) {
    this.#plant = plant;
    this.#recorder = recorder;
    this.#first = first;
  }

  /** Resolves when the last fault has ended and nothing is broken any more but what must first be started. */
  async play({ steps }: Schedule): Promise<void> {
    for (const label of new Set(steps.flatMap(({ fault }) => (fault.kind === "restore-folder" ? LABELS : [])))) {
      this.#plant.copyFolder(label);
    }
    const sinceMs = performance.now();
    const timed = steps.filter(({ after }) => after === undefined);
    const triggered = steps.filter(({ after }) => after !== undefined);
    const healed = Promise.all(timed.map(async (step) => this.#playStep(step, sinceMs + step.atMs)));
    const splitEndsMs = sinceMs + Math.min(...timed.map(({ atMs, lastsMs }) => atMs + lastsMs));
    const aimed = triggered.map(async (step) => {
      const startMs = await this.#says(AIMS[step.after ?? "reconciling"], splitEndsMs);
      if (startMs !== null) await this.#playStep(step, startMs + step.atMs);
    });
    await Promise.all([healed, ...aimed]);
  }

  /** Ends every fault that lasts, and starts what does not run. */
  async healAll(): Promise<void> {
    this.#isOver = true;
    for (const { undo } of this.#open) await undo();
    for (const label of LABELS) this.#plant.hosts[label].thaw();
    await this.#plant.start();
    if (this.played.some(({ step }) => step.fault.kind === "maintenance")) await this.#liftMaintenance();
    const nowMs = performance.now();
    for (const { played } of this.#open) played.endedMs = Math.min(played.endedMs, nowMs);
  }

  async #playStep(step: Step, atMs: number): Promise<void> {
    await delay(Math.max(0, atMs - performance.now()));
    const label = "whom" in step.fault && step.fault.whom !== "both" ? this.#labelOf(step.fault.whom) : null;
    const played: Played = { step, label, beganMs: performance.now(), endedMs: Infinity };
    this.played.push(played);
    try {
      const undo = onlyOnce(await this.#begin(step.fault));
      this.#open.push({ played, undo });
      await delay(Math.max(0, played.beganMs + step.lastsMs - performance.now()));
      await undo();
    } catch (error) {
      this.failed.push(`${step.fault.kind}: ${error instanceof Error ? error.message : String(error)}`);
    }
    played.endedMs = performance.now();
  }

  async #begin(fault: Fault): Promise<Undo> {
    switch (fault.kind) {
      case "kill":
      case "terminate":
      case "freeze":
        return this.#onProcess(fault.kind, this.#hostOf(fault.whom).coordinator, this.#labelOf(fault.whom));
      case "kill-engine":
      case "terminate-engine":
      case "freeze-engine":
        return this.#onProcess(
          fault.kind.replace("-engine", "") as "kill" | "terminate" | "freeze",
          this.#hostOf(fault.whom).engine,
          this.#labelOf(fault.whom),
        );
      case "cut":
        return this.#cut(fault.network, fault.from === null ? LABELS : [this.#labelOf(fault.from)]);
      case "cut-witness":
        return this.#cutWitness(fault.whom === "both" ? LABELS : [this.#labelOf(fault.whom)]);
      case "isolate":
        return all([await this.#cut("both", LABELS), await this.#cutWitness([this.#labelOf(fault.whom)])]);
      case "delay":
        return this.#plant.delay(colorsOf(fault.network), fault.delayMs);
      case "stall":
        return this.#plant.stall(colorsOf(fault.network));
      case "kill-witness":
        return this.#plant.witness.kill();
      case "empty-witness":
        await this.#plant.witness.empty();
        return NOTHING;
      case "pause-witness":
        return this.#plant.witness.pause();
      case "fill-disk":
        return this.#plant.fillDisk(this.#labelOf(fault.whom));
      case "step-clock":
        return this.#stepClock(this.#labelOf(fault.whom), fault.byMs);
      case "restore-folder":
        return this.#restore(this.#labelOf(fault.whom));
      case "force-leader":
        return this.#force(this.#labelOf(fault.whom), fault.mode);
      case "handover":
        return this.#operate("/api/handover", { reason: "campaign" });
      case "maintenance":
        await this.#operate("/api/maintenance", { on: true, reason: "campaign" });
        return async () => void (await this.#liftMaintenance());
    }
  }

  async #onProcess(
    how: "kill" | "terminate" | "freeze",
    part: Plant["hosts"]["a"]["coordinator"],
    label: Label,
  ): Promise<Undo> {
    if (how === "freeze") {
      part.signal("SIGSTOP");
      return async () => part.signal("SIGCONT");
    }
    await (how === "kill" ? part.kill() : part.terminate());
    return async () => this.#plant.hosts[label].start();
  }

  async #cut(network: Network, from: readonly Label[]): Promise<Undo> {
    return all(await Promise.all(from.map(async (label) => this.#plant.cut(label, colorsOf(network)))));
  }

  async #cutWitness(labels: readonly Label[]): Promise<Undo> {
    return all(await Promise.all(labels.map(async (label) => this.#plant.witness.cut(label))));
  }

  async #stepClock(label: Label, byMs: number): Promise<Undo> {
    this.#plant.hosts[label].stepClock(byMs);
    return async () => this.#plant.hosts[label].stepClock(0);
  }

  async #restore(label: Label): Promise<Undo> {
    const host = this.#plant.hosts[label];
    await host.coordinator.kill();
    this.#plant.restoreFolder(label);
    return async () => host.start();
  }

  async #force(label: Label, mode: "graceful" | "immediate"): Promise<Undo> {
    const url = `${this.#plant.hosts[label].url}/api/peer/force-leader`;
    // Whatever it answers: the fault is that it was asked.
    await call("POST", url, { mode, reason: "campaign" }, AS_CONTROL).catch(() => null);
    return NOTHING;
  }

  async #operate(path: string, body: object): Promise<Undo> {
    const label = this.#recorder.leader() ?? this.#first;
    await call("POST", `${this.#plant.hosts[label].url}${path}`, body, AS_OPERATOR).catch(() => null);
    return NOTHING;
  }

  /** Both may have been told of it, at different times; the one who does not answer learns it from its peer. */
  async #liftMaintenance(): Promise<void> {
    for (const label of LABELS) {
      const url = `${this.#plant.hosts[label].url}/api/maintenance`;
      await call("POST", url, { on: false, reason: "campaign" }, AS_OPERATOR).catch(() => null);
    }
  }

  /** When either engine first said one of these after the split ended; null: not in time. */
  async #says(wanted: readonly string[], splitEndsMs: number): Promise<number | null> {
    await delay(Math.max(0, splitEndsMs - performance.now()));
    const endMs = performance.now() + TRIGGER_WITHIN_MS;
    while (performance.now() < endMs && !this.#isOver) {
      const states = await Promise.all(LABELS.map(async (label) => this.#splitState(label)));
      if (states.some((state) => wanted.includes(state))) return performance.now();
      await delay(TRIGGER_POLL_MS);
    }
    return null;
  }

  async #splitState(label: Label): Promise<string> {
    try {
      const response = await fetch(`${this.#plant.hosts[label].url}/api/state`, {
        headers: AS_OPERATOR,
        signal: AbortSignal.timeout(1_000),
      });
      const { machines } = (await response.json()) as { readonly machines: Readonly<Record<string, unknown>> };
      const state = machines["split-brain"];
      return typeof state === "string" ? state : "";
    } catch {
      return "";
    }
  }

  #hostOf(whom: Whom) {
    return this.#plant.hosts[this.#labelOf(whom)];
  }

  #labelOf(whom: Whom): Label {
    const leader = this.#recorder.leader() ?? this.#first;
    const labels = { first: this.#first, second: otherLabel(this.#first), leader, other: otherLabel(leader) };
    return labels[whom];
  }
}

function all(undos: readonly Undo[]): Undo {
  return async () => void (await Promise.all(undos.map(async (undo) => undo())));
}

function colorsOf(network: Network) {
  return network === "both" ? (["red", "blue"] as const) : [network];
}
