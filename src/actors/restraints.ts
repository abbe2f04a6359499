/**
 * What holds automation back: quarantine [CP5], maintenance [HO3], hold-down [CP6], and the patience of an
 * engine that is behind [CP4].
 * Keeps true: none of these ever binds a person.
 */
import { NO_EPOCH, type Epoch } from "../core/epoch.ts";
import { hlcNow, hlcZero, laterHlc } from "../core/hlc.ts";
import { heldDownUntilMs, noteChange, type RoleChanges } from "../core/claim.ts";
import type { LeadershipCause, Maintenance } from "../core/messages.ts";
import type { Kit } from "./kit.ts";

/** What a person asked for; everything else moves the role by itself and counts, elections and cold starts too [CP6]. */
const BY_PEOPLE: ReadonlySet<LeadershipCause> = new Set(["handover", "forced"]);
/** Who moved the role when it went back to the preferred engine by itself [HO9]. It counts, although it is a handover. */
export const SWITCH_BACK = "switch-back";

export class Restraints {
  readonly #kit: Kit;
  #quarantineUntilMs = 0;
  #quarantinedAtMs = 0;
  #maintenance: Maintenance | null = null;
  /** Whether the disk has it. */
  #saved = true;
  #changes: RoleChanges = [];
  /** The last leadership that was counted. */
  #countedEpoch: Epoch = NO_EPOCH;
  #behindSinceMs: number | null = null;
  #retryAtMs = 0;

  constructor(kit: Kit) {
    this.#kit = kit;
  }

  restore(maintenance: Maintenance | null): void {
    this.#maintenance = maintenance;
  }

  /** No campaign for `campaignWaitMs` from now [CP5]. */
  quarantine(): void {
    this.#quarantinedAtMs = this.#kit.nowMs();
    this.#quarantineUntilMs = this.#quarantinedAtMs + this.#kit.failover.campaignWaitMs;
  }

  get quarantineUntilMs(): number {
    return this.#quarantineUntilMs;
  }

  get quarantinedAtMs(): number {
    return this.#quarantinedAtMs;
  }

  get maintenance(): Maintenance | null {
    return this.#maintenance;
  }

  get maintenanceOn(): boolean {
    return this.#maintenance?.on ?? false;
  }

  /** An operator's word; the later stamp stands on both engines. */
  setMaintenance(request: { on: boolean; by: string; reason: string }): Maintenance {
    const { ports, options } = this.#kit;
    const last = this.#maintenance?.stamp ?? hlcZero(options.label);
    const stamp = hlcNow(last, ports.clock.unixMs(), options.label);
    const maintenance = { ...request, stamp };
    this.#kit.ports.store.saveMaintenance(maintenance);
    this.#saved = true;
    this.#take(maintenance);
    return maintenance;
  }

  /**
   * The peer's word; true when it was news. It binds also while the disk refuses it: then it is saved when the peer says
   * it again.
   */
  learnMaintenance(heard: Maintenance | null): boolean {
    if (heard === null) return false;
    const known = this.#maintenance;
    if (heard.stamp === known?.stamp) {
      if (!this.#saved) this.#save(heard);
      return false;
    }
    if (known !== null && laterHlc(heard.stamp, known.stamp) !== heard.stamp) return false;
    this.#save(heard);
    this.#take(heard);
    return true;
  }

  /** The leadership of `epoch` was seen, own or the peer's. Each counts once, however often its leader is met again. */
  noteLeadership(epoch: Epoch, cause: LeadershipCause, by = ""): void {
    const isByPeople = BY_PEOPLE.has(cause) && by !== SWITCH_BACK;
    if (isByPeople || epoch <= this.#countedEpoch) return;
    this.#countedEpoch = epoch;
    const { holdDownWindowMs, maxAutomaticFailovers } = this.#kit.failover;
    this.#changes = noteChange(this.#changes, this.#kit.nowMs(), holdDownWindowMs, maxAutomaticFailovers);
  }

  /** Until when hold-down lasts; null: it does not. */
  heldDownUntilMs(): number | null {
    const { holdDownWindowMs, maxAutomaticFailovers } = this.#kit.failover;
    return heldDownUntilMs(this.#changes, this.#kit.nowMs(), holdDownWindowMs, maxAutomaticFailovers);
  }

  /** A campaign was lost: the next one begins after a pause that differs, so that two engines do not meet again [CP2]. */
  campaignLost(): void {
    const { heartbeatMs } = this.#kit.failover;
    this.#retryAtMs = this.#kit.nowMs() + heartbeatMs / 2 + this.#kit.ports.random.next() * heartbeatMs;
  }

  get retryAtMs(): number {
    return this.#retryAtMs;
  }

  /** Notes whether this engine is behind what clients were told, while nobody leads. */
  noteBehind(behind: boolean): void {
    this.#behindSinceMs = behind ? (this.#behindSinceMs ?? this.#kit.nowMs()) : null;
  }

  /** When an engine that is behind leads all the same; null: never, or it is not behind. */
  get patienceEndsMs(): number | null {
    if (this.#behindSinceMs === null || this.#kit.failover.policy === "consistency") return null;
    return this.#behindSinceMs + this.#kit.failover.staleTakeoverMs;
  }

  patienceIsOver(): boolean {
    const endsMs = this.patienceEndsMs;
    return endsMs !== null && this.#kit.nowMs() >= endsMs;
  }

  #save(maintenance: Maintenance): void {
    try {
      this.#kit.ports.store.saveMaintenance(maintenance);
      this.#saved = true;
    } catch (error) {
      this.#saved = false;
      this.#kit.ports.logger.error({ err: error }, "the peer's maintenance could not be saved");
    }
  }

  #take(maintenance: Maintenance): void {
    this.#maintenance = maintenance;
    this.#kit.emit({ type: "maintenance", maintenance });
  }
}
