/**
 * The one answer to "may this engine campaign now, and if not, why and until when?" [CP1–CP7, DP1, VT7]. The chart's guard,
 * the timer of the next look, the alarms, `/ready` and `waiting` in the state all ask here. Pure: it only looks at a view.
 */
import type { AutomaticGround, CampaignVerdict, Wait, WaitVerdict } from "../../machines/leadership.machine.ts";
import type { CampaignView, Rules } from "./rules.ts";

/** Whether a campaign may begin at `view.nowMs`. */
export function campaignVerdict(view: CampaignView, rules: Rules): CampaignVerdict {
  const restraints = restraintsOn(view, rules);
  const ground = groundOf(view, rules);
  if (restraints.length === 0 && ground !== null) return { go: true, ground };
  return waiting([...restraints, ...(ground === null ? missingFor(view, rules) : [])]);
}

/** The last wait ends the whole; one with an open end leaves it open. */
function waiting(waits: readonly Wait[]): WaitVerdict {
  const instants = waits.map(({ untilMs }) => untilMs);
  return { go: false, waits, untilMs: instants.every((instant) => instant !== null) ? Math.max(...instants) : null };
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
    view.retryAtMs,
    view.patienceEndsMs ?? 0,
    view.blindAfterMs === null ? 0 : view.peerLastHeardMs + view.blindAfterMs,
  ].filter((at) => at > view.nowMs);
  return instants.length === 0 ? null : Math.min(...instants);
}

function restraintsOn(view: CampaignView, rules: Rules): readonly Wait[] {
  const waits: Wait[] = [];
  if (view.retired) waits.push({ why: "stopping", untilMs: null });
  if (view.handoverUnderWay) waits.push({ why: "handover", untilMs: null });
  if (view.nowMs < view.retryAtMs) waits.push({ why: "campaign-lost", untilMs: view.retryAtMs });
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
