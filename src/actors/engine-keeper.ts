/**
 * Purpose: watches the engine, gives the role away when it is gone, and restores an engine that came back without its
 * state [EN1, EN6, EN9–EN11, HO5]. Binds `engine`. A disk that refuses writes is as certain as an engine that is gone: the
 * role is offered at once, and the disk is tested once a second until it takes writes again [EN7].
 * Keeps true: an engine whose state may not be the pair's is neither ready nor fit to lead, executes nothing, and its
 * state is neither stored nor sent; only a restore makes it fit again.
 */
import { engineMachine } from "../../machines/engine.machine.ts";
import type { LogPosition } from "../core/command.ts";
import { ChangeoverError } from "../core/errors.ts";
import { epochAt } from "../core/fork.ts";
import type { EngineSign } from "../ports/engine.ts";
import { isOfDisk } from "./alarms.ts";
import type { CatchUp } from "./catch-up.ts";
import type { EngineGuard } from "./engine-guard.ts";
import type { Executor } from "./executor.ts";
import type { Kit } from "./kit.ts";
import type { PeerMonitor } from "./peer-monitor.ts";
import type { Restraints } from "./restraints.ts";
import { startMachine } from "./start-machine.ts";

export interface EngineKeeperDeps {
  readonly monitor: PeerMonitor;
  readonly restraints: Restraints;
  readonly executor: Pick<
    Executor,
    "executedSeq" | "confirmedSeq" | "resets" | "hold" | "suspend" | "resetTo" | "goOnThrough" | "reached"
  >;
  readonly catchUp: Pick<CatchUp, "compare" | "machineValue">;
  leads(): boolean;
  handoverUnderWay(): boolean;
  offer(reason: string): void;
}

/** Pause between two tries to restore, ms. */
const RETRY_MS = 1_000;
const HOUR_MS = 3_600_000;
/** Repairs of a state that has drifted, in an hour, unless the configuration says otherwise. */
const RESTORE_LIMIT = 3;
/** No line of a lifeline is on its way for longer. */
const LINE_SETTLES_MS = 500;
const STORE_TEST_EVERY_MS = 1_000;
const STORE_TEST_KEY = "store-test";
/** Where the instance is kept whose state is the pair's. */
const INSTANCE_KEY = "engine:instance";
/** Longer than what a store may still have room for when its disk is full. */
const STORE_TEST_TEXT = "x".repeat(131_072);

export class EngineKeeper {
  readonly #kit: Kit;
  readonly #guard: EngineGuard | null;
  readonly #deps: EngineKeeperDeps;
  readonly #machine;
  #failedSinceMs: number | null = null;
  /** As `/health` and as the lifeline named it last. Each is compared with itself: two engines may answer at one address. */
  #instance: string | null = null;
  #lineInstance: string | null = null;
  /** The one whose state is the pair's, as it stands on the disk. */
  #keptInstance: string | null;
  /** The instance that was blank when the whole log was first executed on it; undefined: none. */
  #blankOnce: string | null | undefined = undefined;
  /** The instance whose start was noticed last. */
  #restartSeen: string | null = null;
  /** A line said less than had been executed when it came. */
  #lineLow: { readonly seq: number; readonly resets: number; readonly sinceMs: number } | null = null;
  #asked = { seq: 0, resets: 0 };
  /** Why the state may not be the pair's; null: it is. */
  #lost: string | null = null;
  /** The executor waits for as long as the engine is not to be trusted. */
  #resume: (() => void) | null = null;
  /** Each loss makes what was begun before void. */
  #losses = 0;
  #tryAtMs = 0;
  #restoring = false;
  #givenUpSeq = 0;
  #repairsMs: number[] = [];
  /** Null while the disk is not known to fail. */
  #nextTestMs: number | null = null;

  constructor(kit: Kit, deps: EngineKeeperDeps, guard: EngineGuard | null) {
    this.#kit = kit;
    this.#deps = deps;
    this.#guard = guard;
    this.#keptInstance = kit.ports.store.replica.peerState.get(INSTANCE_KEY);
    this.#machine = startMachine(
      kit,
      engineMachine.provide({
        actions: {
          trust: () => this.#trust(),
          distrust: () => this.#distrust(),
          restore: () => void (this.#tryAtMs = 0),
        },
      }),
    );
  }

  get machineValue(): string {
    return this.#machine.getSnapshot().value;
  }

  /** Whether the engine's state is the pair's as far as anyone can know [EN11]. */
  get trusted(): boolean {
    return this.#lost === null && !this.#isGone;
  }

  /** Nothing was heard yet of an engine in a process of its own: nobody knows whether it has its state [EN9]. */
  get isUnheard(): boolean {
    return this.isBeside && this.machineValue === "connecting";
  }

  /** The engine runs in a process of its own. */
  get isBeside(): boolean {
    return this.#guard?.isBeside === true;
  }

  start(): void {
    this.#guard?.watch((sign) => this.#hear(sign));
  }

  /**
   * This coordinator starts, and takes the engine as it is. One that restarted since its state was last known to be the
   * pair's has lost it, whatever it has executed since [EN9].
   */
  goesOn(): void {
    this.#instance = this.#lineInstance = this.#keptInstance;
    this.#noteAsked();
  }

  stop(): void {
    this.#losses += 1;
    this.#machine.stop();
  }

  /** Looks once a beat, and at once when a command could not be stored. */
  look(): void {
    const { alarms, ports, failover } = this.#kit;
    const failed = ports.engine.health() === "failed";
    alarms.set("engine-failed", failed, this.#unfit ?? "the engine reports that it has failed");
    if (this.trusted) this.#machine.send({ type: failed ? "FAILED" : "ANSWERED" });
    const now = this.#kit.nowMs();
    const storeFailed = alarms.stands("store-failed") && !this.#storeWorks(now);
    if (!storeFailed) this.#nextTestMs = null;
    if (failed) this.#failedSinceMs ??= now;
    else this.#failedSinceMs = null;
    if (this.#failedSinceMs === null && !storeFailed) return alarms.clear("no-valid-backup");
    const failedMs = this.#failedSinceMs === null ? 0 : now - this.#failedSinceMs;
    const { unhealthyHoldMs } = failover;
    if (this.#kit.rules.givesRoleAway({ storeFailed, engineLost: this.#unfit !== null, failedMs, unhealthyHoldMs }))
      this.#offer(storeFailed ? "this engine's disk refuses writes" : undefined);
    if (this.machineValue === "restoring") this.#restore(now);
  }

  /** Writes and removes a text, once a second, until the disk takes it; then the alarm is over. */
  #storeWorks(now: number): boolean {
    this.#nextTestMs ??= now + STORE_TEST_EVERY_MS;
    if (now < this.#nextTestMs) return false;
    this.#nextTestMs = null;
    const { peerState } = this.#kit.ports.store.replica;
    try {
      peerState.set(STORE_TEST_KEY, STORE_TEST_TEXT);
      peerState.delete(STORE_TEST_KEY);
    } catch {
      return false;
    }
    this.#kit.alarms.clear("store-failed");
    return true;
  }

  /** The engine gave no answer to a command: it may or may not have executed it [EN3]. */
  gaveUp(seq: number, error: string): void {
    // Twice the same command: the engine cannot do it, and a third try would not end differently.
    if (seq === this.#givenUpSeq) return this.#guard?.cannotExecute(`command ${seq}: ${error}`);
    this.#givenUpSeq = seq;
    this.lose(`command ${seq} was given up: ${error}`);
  }

  /** After the same command this engine's state differs from the leader's. */
  drifted(): void {
    if (!this.trusted) return;
    const now = this.#kit.nowMs();
    this.#repairsMs = this.#repairsMs.filter((atMs) => now - atMs < HOUR_MS);
    const limit = this.#kit.options.restoreLimit ?? RESTORE_LIMIT;
    if (this.#repairsMs.length >= limit) {
      const said = `the state has drifted again after ${limit} restores within an hour (engine.restoreLimit); a person must look`;
      return this.#kit.alarms.raise("engine-restore-limit", said);
    }
    this.#repairsMs.push(now);
    this.lose("its state differs from the leader's after the same command");
  }

  /** The engine's state is not, or may not be, the pair's. */
  lose(reason: string): void {
    this.#lost = reason;
    this.#losses += 1;
    this.#restoring = false;
    this.#kit.ports.logger.warn({ reason }, "the engine must be restored");
    if (this.#isGone) return;
    this.#machine.send({ type: "LOST" });
    // Already being restored: it begins again.
    this.#distrust();
    this.#offer();
  }

  /** A state of the pair was put in place; `same`: the engine gives it back unchanged [EN10]. */
  installed(same: boolean): void {
    if (this.#lost === null) return;
    if (same) this.#restored();
    else this.#kit.alarms.raise("state-drift", "the engine does not give back the state that it was restored from");
  }

  get #isGone(): boolean {
    return this.machineValue === "dead" || this.machineValue === "stalled";
  }

  get #namedInstance(): string | null {
    return this.#instance ?? this.#lineInstance;
  }

  get #unfit(): string | null {
    return this.#guard?.unfit ?? null;
  }

  #hear(sign: EngineSign): void {
    switch (sign.type) {
      case "asked":
        return this.#noteAsked();
      case "refused":
        this.#machine.send({ type: "REFUSED" });
        return this.#offer();
      case "silent":
        this.#machine.send({ type: "STALLED" });
        if (this.#guard !== null) this.#guard.unfit = sign.why;
        return this.#offer();
      case "answered":
        return this.#answered(this.#lossIn(sign));
      case "line":
        return this.#answered(this.#lossInLine(sign));
      case "strange":
      case "foreign":
        return;
    }
  }

  #noteAsked(): void {
    this.#asked = { seq: this.#deps.executor.executedSeq, resets: this.#deps.executor.resets };
  }

  #answered(loss: string | null): void {
    if (this.#isGone && (loss ?? this.#lost) !== null) {
      this.#lost = loss ?? this.#lost;
      this.#losses += 1;
      this.#restoring = false;
      this.#machine.send({ type: "LOST" });
      this.#offer();
    } else if (loss !== null) this.lose(loss);
    else if (this.#lost === null && this.machineValue !== "well") {
      // One that says itself that it has failed is there, and not well.
      if (this.#isGone || this.#kit.ports.engine.health() !== "failed") this.#machine.send({ type: "ANSWERED" });
    }
    this.#keepInstance();
  }

  /** A disk that refuses is asked again with the next answer. */
  #keepInstance(): void {
    const instance = this.#namedInstance;
    if (instance === this.#keptInstance || instance === null || !this.trusted) return;
    try {
      this.#kit.ports.store.replica.peerState.set(INSTANCE_KEY, instance);
      this.#keptInstance = instance;
    } catch (error) {
      if (!isOfDisk(error)) throw error;
    }
  }

  /** What an answer says of a lost state; null: nothing [EN9]. */
  #lossIn({ instance, position, reconnected }: Extract<EngineSign, { type: "answered" }>): string | null {
    const { seq, resets } = this.#asked;
    const known = this.#instance;
    this.#instance = instance ?? known;
    const restarted = this.#restarted(known, instance, seq);
    if (restarted !== undefined) return restarted;
    // One that is known to have lost its state is behind until it is restored.
    if (resets !== this.#deps.executor.resets || this.#lost !== null) return null;
    if (position !== null) {
      return position.seq < seq ? `its position is ${position.seq}, ${seq} commands were executed` : null;
    }
    return instance === null && reconnected && seq > 0
      ? "its connection was lost, and it says neither instance nor position"
      : null;
  }

  /**
   * A line may have been on its way while commands were executed: only a position that is still below what had been
   * executed `LINE_SETTLES_MS` ago is a lost one.
   */
  #lossInLine({ instance, position }: Extract<EngineSign, { type: "line" }>): string | null {
    const { executor } = this.#deps;
    const known = this.#lineInstance;
    this.#lineInstance = instance ?? known;
    const restarted = this.#restarted(known, instance, executor.executedSeq);
    if (restarted !== undefined) return restarted;
    const low = this.#lineLow;
    if (position === null || this.#lost !== null || position.seq >= (low?.seq ?? executor.executedSeq)) {
      this.#lineLow = null;
      return null;
    }
    const now = this.#kit.nowMs();
    if (low === null || low.resets !== executor.resets) {
      this.#lineLow = { seq: executor.executedSeq, resets: executor.resets, sinceMs: now };
      return null;
    }
    if (now < low.sinceMs + LINE_SETTLES_MS) return null;
    this.#lineLow = null;
    return `its lifeline says position ${position.seq}, ${low.seq} commands were executed`;
  }

  /** Undefined: the instance says nothing new. */
  #restarted(known: string | null, instance: string | null, executedSeq: number): string | null | undefined {
    if (instance === null || known === null || instance === known) return undefined;
    // The other source has said so already.
    if (instance === this.#restartSeen) return undefined;
    this.#restartSeen = instance;
    return executedSeq === 0 && this.#lost === null ? null : "its instance changed: it was restarted";
  }

  #distrust(): void {
    this.#resume ??= this.#deps.executor.suspend();
    if (this.#guard !== null) this.#guard.unfit = this.#lost ?? "the engine's process gives no answer";
  }

  #trust(): void {
    if (this.#guard !== null) this.#guard.unfit = null;
    if (this.#kit.ports.engine.health() !== "failed") this.#kit.alarms.clear("engine-failed");
    this.#release();
  }

  #release(): void {
    this.#resume?.();
    this.#resume = null;
  }

  #restored(): void {
    this.#lost = null;
    this.#restoring = false;
    this.#kit.ports.logger.info({}, "the engine has the pair's state again");
    this.#machine.send({ type: "RESTORED" });
  }

  /** The role to a fit peer, at once where it is certain that this engine is none [EN6]. */
  #offer(what = this.#unfit ?? "this engine has failed"): void {
    const { restraints, monitor } = this.#deps;
    const { alarms } = this.#kit;
    if (!this.#deps.leads() || this.#deps.handoverUnderWay()) return;
    const held = restraints.maintenanceOn || restraints.heldDownUntilMs() !== null;
    const why = whyNoBackup(monitor);
    const valid = why === null;
    alarms.set("no-valid-backup", !valid, `${what}, and ${why ?? ""}`);
    alarms.set("maintenance-blocks-failover", valid && restraints.maintenanceOn, "a person holds the role where it is");
    if (valid && !held) this.#deps.offer(what);
  }

  /** From the leader's state where there is one, else from our own checkpoint and log [EN10]. */
  #restore(now: number): void {
    const { monitor, catchUp, restraints } = this.#deps;
    if (now < this.#tryAtMs || this.#restoring) return;
    this.#tryAtMs = now + RETRY_MS;
    const heartbeat = monitor.last?.heartbeat;
    const hasLeader = monitor.alive && heartbeat?.role === "leader" && heartbeat.health !== "failed";
    if (!this.#deps.leads() && hasLeader) {
      if (catchUp.machineValue !== "restoring" && catchUp.machineValue !== "reconciling") catchUp.compare(true);
      return;
    }
    const held = restraints.maintenanceOn || restraints.heldDownUntilMs() !== null;
    if (this.#deps.leads() && backupIsValid(monitor) && !held) return;
    this.#restoring = true;
    const { logger } = this.#kit.ports;
    void this.#restoreInPlace(this.#losses).catch((error: unknown) => {
      logger.warn({ err: error }, "the engine could not be restored");
      this.#restoring = false;
    });
  }

  async #restoreInPlace(loss: number): Promise<void> {
    const { executor } = this.#deps;
    const { store, engine } = this.#kit.ports;
    const release = await executor.hold();
    const { checkpoint } = store.load();
    const doneSeq = Math.max(executor.executedSeq, executor.confirmedSeq);
    try {
      if (checkpoint !== null) await engine.restore(checkpoint.state);
      else if (store.firstHeldSeq() > 1) throw notYet("there is neither a checkpoint nor the whole log");
      else await this.#judgeBlank();
      if (loss !== this.#losses) return;
      executor.resetTo(checkpoint?.position.seq ?? 0);
      executor.goOnThrough(doneSeq);
    } finally {
      release();
    }
    this.#release();
    await executor.reached(doneSeq);
    if (loss === this.#losses) this.#restored();
  }

  /**
   * The whole log executed again gives the pair's state only on an engine that is blank, or that was blank when this began. An
   * engine that restarts may get a command before we know that it restarted. Then it has that command, and nothing before it.
   */
  async #judgeBlank(): Promise<void> {
    const { store, engine } = this.#kit.ports;
    const held = (await engine.position?.()) ?? null;
    const instance = this.#namedInstance;
    if (held !== null && held.seq > 0) {
      if (epochAt(store.logShape(), held.seq) !== held.epoch) throw notYet(notInLog(held));
      if (this.#blankOnce !== instance)
        throw notYet(
          `the engine has executed command ${held.seq}, and lacks what came before: restart it, or start the peer`,
        );
    }
    this.#blankOnce = instance;
  }
}

/** The engine waits for the peer's state. */
function notYet(why: string): ChangeoverError {
  return new ChangeoverError("engine_not_ready", why, { retryable: true });
}

/** Of an engine that outlived a data folder which was restored from an older copy. */
export function notInLog({ epoch, seq }: LogPosition): string {
  return `the engine has executed command ${seq} of epoch ${epoch}, which is not in this coordinator's log: restart it, or start the peer`;
}

/** Why the peer could not take over now; null: it could. */
export function whyNoBackup(monitor: PeerMonitor): string | null {
  const heartbeat = monitor.last?.heartbeat;
  if (!monitor.alive || heartbeat === undefined) return "the peer is not heard";
  if (heartbeat.health === "failed") return "the peer's engine has failed";
  if (heartbeat.sync !== "ready") return `the peer is not caught up: it is ${heartbeat.sync}`;
  return null;
}

/** Whether the peer could take over: heard, healthy and caught up. */
export function backupIsValid(monitor: PeerMonitor): boolean {
  return whyNoBackup(monitor) === null;
}
