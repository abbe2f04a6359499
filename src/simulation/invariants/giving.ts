/**
 * Who gives the role away, and what for.
 *
 * CP7: an engine that leads or campaigns gives its vote to nobody, and one that has just given its role away asks nobody who
 * leads for a vote: it waits for the peer's next word. HO1: only a leader that may act grants its role; the
 * target begins to take over while the leader waits for it, and what it wins after that it wins by the witness. HO2: the
 * target has every command of the old leader, and the old leader owes no answer when it grants.
 *
 * A grant is counted here from the true instants at which the request was sent and the grant was given.
 */
import { comparePositions } from "../../core/claim.ts";
import type { LogPosition } from "../../core/command.ts";
import type { CoordinatorEvent } from "../../core/events.ts";
import { otherLabel, type Label } from "../../core/ids.ts";
import type { PeerMessage, Role } from "../../core/messages.ts";
import type { Submission, Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";
import { grantWindowMs, type Entitlement } from "./entitlement.ts";

const ROUNDING_MS = 0.01;

interface Grant {
  readonly by: Label;
  readonly atMs: number;
  /** Until then the target may begin to take over. */
  readonly endsMs: number;
  readonly final: LogPosition;
}

export class Giving implements Watch {
  readonly #world: World;
  readonly #entitlement: Pick<Entitlement, "forbids">;
  readonly #roles: Record<Label, Role> = { a: "follower", b: "follower" };
  readonly #candidateMs: Record<Label, number> = { a: 0, b: 0 };
  /** Led, and has not heard the peer since. */
  readonly #unheard: Record<Label, boolean> = { a: false, b: false };
  /** Why the leader may not grant what it was asked for, by asker and request; null: it may. */
  readonly #forbidden = new Map<string, string | null>();
  readonly #askedMs = new Map<string, number>();
  readonly #grants = new Map<number, Grant>();
  readonly #swapped = new Set<number>();
  /** What the target has taken. Where it grants the role in its turn and that comes to nothing, it leads on in that epoch. */
  readonly #taken = new Set<number>();

  constructor(world: World, entitlement: Pick<Entitlement, "forbids">) {
    this.#world = world;
    this.#entitlement = entitlement;
  }

  booted(label: Label): void {
    this.#roles[label] = "follower";
    this.#unheard[label] = false;
  }

  told(label: Label, event: CoordinatorEvent): void {
    if (event.type !== "role") return;
    if (this.#roles[label] === "leader") this.#unheard[label] = event.role !== "leader";
    this.#roles[label] = event.role;
    if (event.role === "candidate") this.#candidateMs[label] = this.#world.nowMs;
    const grant = event.role === "leader" ? this.#grants.get(event.epoch) : undefined;
    if (grant === undefined || grant.by === label || this.#taken.has(event.epoch)) return;
    this.#judgeTarget(label, event.epoch, grant);
    this.#taken.add(event.epoch);
  }

  sent(from: Label, message: PeerMessage): void {
    const { nowMs } = this.#world;
    if (message.type === "vote-answer" && message.granted && this.#roles[from] !== "follower")
      this.#world.violate("CP7", `${from} gave its vote for epoch ${message.epoch} as ${this.#roles[from]}`);
    if (
      message.type === "vote-request" &&
      !message.forced &&
      this.#unheard[from] &&
      this.#world.processes[otherLabel(from)].mayAct()
    )
      this.#world.violate("CP7", `${from} led, has not heard its peer since, and asks it for a vote while it leads`);
    if (message.type === "handover-request" && !this.#askedMs.has(keyOf(from, message)))
      this.#askedMs.set(keyOf(from, message), nowMs);
    if (message.type !== "handover-grant") return;
    const { epoch, final } = message;
    const key = keyOf(otherLabel(from), message);
    const why = this.#forbidden.get(key) ?? null;
    if (why !== null) this.#world.violate("HO1", `${from} granted epoch ${epoch}, but when it was asked ${why}`);
    const { rate } = this.#world.processes[otherLabel(from)].machine.clock;
    const endsMs = (this.#askedMs.get(key) ?? nowMs) + grantWindowMs(this.#world.settings.failover) / rate;
    if (!this.#grants.has(epoch)) this.#grants.set(epoch, { by: from, atMs: nowMs, endsMs, final });
  }

  delivered(to: Label, message: PeerMessage): void {
    if (message.type === "heartbeat") this.#unheard[to] = false;
    if (message.type !== "handover-request") return;
    const key = keyOf(otherLabel(to), message);
    if (this.#forbidden.get(key) !== null) this.#forbidden.set(key, this.#entitlement.forbids(to));
  }

  swapped(_from: Label, _previous: unknown, next: { readonly epoch: number }): void {
    this.#swapped.add(next.epoch);
  }

  submitted({ to, key, askedMs, outcome }: Submission): void {
    if (outcome.outcome !== "outcome-unknown") return;
    const { nowMs } = this.#world;
    for (const { by, atMs, final } of this.#grants.values()) {
      if (by !== to || askedMs > atMs || atMs > nowMs || comparePositions(outcome, final) > 0) continue;
      this.#world.violate("HO2", `${to} granted its role while it owed an answer about ${key}`);
    }
  }

  #judgeTarget(label: Label, epoch: number, { endsMs, final }: Grant): void {
    const { nowMs } = this.#world;
    const beganMs = this.#candidateMs[label];
    const late = (what: string, atMs: number): void =>
      this.#world.violate(
        "HO1",
        `${label} ${what} epoch ${epoch} at ${atMs.toFixed(1)} ms, granted until ${endsMs.toFixed(1)}`,
      );
    if (beganMs > endsMs + ROUNDING_MS) late("began to take", beganMs);
    if (nowMs > endsMs + ROUNDING_MS && !this.#swapped.has(epoch)) late("took", nowMs);
    const end = this.#world.contentOf(label)?.shape.at(-1);
    const has = { epoch: end?.epoch ?? 0, seq: end?.to ?? 0 };
    if (comparePositions(has, final) >= 0) return;
    const [held, wanted] = [has, final].map((at) => `${at.epoch}/${at.seq}`);
    this.#world.violate("HO2", `${label} leads in epoch ${epoch} with its log at ${held}, granted at ${wanted}`);
  }
}

/** A person's request may be made at both engines under one id [HO4]. */
function keyOf(asker: Label, { requestId }: { readonly requestId: string }): string {
  return `${asker} ${requestId}`;
}
