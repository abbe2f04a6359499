/**
 * What `watch` shows, as lines of text.
 * It does not know the terminal.
 */
import type { CoordinatorState } from "../../coordinator/types.ts";
import { plain } from "../output.ts";
import { briefLines, stateLines, tally } from "./state-view.ts";

/** One engine at one moment. */
export interface Seen {
  readonly url: string;
  /** null: it did not answer. */
  readonly state: CoordinatorState | null;
  readonly problem: string | null;
  /** How long ago its peer was last heard at each look, ms, the newest last; null: not known. */
  readonly heartbeats: readonly (number | null)[];
}

/** Looks that are kept: half a minute. */
const MAX_SAMPLES = 150;

/** The last looks at one engine's heartbeats. */
export class Track {
  readonly #samples: (number | null)[] = [];

  get samples(): readonly (number | null)[] {
    return this.#samples;
  }

  add(lastHeardMs: number | null): void {
    this.#samples.push(lastHeardMs);
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
  }
}

/** The whole picture, no line wider than `columns`; the brief one where it would be more than `rows`. */
export function watchLines(seen: readonly Seen[], columns: number, rows = Infinity): string[] {
  const whole = picture(seen, columns, stateLines);
  const lines = whole.length <= rows ? whole : picture(seen, columns, briefLines).filter((text) => text !== "");
  return lines.map((text) => cut(text, columns));
}

function picture(seen: readonly Seen[], columns: number, linesOf: (state: CoordinatorState) => string[]): string[] {
  const lines = [headline(seen)];
  for (const { url, state, problem, heartbeats } of seen) {
    if (state === null) lines.push("", `${url} · NO ANSWER`, `  ${plain(problem ?? "")}`);
    else lines.push("", ...linesOf(state));
    lines.push(`  heartbeats  ${sparkline(heartbeats.slice(-Math.max(10, columns - 20)))}`);
  }
  return lines;
}

/** Who is on air: the one thing to see from across the room. */
function headline(seen: readonly Seen[]): string {
  const states = seen.flatMap(({ state }) => (state === null ? [] : [state]));
  const onAir = states.filter(({ mayAct }) => mayAct);
  const names = onAir.map(({ engineLabel, epoch }) => `${engineLabel} (epoch ${epoch})`).join(" AND ");
  const gap = onAir.length > 0 ? gapText(states) : "";
  return onAir.length === 0 ? "ON AIR: NOBODY" : `ON AIR: ${names}${gap}`;
}

function gapText(states: readonly CoordinatorState[]): string {
  const [one, other] = states.map(({ lastCommandSeq }) => lastCommandSeq);
  return one === undefined || other === undefined
    ? ""
    : ` · commands ${one} and ${other}, gap ${Math.abs(one - other)}`;
}

const BARS = "▁▂▃▄▅▆▇█";
/** Silence that fills the bar: by default a lease. */
const FULL_MS = 600;

/** One sign a look: the higher, the longer the peer has been silent; `×`: nothing is known. */
export function sparkline(samples: readonly (number | null)[]): string {
  return samples.map((ms) => (ms === null ? "×" : (BARS[Math.min(7, Math.floor((ms / FULL_MS) * 8))] ?? "×"))).join("");
}

/** One engine in one line, without what changes all the time. */
export function changeLine({ url, state }: Seen): string {
  if (state === null) return `${url} no answer`;
  const alarms = state.alarms.map(({ code }) => code).join(", ");
  const peer = `peer ${state.peer.state}, ${state.peer.role ?? "role not known"}`;
  const told = `${state.pair} engine ${state.engineLabel}: ${tally(state)}, epoch ${state.epoch}, ${state.syncState}, ${peer}`;
  return `${told}, ${alarms === "" ? "no alarms" : `alarms ${alarms}`}`;
}

function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}
