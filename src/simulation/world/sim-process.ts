/**
 * Purpose: the process on one simulated machine: the real coordinator with simulated ports, through its lives, deaths
 * and freezes.
 * Keeps true: nothing of a dead life ever runs again; while frozen nothing runs, and what fell due runs at the waking.
 */
import type { Coordinator } from "../../coordinator/types.ts";
import type { Label } from "../../core/ids.ts";
import { ProcessClock } from "../ground/host-clock.ts";
import type { Machine } from "../ground/machine.ts";
import type { SimPeerChannel } from "../ports/sim-peer-channel.ts";
import { createPorts, type SimPorts } from "./sim-ports.ts";
import type { Life, Scheduled } from "../ground/scheduler.ts";
import type { EngineFaults, EngineMemory } from "../ports/sim-engine.ts";
import type { EngineProcess } from "../ports/sim-engine-process.ts";
import type { DiskCopy, SimDisk } from "./sim-disk.ts";
import type { Death } from "./watch.ts";
import type { WorldGround } from "./world-ground.ts";

/** In which order a waking process gets what fell due: libuv may look at its sockets or at its timers first. */
export type WakingOrder = "as-due" | "timers-first" | "arrivals-first";

/** A start that failed is tried again, as a supervisor would. */
const RESTART_AFTER_MS = 500;

interface Living {
  readonly life: Life;
  readonly clock: ProcessClock;
  readonly ports: SimPorts;
  readonly coordinator: Coordinator;
  started: boolean;
  stopping: boolean;
}

/** One process, over all its lives. */
export class SimProcess {
  readonly label: Label;
  readonly machine: Machine<SimPeerChannel>;
  readonly disk: SimDisk;
  readonly engineFaults: EngineFaults;
  readonly #ground: WorldGround;
  #living: Living | null = null;
  /** Its disk was exchanged at some time, and people have been told. */
  diskReplaced = false;
  #pausedAtMs = 0;
  #bootAgain = false;

  constructor(
    ground: WorldGround,
    { machine, disk, faults }: { machine: Machine<SimPeerChannel>; disk: SimDisk; faults: EngineFaults },
  ) {
    this.engineFaults = faults;
    this.label = machine.label;
    this.machine = machine;
    this.disk = disk;
    this.#ground = ground;
  }

  get alive(): boolean {
    return this.#living !== null;
  }

  get paused(): boolean {
    return this.#living?.life.paused ?? false;
  }

  /** Alive, not frozen, and past its start. */
  get running(): boolean {
    return this.#living !== null && !this.#living.life.paused && this.#living.started;
  }

  /** Past its start, so that its HTTP surface is there; a frozen one takes requests and answers when it wakes. */
  get serving(): boolean {
    return this.#living?.started ?? false;
  }

  get life(): Life | null {
    return this.#living?.life ?? null;
  }

  /** The coordinator of the present life; null when dead. */
  get coordinator(): Coordinator | null {
    return this.#living?.coordinator ?? null;
  }

  get ports(): SimPorts | null {
    return this.#living?.ports ?? null;
  }

  /** The engine beside this process; null: it is inside of it. */
  get engineProcess(): EngineProcess | null {
    return this.#ground.engines?.[this.label] ?? null;
  }

  /** What this engine has executed; null: it is dead. */
  get engineMemory(): EngineMemory | null {
    return this.engineProcess === null ? (this.#living?.ports.memory ?? null) : this.engineProcess.memory;
  }

  get clock(): ProcessClock | null {
    return this.#living?.clock ?? null;
  }

  /** Whether it may act as leader at this very moment: a frozen process cannot. */
  mayAct(): boolean {
    return this.running && (this.#living as Living).coordinator.mayAct();
  }

  /** Starts a new life; nothing when one is running, and once it has ended when one is stopping. */
  boot(): void {
    if (this.#living !== null) {
      this.#bootAgain = this.#living.stopping;
      return;
    }
    this.#bootAgain = false;
    this.engineProcess?.powerOn();
    const { scheduler, factory, watchers, trace } = this.#ground;
    const life: Life = { alive: true, paused: false, backlog: [] };
    const lateness = this.#ground.chanceOf(`timers ${this.label}`);
    const clock = new ProcessClock({ scheduler, host: this.machine.clock, life, lateness });
    try {
      const ports = createPorts(this.#ground, this, { life, clock });
      const coordinator = factory(ports.given, this.#ground.optionsOf(this.label), this.#ground.rules);
      const living: Living = { life, clock, ports, coordinator, started: false, stopping: false };
      this.#living = living;
      this.machine.booted(life, ports.channel);
      trace.note(scheduler.nowMs, this.label, "boot");
      watchers.each((watch) => watch.booted?.(this.label));
      coordinator.subscribe((event) => {
        if (event.type === "record") watchers.each((watch) => watch.recorded?.(this.label, event.op, event.via));
        else watchers.each((watch) => watch.told?.(this.label, event));
      });
      coordinator.start().then(
        () => void (living.started = true),
        (error: unknown) => this.#startFailed(life, error),
      );
    } catch (error) {
      this.#startFailed(life, error);
    }
  }

  /** SIGKILL: the kernel closes its sockets `socketsAfterMs` later. */
  kill(socketsAfterMs: number): void {
    const channel = this.machine.channel;
    if (!this.#die("killed")) return;
    this.machine.died();
    this.#ground.scheduler.after(socketsAfterMs, () => {
      if (!this.machine.powered) return;
      channel?.socketsClosedByKernel();
      if (this.machine.channel === channel) this.machine.socketsClosed();
    });
  }

  /** The machine loses its power: nothing is closed, nothing answers. */
  losePower(): void {
    this.machine.channel?.lostWithMachine();
    this.#die("lost power");
    this.engineProcess?.losePower();
    this.machine.lostPower();
  }

  /** Exchanges what is on the disk of a process that does not run. */
  replaceDisk(copy: DiskCopy): void {
    if (this.#living !== null) return;
    this.disk.replaceBy(copy);
    this.diskReplaced = true;
    this.engineProcess?.folderRestored();
    this.#ground.trace.note(this.#ground.scheduler.nowMs, this.label, "has another disk");
    this.#ground.watchers.each((watch) => watch.diskReplaced?.(this.label));
  }

  /** A write has reached a disk that is slow: the process stands still until it is done. */
  stalled(): void {
    const { stallMs } = this.disk;
    if (stallMs === 0 || !this.pause()) return;
    const stalled = this.#living;
    this.#ground.scheduler.after(stallMs, () => {
      if (this.#living === stalled) this.wake("as-due");
    });
  }

  pause(): boolean {
    if (this.#living === null || this.#living.life.paused) return false;
    this.#living.life.paused = true;
    this.#pausedAtMs = this.#ground.scheduler.nowMs;
    this.#ground.trace.note(this.#pausedAtMs, this.label, "frozen");
    return true;
  }

  wake(order: WakingOrder): void {
    const life = this.#living?.life;
    if (life === undefined || !life.paused) return;
    const { scheduler, trace, watchers } = this.#ground;
    life.paused = false;
    trace.note(scheduler.nowMs, this.label, "woke", life.backlog.length);
    watchers.each((watch) => watch.woke?.(this.label, scheduler.nowMs - this.#pausedAtMs));
    for (const event of inOrder(life.backlog.splice(0), order)) {
      scheduler.at(scheduler.nowMs, () => runOnce(event), life, event.kind);
    }
  }

  /** A clean stop [DP3]; its sockets close when the coordinator says that it has stopped. */
  stop(): void {
    const living = this.#living;
    if (living === null || living.stopping || living.life.paused) return;
    living.stopping = true;
    this.#ground.trace.note(this.#ground.scheduler.nowMs, this.label, "stop");
    void living.coordinator.stop().then(() => {
      if (this.#living !== living) return;
      this.#die("stopped");
      this.machine.socketsClosed();
      if (this.#bootAgain) this.boot();
    });
  }

  #die(how: Death): boolean {
    const living = this.#living;
    if (living === null) return false;
    living.life.alive = false;
    living.life.backlog.length = 0;
    this.#living = null;
    if (how === "lost power") this.disk.powerLost();
    else this.disk.ownerDied();
    this.#ground.trace.note(this.#ground.scheduler.nowMs, this.label, how);
    this.#ground.watchers.each((watch) => watch.died?.(this.label, how));
    return true;
  }

  #startFailed(life: Life, error: unknown): void {
    // It was killed in the middle of its start: what a dead program would have done next is no news.
    if (!life.alive) return;
    const message = error instanceof Error ? error.message : String(error);
    life.alive = false;
    this.#ground.trace.note(this.#ground.scheduler.nowMs, this.label, "start failed", 0, message);
    this.#living = null;
    this.disk.ownerDied();
    this.machine.socketsClosed();
    if (!this.disk.refuses) this.#ground.violate("no-throw", `${this.label} could not start: ${message}`);
    this.#ground.scheduler.after(RESTART_AFTER_MS, () => this.boot());
  }
}

function inOrder(backlog: Scheduled[], order: WakingOrder): Scheduled[] {
  if (order === "as-due") return backlog;
  const first = order === "timers-first" ? "timer" : "arrival";
  return [...backlog.filter(({ kind }) => kind === first), ...backlog.filter(({ kind }) => kind !== first)];
}

function runOnce(event: Scheduled): void {
  const run = event.run;
  event.run = null;
  run?.();
}
