/** A round as one SVG: who led and when, the faults, what became of each command, and when the machine stood still. */
import { type Answer, isUncertain, type Order } from "./clients.ts";
import type { Evidence } from "./evidence.ts";
import type { Played } from "./faults.ts";
import type { Sample } from "./recorder.ts";
import { describeFault } from "./schedule.ts";

const WIDTH = 1_000;
const LEFT = 70;
const RIGHT = 10;
const LANE = 22;
/** Samples further apart than this leave the time between them open: nobody answered. */
const GAP_MS = 60;
const MOST_TICKS = 20;
/** A shorter stall of the machine says nothing. */
const WORTH_SHOWING_MS = 30;
const COLORS = { leader: "#2e7d32", candidate: "#f9a825", follower: "#90a4ae" } as const;
const COMMANDS = [
  { name: "pair", color: "#2e7d32" },
  { name: "local", color: "#f9a825" },
  { name: "refused", color: "#c62828" },
  { name: "unknown", color: "#6a1b9a" },
] as const;

interface Span {
  readonly label: string;
  readonly fill: string;
  readonly epoch: number;
  readonly acts: boolean;
  readonly fromMs: number;
  untilMs: number;
}

export function timelineSvg({ plan, samples, played, orders, healedMs, readyMs, stalls }: Evidence): string {
  const begin = Math.min(...samples.map(({ sentMs }) => sentMs), healedMs) - 50;
  const end = Math.max(...samples.map(({ answeredMs }) => answeredMs), healedMs) + 50;
  const x = (ms: number): string =>
    (LEFT + ((Math.min(ms, end) - begin) / (end - begin)) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const parts: string[] = [];
  const text = (at: string | number, y: number, words: string, more = ""): void => {
    parts.push(`<text x="${at}" y="${y}"${more}>${escape(words)}</text>`);
  };
  let y = 16;
  text(4, y, `seed ${plan.seed}, ${plan.policy}, ${plan.witness}, ${plan.engine} engine`, ' font-weight="bold"');
  for (const fault of played) {
    y += LANE;
    bar(parts, x, y, fault);
    text(4, y + 13, "fault");
    text(x(fault.beganMs), y + 13, describeFault(fault.step.fault, fault.label));
  }
  for (const label of ["a", "b"] as const) {
    y += LANE + 4;
    text(4, y + 13, `engine ${label}`);
    for (const span of spansOf(samples.filter((sample) => sample.label === label))) drawSpan(parts, x, y, span);
  }
  y += LANE + 4;
  text(4, y + 13, "commands");
  drawCommands(parts, x, y, orders);
  y += LANE + 4;
  text(4, y + 13, "machine");
  const still = stalls.filter(({ lastedMs }) => lastedMs >= WORTH_SHOWING_MS);
  for (const { untilMs, lastedMs } of still) {
    const width = Number(x(untilMs)) - Number(x(untilMs - lastedMs));
    parts.push(`<rect x="${x(untilMs - lastedMs)}" y="${y}" width="${width.toFixed(1)}" height="18" fill="#bdbdbd"/>`);
  }
  y += LANE + 4;
  for (const [name, ms] of [
    ["healed", healedMs],
    ["ready", readyMs],
  ] as const) {
    if (ms === null) continue;
    parts.push(`<path d="M${x(ms)} 24V${y}" stroke="#000" stroke-dasharray="3"/>`);
    text(x(ms), name === "healed" ? y + 10 : y + 22, name);
  }
  const everySeconds = Math.ceil((end - begin) / 1_000 / MOST_TICKS);
  for (let second = 0; begin + second * 1_000 < end; second += everySeconds)
    text(x(begin + second * 1_000), y + 36, `${second} s`);
  y += 44;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 16}" font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="#fff"/>${parts.join("")}${legend(y)}</svg>\n`;
}

type Scale = (ms: number) => string;

function bar(parts: string[], x: Scale, y: number, { beganMs, endedMs }: Played): void {
  const width = Math.max(2, Number(x(endedMs)) - Number(x(beganMs))).toFixed(1);
  parts.push(`<rect x="${x(beganMs)}" y="${y}" width="${width}" height="16" fill="#ffcdd2" stroke="#c62828"/>`);
}

function drawSpan(parts: string[], x: Scale, y: number, { fill, fromMs, untilMs, epoch, acts }: Span): void {
  const width = Math.max(0.5, Number(x(untilMs)) - Number(x(fromMs)));
  parts.push(`<rect x="${x(fromMs)}" y="${y}" width="${width.toFixed(1)}" height="18" fill="${fill}"/>`);
  if (acts && width > 14) parts.push(`<text x="${x(fromMs)}" y="${y + 13}" fill="#fff"> ${epoch}</text>`);
}

function drawCommands(parts: string[], x: Scale, y: number, orders: readonly Order[]): void {
  const answers = orders.flatMap((order) => order.answers);
  for (const [at, { name, color }] of COMMANDS.entries()) {
    const own = answers.filter((answer) => fateOf(answer) === name);
    const ticks = own.map(({ answeredMs }) => `M${x(answeredMs)} ${y + at * 5}v4`);
    parts.push(`<path d="${ticks.join("")}" stroke="${color}"/>`);
  }
}

/** What the sample says, while the next one says the same and comes soon. */
function spansOf(samples: readonly Sample[]): readonly Span[] {
  const spans: Span[] = [];
  const sorted = [...samples].sort((one, other) => one.answeredMs - other.answeredMs);
  for (const { acts, role, epoch, answeredMs, label } of sorted) {
    const fill = acts
      ? COLORS.leader
      : role === "candidate"
        ? COLORS.candidate
        : role === "leader"
          ? "#a5d6a7"
          : COLORS.follower;
    const last = spans.at(-1);
    const goesOn = last !== undefined && answeredMs - last.untilMs < GAP_MS;
    if (goesOn) last.untilMs = answeredMs;
    if (goesOn && last.fill === fill && last.epoch === epoch) continue;
    spans.push({ label, fill, epoch, acts, fromMs: answeredMs, untilMs: answeredMs });
  }
  return spans;
}

function fateOf(answer: Answer): (typeof COMMANDS)[number]["name"] {
  if (answer.status === 200) return answer.durability ?? "local";
  return isUncertain(answer) ? "unknown" : "refused";
}

function legend(y: number): string {
  const items: readonly (readonly [string, string])[] = [
    ["may act, with its epoch", COLORS.leader],
    ["leads, may not act", "#a5d6a7"],
    ["candidate", COLORS.candidate],
    ["follower", COLORS.follower],
    ["machine held up", "#bdbdbd"],
    ...COMMANDS.map(({ name, color }) => [`command: ${name}`, color] as const),
  ];
  let left = LEFT;
  return items
    .map(([name, color]) => {
      const at = left;
      left += 22 + name.length * 4.6;
      return `<rect x="${at}" y="${y}" width="8" height="8" fill="${color}"/><text x="${at + 11}" y="${y + 8}" font-size="9">${name}</text>`;
    })
    .join("");
}

function escape(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
