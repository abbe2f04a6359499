/**
 * One engine's state as lines of text, for `status` and `watch`.
 * It does not know where the state came from, nor where the lines go.
 */
import type { CoordinatorState } from "../../coordinator/types.ts";
import { columns, duration, plain } from "../output.ts";

/** The one word that must be right: who is on air, and how sure. */
export function tally(state: CoordinatorState): string {
  const { role, mayAct, confirmedBy } = state;
  if (role === "leader" && mayAct) return confirmedBy === "none" ? "LEADER (unconfirmed)" : "LEADER";
  return role === "leader" ? "leader, may not act" : role;
}

/** The whole screen of `status`. */
export function stateLines(state: CoordinatorState): string[] {
  const { peer, maintenance } = state;
  const rows = [
    [
      "programme",
      `${plain(state.programSource) || "not said"} · health ${state.health} · up ${duration(state.uptimeMs)}`,
    ],
    ["sync", `${state.syncState} · commands ${state.lastCommandSeq}, executed ${state.lastExecutedSeq}`],
    ["votes", votesText(state)],
    [`peer ${peer.label}`, peerText(state)],
    ["links", linksText(state)],
    ["witness", witnessText(state)],
    ...waitingRows(state),
    ["maintenance", maintenance?.on ? `ON by ${plain(maintenance.by)}: ${plain(maintenance.reason)}` : "off"],
    ...plannedRows(state),
    ...alarmRows(state),
  ];
  const title = `${state.pair} · engine ${state.engineLabel} · ${tally(state)} · epoch ${state.epoch}`;
  return [`${title} · ${state.policy} · ${state.version}`, ...columns(rows.map((row) => ["", ...row]))];
}

/** What matters most, for a terminal that has no room for more. */
export function briefLines(state: CoordinatorState): string[] {
  const commands = `${state.syncState} · commands ${state.lastCommandSeq}`;
  const alarms = state.alarms.map(({ code }) => code).join(", ");
  return [
    `${state.engineLabel} · ${tally(state)} · epoch ${state.epoch} · ${commands}`,
    `  votes ${votesText(state)}`,
    `  alarms ${alarms === "" ? "none" : alarms}`,
  ];
}

function votesText({ role, votes, confirmedBy, peer }: CoordinatorState): string {
  if (role !== "leader") return "none needed";
  const left = (ms: number): string => (ms > 0 ? `${duration(ms)} left` : "none");
  const proof = peer.state === "dead" && votes.peerMs > 0 ? " by proof of death" : "";
  return `peer ${left(votes.peerMs)}${proof} · witness ${left(votes.witnessMs)} · confirmed by ${confirmedBy}`;
}

function peerText({ peer }: CoordinatorState): string {
  const parts = [
    peer.state,
    peer.role,
    peer.epoch === null ? null : `epoch ${peer.epoch}`,
    peer.syncState,
    peer.lastHeardMs === null ? "never heard" : `heard ${duration(peer.lastHeardMs)} ago`,
    peer.roundTripMs === null ? null : `round trip ${duration(peer.roundTripMs)}`,
    peer.lastCommandSeq === null ? null : `commands ${peer.lastCommandSeq}`,
    peer.refused > 0 ? `${peer.refused} frames refused` : null,
  ];
  return parts.filter((part) => part !== null).join(" · ");
}

function linksText({ peer }: CoordinatorState): string {
  return peer.links.map((link) => `${link.name} ${link.up ? "up" : "DOWN"}`).join(" · ") || "none";
}

function witnessText({ witness }: CoordinatorState): string {
  if (witness.kind === "none") return "none";
  const answers = witness.usable === false ? "UNUSABLE" : "reachable";
  const reach = witness.reachable === null ? "not asked yet" : witness.reachable ? answers : "UNREACHABLE";
  const holder = witness.holder === null ? "held by nobody" : `held by ${witness.holder} at epoch ${witness.epoch}`;
  return `${witness.kind} · ${reach} · ${holder}`;
}

function waitingRows(state: CoordinatorState): string[][] {
  const text = waitingText(state);
  return text === null ? [] : [["waits for", text]];
}

/** Why an engine does not take the role now, and until when; null: it waits for nothing. */
export function waitingText({ waiting }: CoordinatorState): string | null {
  const { reasons, untilMs } = waiting;
  if (reasons.length === 0) return null;
  const until = untilMs === null ? "" : ` until ${new Date(untilMs).toISOString().slice(11, 23)} UTC`;
  return `${reasons.map(plain).join(", ")}${until}`;
}

/** Moves of the role that were decided beforehand. An engine of an older version says nothing of them. */
function plannedRows(state: Partial<CoordinatorState>): string[][] {
  const { preferred = "none", switchBack, plannedHandover } = state;
  const planned = plannedHandover ?? null;
  return [
    ...(preferred === "none" || switchBack === undefined ? [] : [["preferred", preferredText(preferred, switchBack)]]),
    ...(planned === null
      ? []
      : [["planned", `handover at ${utc(planned.at)} by ${plain(planned.by)}: ${plain(planned.reason)}`]]),
  ];
}

function preferredText(preferred: string, { mode, waiting, dueAt }: CoordinatorState["switchBack"]): string {
  if (mode === "never") return `${preferred} · no switch-back`;
  const waits = waiting.length === 0 ? "" : ` · waits for ${waiting.map(plain).join(", ")}`;
  return `${preferred} · switch-back when ready${waits}${dueAt === null ? "" : ` until ${utc(dueAt)}`}`;
}

function utc(unixMs: number): string {
  return `${new Date(unixMs).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function alarmRows({ alarms }: CoordinatorState): string[][] {
  if (alarms.length === 0) return [["alarms", "none"]];
  return alarmLines(alarms).map((text, at) => [at === 0 ? "alarms" : "", text]);
}

/** Each alarm, and below it what to do. */
export function alarmLines(alarms: CoordinatorState["alarms"]): string[] {
  return alarms.flatMap(({ code, detail, remedy }) => [
    `! ${code}: ${plain(detail)}`,
    // An engine of an older version says none.
    ...(remedy ? [`  → ${plain(remedy)}`] : []),
  ]);
}
