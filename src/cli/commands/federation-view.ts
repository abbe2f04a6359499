/** The federation as text: this engine, a line for each peer, and what to do about those that fail. */
import type { FederationReport } from "../../http/routes/peers.ts";
import type { PeerStatus } from "../../replication/federation-peer.ts";
import { columns, plain } from "../output.ts";

const HEAD = ["peer", "endpoint", "mode", "version", "last seen", "cursor", "lag", "health"];
/** Of a cursor, its time and counter; the rest says whose log it is. */
const CURSOR_CHARS = 16;
const NOTHING = "-";

/** Lines of `changeover federation status`. */
export function federationText(report: FederationReport): string[] {
  const { name, engineId, version, mode, signatures, peers } = report;
  const about = [
    `${plain(name)} · ${plain(engineId)} · version ${plain(version)}`,
    `access ${accessText(report)}`,
    `mode ${mode}, signatures ${signatures}`,
    "",
  ];
  if (peers.length === 0) return [...about, "no peers"];
  const [bad, all] = [failing(report).length, peers.length];
  const sum = bad === 0 ? [] : ["", `${bad} of ${all} ${all === 1 ? "peer fails" : "peers fail"}`];
  return [...about, ...columns([HEAD, ...peers.map(row)]), ...peers.flatMap(hint), ...sum];
}

/** Peers that this engine asks and that something is wrong with. Who is paused is not asked: its last error is history. */
export function failing({ mode, peers }: FederationReport): readonly PeerStatus[] {
  return mode === "publish"
    ? []
    : peers.filter((peer) => peer.mode !== "paused" && (peer.health?.lastError ?? null) !== null);
}

/** Never the key: its fingerprint is what others pin. */
function accessText({ access, fingerprint }: FederationReport): string {
  const own = fingerprint === null ? "" : plain(fingerprint);
  return access === "open" ? `open${own === "" ? "" : `, own key ${own}`}` : `keyed ${own}`.trimEnd();
}

function row(peer: PeerStatus): string[] {
  const { version, versionSkew, lastSeen, cursor, lag } = peer;
  return [
    plain(peer.name),
    plain(peer.endpoint),
    peer.mode,
    version === null ? NOTHING : `${plain(version)}${versionSkew ? " (skew)" : ""}`,
    lastSeen ?? "never",
    cursor?.slice(0, CURSOR_CHARS) ?? NOTHING,
    lag === null ? NOTHING : `${lag}`,
    healthText(peer),
  ];
}

function healthText({ health, state }: PeerStatus): string {
  const error = health?.lastError ?? null;
  if (health === null || (error === null && health.lastSuccess === null)) return "none yet";
  if (error === null) return "good";
  const stands = state === "refused" ? ", stopped" : "";
  return `${error.reason} × ${health.consecutiveFailures}${stands}`;
}

function hint({ name, health, hint: told }: PeerStatus): string[] {
  const error = health?.lastError ?? null;
  if (error === null || told === null) return [];
  const at = error.eventId === undefined ? "" : ` at ${plain(error.eventId)}`;
  const trace = error.traceId === undefined ? "" : ` (its log: request ${plain(error.traceId)})`;
  return [`${plain(name)}: ${error.reason}${at}: ${told}${trace}`];
}
