/**
 * Who may truly act at this instant, and whether anyone acts who may not [VT5].
 *
 * The checker never asks an engine whether it may act. It counts votes where they are given: a heartbeat that leaves a
 * follower with a vote in it, a rewrite that the witness has taken, a grant that leaves the old leader, a process that
 * is really dead. Each counts from the true instant at which the question was sent. Every effect of a leader is held
 * against that: a command appended, executed or published, a changeover request, an answer of `GET /leader`.
 */
import type { ControlEvent } from "../../core/control-event.ts";
import type { Command } from "../../core/command.ts";
import type { CoordinatorEvent } from "../../core/events.ts";
import { otherLabel, type Label } from "../../core/ids.ts";
import type { PeerMessage, Role } from "../../core/messages.ts";
import type { FailoverSettings } from "../../core/settings.ts";
import type { WitnessRecord } from "../../ports/witness.ts";
import type { Submission, Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

const ROUNDING_MS = 0.01;
/** Heartbeats, rewrites and requests whose send time is remembered. */
const SENT_KEPT = 256;

/** What the world knows of one engine in its present life. True times. */
interface Side {
  role: Role;
  /** Epoch that it leads in. */
  epoch: number;
  /** It has granted its role away and has not taken it back. */
  grantedAway: boolean;
  /** When it did so last. */
  grantedMs: number;
  untilMs: number;
  /** Send time of the newest question that was answered with a vote. */
  votedForMs: number;
  /** Questions sent before this instant count no more. */
  floorMs: number;
  wokeMs: number;
  /** How long it was frozen again while it waited for an answer, in pauses too short to be noticed. */
  sleptMs: number;
  /** When its wall clock leapt ahead, and when it last fell back. */
  leaptMs: number;
  fellMs: number;
  /** The highest epoch in which it heard its peer lead. */
  heardEpoch: number;
  readonly sent: Map<string, number>;
}

export class Entitlement implements Watch {
  readonly #world: World;
  readonly #sides: Record<Label, Side>;
  /** The last instant at which each process is known to have been dead. */
  readonly #deadMs: Record<Label, number> = { a: -Infinity, b: -Infinity };
  readonly #consistency: boolean;
  readonly #executed = new Set<string>();
  readonly #asked: { readonly label: Label; readonly epoch: number }[] = [];

  constructor(world: World) {
    this.#world = world;
    this.#consistency = world.settings.failover.policy === "consistency";
    this.#sides = { a: newSide(), b: newSide() };
  }

  booted(label: Label): void {
    this.#sides[label] = newSide();
    this.#deadMs[label] = this.#world.nowMs;
  }

  woke(label: Label, forMs: number): void {
    const pausedMs = forMs * this.#rate(label);
    const side = this.#sides[label];
    const { nowMs, settings } = this.#world;
    if (pausedMs > settings.failover.leaseMs / 2) Object.assign(side, { wokeMs: nowMs, sleptMs: 0 });
    // Who sleeps hears no answer: that is no part of the wait.
    else if (pausedMs > settings.failover.heartbeatMs / 2 && nowMs - forMs < this.#patientMs(label))
      side.sleptMs += forMs;
  }

  /** A wall clock that leaps ahead looks like a sleep: the leader verifies before its next effect [CP5]. */
  wallStepped(label: Label, byMs: number): void {
    const side = this.#sides[label];
    const { nowMs, settings } = this.#world;
    if (byMs < 0) Object.assign(side, { leaptMs: -Infinity, fellMs: nowMs });
    // Between two looks at the clock a leap after a fall may cancel out.
    else if (byMs > settings.failover.leaseMs / 2 && nowMs > side.fellMs + 2 * settings.failover.heartbeatMs)
      Object.assign(side, { leaptMs: nowMs, sleptMs: 0 });
  }

  told(label: Label, event: CoordinatorEvent): void {
    if (event.type !== "role") return;
    const side = this.#sides[label];
    side.role = event.role;
    if (event.role === "leader") {
      side.epoch = event.epoch;
      side.grantedAway = false;
    }
    // What a campaign gathers was asked for after the engine woke.
    if (event.role === "candidate") Object.assign(side, { wokeMs: -Infinity, leaptMs: -Infinity });
    if (event.role === "follower") Object.assign(side, { untilMs: -Infinity, votedForMs: -Infinity });
  }

  sent(from: Label, message: PeerMessage): void {
    const own = this.#sides[from];
    const peer = otherLabel(from);
    const { type } = message;
    if (type === "heartbeat") {
      this.#note(from, `heartbeat ${message.n}`);
      if (message.vote !== null) this.#vote(peer, `heartbeat ${message.vote.n}`);
    }
    if (type === "vote-request" || type === "handover-request") this.#note(from, message.requestId);
    if (type === "vote-answer" && message.granted) this.#vote(peer, message.requestId);
    if (type === "handover-grant") {
      const { nowMs } = this.#world;
      const given = { grantedAway: true, grantedMs: nowMs, floorMs: nowMs };
      Object.assign(own, { ...given, untilMs: -Infinity, votedForMs: -Infinity });
      this.#vote(peer, message.requestId, grantWindowMs(this.#world.settings.failover));
    }
  }

  delivered(to: Label, message: PeerMessage): void {
    if (message.type !== "heartbeat" || message.role !== "leader") return;
    const side = this.#sides[to];
    side.heardEpoch = Math.max(side.heardEpoch, message.epoch);
  }

  swapSent(from: Label, next: WitnessRecord): void {
    // A swap that failed and is tried again with the record that stands is a new question.
    this.#sides[from].sent.delete(keyOf(next));
    this.#note(from, keyOf(next));
    if (next.released) this.#sides[from].grantedAway = true;
  }

  swapped(from: Label, _previous: WitnessRecord | null, next: WitnessRecord): void {
    if (!next.released) this.#vote(from, keyOf(next));
  }

  appended(label: Label, commands: readonly Command[]): void {
    const own = this.#world.processes[label].disk.content?.engineId;
    const [first] = commands;
    if (first === undefined || first.origin !== own || this.#peerHolds(label, first)) return;
    this.#judge(label, `accepted command ${first.epoch}/${first.seq}`, first.epoch);
  }

  executing(label: Label, command: Command): void {
    // What an engine executes again that had lost its state is no new effect.
    const identity = `${label} ${command.epoch}/${command.seq}`;
    if (this.#executed.has(identity)) return;
    this.#executed.add(identity);
    const side = this.#sides[label];
    const own = command.origin === this.#world.processes[label].disk.content?.engineId;
    // A candidate was a follower when it was given the command, or was told that it stands.
    if (!own || command.epoch !== side.epoch || side.role !== "leader") return;
    this.#judge(label, `executed command ${command.epoch}/${command.seq}`, command.epoch);
  }

  submitted({ to, key, outcome }: Submission): void {
    // A follower may say what became of a command; a leader answers only while it may act. What both hold when a leader
    // gives its role away stands in the next leadership too: that may be said a moment later. And the last of what it waits
    // for before the grant is answered in the same instant.
    const { role, grantedAway, grantedMs } = this.#sides[to];
    if (outcome.outcome !== "accepted" || role !== "leader") return;
    const maySay = grantedAway && (outcome.durability === "pair" || this.#world.nowMs === grantedMs);
    if (!maySay) this.#judge(to, `answered ${key} with ${outcome.epoch}/${outcome.seq}`, null);
  }

  publishing(label: Label, batch: readonly ControlEvent[]): void {
    this.#judge(label, `published ${batch[0]?.eventId ?? "nothing"}`, null);
  }

  routed(label: Label, epoch: number): void {
    // An engine asks while it becomes leader, and says so at the end of that step.
    this.#asked.push({ label, epoch });
  }

  afterStep(): void {
    if (this.#asked.length === 0) return;
    for (const { label, epoch } of this.#asked.splice(0)) this.#judge(label, "asked for a changeover", epoch);
  }

  leaderAnswered(label: Label, leads: boolean): void {
    if (leads) this.#judge(label, "answered GET /leader with 200", null);
  }

  /** [EN12] (`consistency`) What drives outputs must stop when the last vote ends, even if it hears nothing more. */
  mayActFor(label: Label, forMs: number): void {
    if (!this.#consistency || forMs <= 0) return;
    const { untilMs, epoch } = this.#sides[label];
    const endsMs = Math.max(untilMs, this.#deadSinceMs(otherLabel(label)) + this.#leaseMs(label));
    const actsUntilMs = this.#world.nowMs + forMs / this.#rate(label);
    if (actsUntilMs <= endsMs + ROUNDING_MS) return;
    const ends = `its last vote ends at ${endsMs.toFixed(1)} ms`;
    this.#world.violate(
      "EN12",
      `${label} lets its engine act in epoch ${epoch} until ${actsUntilMs.toFixed(1)} ms, ${ends}`,
    );
  }

  /** The engine says that it may act. */
  claims(label: Label): void {
    this.#judge(label, "says that it may act", null);
  }

  #judge(label: Label, what: string, epoch: number | null): void {
    const why = this.forbids(label);
    if (why !== null) this.#world.violate("VT5", `${label} ${what} in epoch ${this.#sides[label].epoch}, but ${why}`);
    const led = this.#sides[label].epoch;
    if (epoch !== null && epoch !== led) this.#world.violate("VT5", `${label} ${what} in epoch ${epoch}, leads ${led}`);
  }

  /** Why this engine may not act now; null: it may. */
  forbids(label: Label): string | null {
    const { nowMs } = this.#world;
    const { role, grantedAway, untilMs, votedForMs, heardEpoch, epoch, ...since } = this.#sides[label];
    const wokeMs = Math.max(since.wokeMs, since.leaptMs);
    if (role !== "leader") return `it is ${role}`;
    if (grantedAway) return "it has given its role away";
    if (heardEpoch > epoch) return `its peer told it that it leads in epoch ${heardEpoch}`;
    const deadMs = this.#deadSinceMs(otherLabel(label));
    const verified = Math.max(votedForMs, deadMs) >= wokeMs;
    if (this.#consistency) {
      if (!verified) return `it was frozen until ${wokeMs.toFixed(1)} ms and nobody has voted since`;
      const endsMs = Math.max(untilMs, deadMs + this.#leaseMs(label)) + ROUNDING_MS;
      return nowMs < endsMs ? null : `its last vote ended at ${endsMs.toFixed(1)} ms`;
    }
    if (verified || nowMs >= this.#patientMs(label) - ROUNDING_MS) return null;
    return `it was frozen until ${wokeMs.toFixed(1)} ms and has waited for no answer`;
  }

  /** (`on-air`) Until when an engine that woke waits for an answer. */
  #patientMs(label: Label): number {
    const { wokeMs, leaptMs, sleptMs } = this.#sides[label];
    return Math.max(wokeMs, leaptMs) + sleptMs + this.#world.settings.failover.heartbeatMs / this.#rate(label);
  }

  #note(label: Label, question: string): void {
    const { sent } = this.#sides[label];
    // Over the second link the same heartbeat is no new question.
    if (sent.has(question)) return;
    sent.set(question, this.#world.nowMs);
    if (sent.size > SENT_KEPT) sent.delete(sent.keys().next().value as string);
  }

  /** Somebody has answered `question` of `label` with a vote, which counts `forMs` from its send time. */
  #vote(label: Label, question: string, forMs = this.#world.settings.failover.leaseMs): void {
    const side = this.#sides[label];
    const sentMs = side.sent.get(question);
    if (sentMs === undefined || sentMs < side.floorMs) return;
    side.votedForMs = Math.max(side.votedForMs, sentMs);
    const untilMs = sentMs + forMs / this.#rate(label);
    if (untilMs <= side.untilMs) return;
    side.untilMs = untilMs;
    // An engine may do nothing for as long as its count is too long; so it is asked right after the true end.
    if (this.#consistency) this.#world.scheduler.at(untilMs + 2 * ROUNDING_MS, () => undefined);
  }

  /** The last true instant at which the process of `label` was dead. */
  #deadSinceMs(label: Label): number {
    return this.#world.processes[label].alive ? this.#deadMs[label] : this.#world.nowMs;
  }

  #peerHolds(label: Label, { seq, epoch }: Command): boolean {
    const shape = this.#world.contentOf(otherLabel(label))?.shape ?? [];
    return shape.some((run) => run.epoch === epoch && run.from <= seq && seq <= run.to);
  }

  #leaseMs(label: Label): number {
    return this.#world.settings.failover.leaseMs / this.#rate(label);
  }

  #rate(label: Label): number {
    return this.#world.processes[label].machine.clock.rate;
  }
}

/** What the leader waits for, by clocks that drift apart, and the time to come to rest [HO1]. Counted here once more. */
export function grantWindowMs({ handoverMs, maxClockDriftPpm, quiesceMs }: FailoverSettings): number {
  const rho = maxClockDriftPpm / 1e6;
  return handoverMs * ((1 - rho) / (1 + rho)) - quiesceMs;
}

function newSide(): Side {
  return {
    ...{ role: "follower", epoch: 0, grantedAway: false },
    ...{ grantedMs: -Infinity, untilMs: -Infinity, votedForMs: -Infinity },
    ...{ floorMs: -Infinity, wokeMs: -Infinity, leaptMs: -Infinity, fellMs: -Infinity },
    sleptMs: 0,
    ...{ heardEpoch: 0, sent: new Map<string, number>() },
  };
}

function keyOf({ epoch, seq, released }: WitnessRecord): string {
  return `record ${epoch}/${seq}${released ? " released" : ""}`;
}
