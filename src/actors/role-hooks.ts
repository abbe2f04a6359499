/**
 * Tells the outside that the role has moved: the engine's hook, the changeover switches, the history.
 * Keeps true: nothing here delays a demotion; a switch is asked until it confirms, and again every `reassertMs`; what is
 * under way is broken off when the leadership ends [HO7].
 */
import { backoffMs } from "../core/failure-detector.ts";
import { otherLabel } from "../core/ids.ts";
import type { Heartbeat, LeadershipOrigin } from "../core/messages.ts";
import type { ChangeoverSwitch } from "../ports/changeover-switch.ts";
import type { TimerHandle } from "../ports/basics.ts";
import type { LeadershipEntry } from "../ports/store.ts";
import type { Acting, Kit } from "./kit.ts";
import { saidBy } from "./engine-guard.ts";
import type { RoleMove } from "./leadership.ts";

const BACKOFF = { baseMs: 100, capMs: 5_000 };

/** What the engine of a leader is told: whether the leader may act, and for how long without hearing again [EN12]. */
export interface ActingFor extends Acting {
  mayActForMs(): number;
}

export class RoleHooks {
  readonly #kit: Kit;
  readonly #acting: ActingFor;
  #epochLed: number | null = null;
  #peerEpochKept = 0;
  readonly #timers = new Set<TimerHandle>();
  readonly #unconfirmed = new Set<string>();
  /** History that is not on disk yet: who began to lead, and the end of a leadership that nobody has followed. */
  #begun: LeadershipEntry[] = [];
  #unfollowed: { readonly epoch: number; readonly toUnixMs: number } | null = null;

  constructor(kit: Kit, acting: ActingFor) {
    this.#kit = kit;
    this.#acting = acting;
  }

  moved(move: RoleMove): void {
    const { ports } = this.#kit;
    const led = move.role === "leader";
    const wasLeader = move.previousRole === "leader";
    const { origin } = move;
    // A leader that goes on under a new epoch [EP5] tells everyone that epoch.
    const renewed = led && this.#epochLed !== null && move.epoch > this.#epochLed;
    if (renewed) this.#ended();
    if (led && (!wasLeader || renewed) && origin !== null) {
      const leader = this.#kit.options.label;
      this.#began({ ...entryOf(origin), epoch: move.epoch, leader });
      this.#epochLed = move.epoch;
      for (const target of ports.changeoverSwitches) this.#route(target, move.epoch, 0);
    }
    if (!led && wasLeader) this.#ended();
    if (led !== wasLeader) this.#tellEngine(led ? "leader" : "follower", move.epoch);
  }

  /** Once a heartbeat: a leader's engine hears that its role stands, and for how long [EN12]. */
  beat(): void {
    const epoch = this.#epochLed;
    if (epoch === null) return;
    const role = { role: "leader", epoch, previousRole: "follower", mayActForMs: this.#acting.mayActForMs() } as const;
    void this.#kit.ports.engine.repeatRole?.(role);
  }

  /** The peer leads: both engines keep the same history. */
  peerLeads(heartbeat: Heartbeat): void {
    const { leadership, epoch } = heartbeat;
    if (leadership === null || epoch <= this.#peerEpochKept) return;
    this.#peerEpochKept = epoch;
    const leader = otherLabel(this.#kit.options.label);
    this.#began({ ...entryOf(leadership), epoch, leader });
  }

  stop(): void {
    for (const timer of this.#timers) this.#kit.ports.clock.clearTimeout(timer);
    this.#timers.clear();
  }

  /** Writes now what was put off, before the store closes. */
  flush(): void {
    const { store } = this.#kit.ports;
    const [begun, ended] = [this.#begun, this.#unfollowed];
    this.#begun = [];
    this.#unfollowed = null;
    for (const entry of begun) this.#write(() => store.saveLeadership(entry));
    if (ended !== null) this.#write(() => store.endLeadership(ended.epoch, ended.toUnixMs));
  }

  #ended(): void {
    const epoch = this.#epochLed;
    this.#epochLed = null;
    this.stop();
    for (const target of this.#kit.ports.changeoverSwitches) target.withdraw();
    this.#unconfirmed.clear();
    this.#kit.alarms.clear("changeover-unconfirmed");
    if (epoch === null) return;
    this.#unfollowed = { epoch, toUnixMs: this.#kit.ports.clock.unixMs() };
    this.#flushSoon();
  }

  /** Its entry ends the one before. */
  #began(entry: LeadershipEntry): void {
    this.#begun.push(entry);
    this.#unfollowed = null;
    this.#flushSoon();
  }

  #tellEngine(role: "leader" | "follower", epoch: number): void {
    const previousRole = role === "leader" ? "follower" : "leader";
    const complain = (error: unknown): void => {
      this.#kit.ports.logger.warn({ err: error, role, epoch }, "the engine's role hook failed");
      const said = `the engine's role hook failed or ran out of time: ${saidBy(error)}`;
      this.#kit.alarms.raise("engine-hook-slow", said);
    };
    try {
      const mayActForMs = role === "leader" ? this.#acting.mayActForMs() : 0;
      void Promise.resolve(this.#kit.ports.engine.onRole({ role, epoch, previousRole, mayActForMs })).then(
        () => this.#kit.alarms.clear("engine-hook-slow"),
        complain,
      );
    } catch (error) {
      complain(error);
    }
  }

  #route(target: ChangeoverSwitch, epoch: number, attempt: number): void {
    if (this.#epochLed !== epoch) return;
    // A leader whose vote has lapsed changes nothing on air [VT5]; it asks once it may act again.
    if (!this.#acting.mayAct()) return this.#routeAfter(this.#kit.failover.heartbeatMs, target, epoch, attempt);
    void target.route({ engineLabel: this.#kit.options.label, epoch }).then((answer) => {
      if (this.#epochLed !== epoch) return;
      if (answer === "confirmed") {
        this.#unconfirmed.delete(target.name);
        // A switch that was restarted has forgotten its route, and nobody else tells it [HO7].
        this.#routeAfter(target.reassertMs, target, epoch, 0);
      } else {
        this.#unconfirmed.add(target.name);
        const waitMs = backoffMs(attempt, this.#kit.ports.random.next(), BACKOFF);
        this.#routeAfter(waitMs, target, epoch, Math.min(attempt + 1, 10));
      }
      const names = [...this.#unconfirmed].join(", ");
      this.#kit.alarms.set("changeover-unconfirmed", names !== "", `not confirmed by ${names}`);
    });
  }

  #routeAfter(waitMs: number, target: ChangeoverSwitch, epoch: number, attempt: number): void {
    const timer = this.#kit.ports.clock.setTimeout(() => {
      this.#timers.delete(timer);
      this.#route(target, epoch, attempt);
    }, waitMs);
    this.#timers.add(timer);
  }

  /**
   * History is for people: it is written once the take-over is done, and a disk that refuses it stops nothing. A turn
   * later, so that those who wait to hear who leads are answered before the disk is waited for.
   */
  #flushSoon(): void {
    const { clock } = this.#kit.ports;
    clock.soon(() => clock.soon(() => this.flush()));
  }

  #write(history: () => void): void {
    try {
      history();
    } catch (error) {
      this.#kit.ports.logger.warn({ err: error }, "leadership history not stored");
    }
  }
}

function entryOf(origin: LeadershipOrigin): Omit<LeadershipEntry, "epoch" | "leader"> {
  const { cause, by, reason, fromUnixMs, tookMs } = origin;
  return { cause, by, reason, fromUnixMs, tookMs, toUnixMs: null };
}
