/**
 * The one answer to "may this engine campaign now, and if not, why and until when?" [CP1–CP7, DP1, VT7]. The chart's guard,
 * the timer of the next look, the alarms, `/ready` and `waiting` in the state all ask here. Pure: it only looks at a view.
 */
import type { CampaignView, Rules } from "./rules.ts";

/** Why an engine waits. Stable words: they are part of `GET /api/state` and `GET /ready`. */
export type WaitReason =
  /** An operator holds automation. */
  | "maintenance"
  /** It has just started, was paused, or the witness lost memory [CP5]. */
  | "quarantine"
  | "engine-failed"
  /** It lacks commands that clients were told of [CP4]. */
  | "behind"
  /** The role has moved too often [CP6]. */
  | "hold-down"
  /** The witness shows a stranger's record, and this engine has never met its peer [VT7]. */
  | "witness-foreign"
  /** The peer has pinned another engine in its place; a person adopts it there [ID2]. */
  | "refused-by-peer"
  /** The peer leads. */
  | "peer-leads"
  /** Both live and neither leads: the other has the better claim, or this engine's vote [CP7]. */
  | "election"
  /** Something was heard of the peer so lately that it counts as alive. */
  | "peer-alive"
  /** It has promised a leader not to campaign [VT2]. */
  | "promise"
  /** The witness record has not stood still for long enough [CP2]. */
  | "witness-record"
  /** Neither the peer nor the witness answers, and nothing proves that the peer is dead [CP3]. */
  | "no-quorum"
  /** There is no witness to ask, and the peer is only silent [CP3]. */
  | "no-witness";

/** On what a campaign of automation rests. */
export type AutomaticGround = "death-proof" | "election" | "silence" | "blind";

export type CampaignVerdict =
  | { readonly go: true; readonly ground: AutomaticGround }
  /** `untilMs`: monotonic; null: something must happen first that no clock brings. */
  | { readonly go: false; readonly untilMs: number | null; readonly why: readonly WaitReason[] };

interface Wait {
  readonly why: WaitReason;
  readonly untilMs: number | null;
}

/** Whether a campaign may begin at `view.nowMs`. */
export function campaignVerdict(view: CampaignView, rules: Rules): CampaignVerdict {
  const restraints = restraintsOn(view, rules);
  const ground = groundOf(view, rules);
  if (restraints.length === 0 && ground !== null) return { go: true, ground };
  return waiting([...restraints, ...(ground === null ? missingFor(view, rules) : [])]);
}

/** The last wait ends the whole; one with an open end leaves it open. */
function waiting(waits: readonly Wait[]): Extract<CampaignVerdict, { go: false }> {
  const instants = waits.map(({ untilMs }) => untilMs);
  const untilMs = instants.every((instant) => instant !== null) ? Math.max(...instants) : null;
  return { go: false, untilMs, why: waits.map(({ why }) => why) };
}

/**
 * Why this engine would not take over at once if its peer were proven dead now; empty: it would [CP5]. A follower that is
 * caught up is not held back by a command that was answered this very moment: it is on its way.
 */
export function notAtOnce(view: CampaignView, rules: Rules): CampaignVerdict {
  const restraints = restraintsOn({ ...view, peer: "dead", provenAtMs: view.nowMs, behind: false }, rules);
  return restraints.length === 0 ? { go: true, ground: "death-proof" } : waiting(restraints);
}

/** When to look again: the first instant at which something that is judged here lapses; null: no clock brings a change. */
export function nextLookMs(view: CampaignView): number | null {
  const instants = [
    view.quarantineUntilMs,
    view.grantedUntilMs,
    view.promiseUntilMs,
    view.silentAtMs,
    (view.recordSinceMs ?? view.nowMs) + view.waitMs,
    view.heldDownUntilMs ?? 0,
    view.patienceEndsMs ?? 0,
    view.blindAfterMs === null ? 0 : view.peerLastHeardMs + view.blindAfterMs,
  ].filter((at) => at > view.nowMs);
  return instants.length === 0 ? null : Math.min(...instants);
}

function restraintsOn(view: CampaignView, rules: Rules): readonly Wait[] {
  const waits: Wait[] = [];
  if (!rules.outOfMaintenance(view)) waits.push({ why: "maintenance", untilMs: null });
  if (!rules.amongItsOwn(view)) waits.push({ why: "witness-foreign", untilMs: null });
  if (!rules.belongsToPair(view)) waits.push({ why: "refused-by-peer", untilMs: null });
  if (!rules.outOfQuarantine(view)) waits.push({ why: "quarantine", untilMs: view.quarantineUntilMs });
  if (!rules.engineFit(view)) waits.push({ why: "engine-failed", untilMs: null });
  if (!rules.caughtUp(view)) waits.push({ why: "behind", untilMs: view.patienceEndsMs });
  if (!rules.holdDownAllows(view)) waits.push({ why: "hold-down", untilMs: view.heldDownUntilMs });
  return waits;
}

function groundOf(view: CampaignView, rules: Rules): AutomaticGround | null {
  if (rules.provenDead(view)) return "death-proof";
  if (rules.electionDue(view)) return "election";
  if (!rules.promiseLapsed(view) || !rules.peerSilent(view) || !rules.recordStoodStill(view)) return null;
  return view.blindAfterMs !== null && view.witness !== "reachable" ? "blind" : "silence";
}

/** What is missing for a ground. */
function missingFor(view: CampaignView, rules: Rules): readonly Wait[] {
  if (!rules.peerSilent(view)) {
    if (view.peerRole === "leader") return [{ why: "peer-leads", untilMs: null }];
    const granted = view.grantedUntilMs > view.nowMs ? view.grantedUntilMs : null;
    if (view.peerRole !== null) return [{ why: "election", untilMs: granted }];
  }
  const waits: Wait[] = [];
  if (!rules.peerSilent(view)) waits.push({ why: "peer-alive", untilMs: view.silentAtMs });
  if (!rules.promiseLapsed(view)) waits.push({ why: "promise", untilMs: view.promiseUntilMs });
  if (!rules.recordStoodStill(view)) waits.push(recordWait(view));
  return waits;
}

function recordWait(view: CampaignView): Wait {
  if (view.witness === "reachable") {
    return { why: "witness-record", untilMs: (view.recordSinceMs ?? view.nowMs) + view.waitMs };
  }
  const untilMs = view.blindAfterMs === null ? null : view.peerLastHeardMs + view.blindAfterMs;
  return { why: view.witness === "none" ? "no-witness" : "no-quorum", untilMs };
}
