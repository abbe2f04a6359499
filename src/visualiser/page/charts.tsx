/** The statecharts of both engines side by side, where each stands, and how it came there. */
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Json } from "../../core/canonical-json.ts";
import { chartOf, type Inspected, type RunningDelay } from "../inspected.ts";
import type { EngineAt } from "./model.ts";
import { activePaths, changeWords, isTaken, stateWords } from "./state-paths.ts";
import { clockTime, duration, longDuration } from "./words.ts";

const files = import.meta.glob<string>("../../../docs/images/machines/*.svg", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** The drawings, without their own colours: the page has its own. */
const drawings = new Map(
  Object.entries(files).map(([path, svg]) => [
    path.replace(/^.*\/|\.svg$/g, ""),
    svg.replace(/<style>[^]*?<\/style>/, ""),
  ]),
);
const ORDER = [
  "pair",
  "leadership",
  "peer-link",
  "witness-vote",
  "handover",
  "catch-up",
  "reconcile-lock",
  "split-brain",
  "engine",
];
/** An engine without a hub, a federation or a feed has no chart for them. */
const OPTIONAL = ["sync-peer", "outbox-pump"];
const INDENT_PX = 12;
const OPEN_AT_FIRST = ["leadership", "peer-link", "witness-vote"];

/** The actor tree: each chart below the one that starts it, which its drawing names. */
const tree = branch(null, 0);

function branch(parent: string | null, depth: number): { readonly name: string; readonly depth: number }[] {
  const children = [...drawings.keys()].filter((name) => parentOf(name) === parent);
  return children
    .sort((one, other) => rank(one) - rank(other))
    .flatMap((name) => [{ name, depth }, ...branch(name, depth + 1)]);
}

function parentOf(name: string): string | null {
  return /^<svg [^>]*data-parent="([^"]+)"/.exec(drawings.get(name) ?? "")?.[1] ?? null;
}

function rank(name: string): number {
  const at = ORDER.indexOf(name);
  return at < 0 ? ORDER.length : at;
}

interface Props {
  readonly engines: readonly EngineAt[];
  readonly nowMs: number;
  readonly isVirtual: boolean;
}

export function Charts(props: Props) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set(OPEN_AT_FIRST));
  const shown = tree.filter(
    ({ name }) => !OPTIONAL.includes(name) || props.engines.some(({ values }) => values[name] !== undefined),
  );
  const allOpen = shown.every(({ name }) => open.has(name));
  return (
    <section class="charts" aria-label="Statecharts">
      <header>
        <h2>Statecharts</h2>
        <ul class="legend" aria-label="What the colours mean">
          <li>
            <i class="is-active" /> active state
          </li>
          <li>
            <i class="is-air" /> leads
          </li>
          <li>
            <i class="is-taken" /> last transition
          </li>
          <li>
            <i class="is-dim" /> not reachable, as last seen
          </li>
        </ul>
        <button type="button" onClick={() => setOpen(new Set(allOpen ? [] : shown.map(({ name }) => name)))}>
          {allOpen ? "Close all" : "Open all"}
        </button>
      </header>
      {shown.map(({ name, depth }) => (
        <Row
          key={name}
          name={name}
          depth={depth}
          {...props}
          isOpen={open.has(name)}
          onToggle={(isOpen) =>
            setOpen((before) => new Set(isOpen ? [...before, name] : [...before].filter((one) => one !== name)))
          }
        />
      ))}
    </section>
  );
}

interface RowProps extends Props {
  readonly name: string;
  /** How many charts stand above it in the actor tree. */
  readonly depth: number;
  readonly isOpen: boolean;
  readonly onToggle: (isOpen: boolean) => void;
}

function Row({ name, depth, engines, nowMs, isVirtual, isOpen, onToggle }: RowProps) {
  return (
    <details
      class="chart-row"
      open={isOpen}
      onToggle={({ currentTarget }) => {
        if (currentTarget.open !== isOpen) onToggle(currentTarget.open);
      }}
    >
      <summary>
        <span class="machine" style={{ paddingLeft: `${depth * INDENT_PX}px` }}>
          {depth > 0 && <i class="below">└ </i>}
          {name}
        </span>
        {engines.map((engine) => (
          <span key={engine.label} class="now">
            <b>{engine.label}</b> <Now engine={engine} name={name} />
          </span>
        ))}
      </summary>
      {isOpen && (
        <div class="pair-of-charts">
          {engines.map((engine) => (
            <figure key={engine.label} class={engine.reachable ? "" : "dim"}>
              <Chart engine={engine.label} name={name} value={engine.values[name]} last={engine.last[name]} />
              <figcaption>{lastWords(engine.last[name], nowMs, isVirtual)}</figcaption>
            </figure>
          ))}
        </div>
      )}
    </details>
  );
}

/** Where one chart stands, the step that it has begun, and what is left of each delay that runs. */
function Now({ engine: { values, state, reachable }, name }: { engine: EngineAt; name: string }) {
  // A chart that somebody starts and ends again is not there in between.
  const { actors = [] } = state ?? {};
  const own = actors.find((actor) => chartOf(actor.name) === name);
  if (!reachable || own === undefined) return <>{stateWords(values[name])}</>;
  const steps = actors.filter(({ parent, value }) => parent === name && value === null);
  return (
    <>
      {stateWords(values[name])}
      {steps.map((step) => (
        <span key={step.name} class="step" title={`${step.name} is under way`}>
          {step.name}
        </span>
      ))}
      {own.delays.map((delay) => (
        <Delay key={`${delay.state}/${delay.name}`} {...delay} />
      ))}
    </>
  );
}

function Delay({ name, state, leftMs, ofMs }: RunningDelay) {
  const left = leftMs < 10_000 ? `${(leftMs / 1_000).toFixed(1)} s` : longDuration(leftMs);
  const share = ofMs === 0 ? 0 : Math.min(1, leftMs / ofMs);
  return (
    <span class="delay" data-delay={name} title={`after ${name} in ${state}: ${left} of ${duration(ofMs)} left`}>
      <i style={{ transform: `scaleX(${share})` }} />
      {name} {left}
    </span>
  );
}

function lastWords(last: Inspected | undefined, nowMs: number, isVirtual: boolean) {
  if (last === undefined) return <span class="quiet">nothing has happened yet</span>;
  const guard = last.guard === undefined ? "" : ` [${last.guard}]`;
  const name = last.type === "snapshot" ? "began" : `${last.event}${guard}`;
  return (
    <>
      <b class="last-event">{name}</b> {changeWords(last)}{" "}
      <span class="age">
        {isVirtual ? clockTime(last.atUnixMs, true) : `${longDuration(nowMs - last.atUnixMs)} ago`}
      </span>
    </>
  );
}

interface ChartProps {
  readonly engine: string;
  readonly name: string;
  readonly value: Json | undefined;
  readonly last: Inspected | undefined;
}

/** One drawing; what is active and what was taken last are classes on its elements, lit in the frame that tells of them. */
function Chart({ engine, name, value, last }: ChartProps) {
  const root = useRef<HTMLDivElement>(null);
  const svg = useMemo(() => {
    const drawing = drawings.get(name) ?? "";
    // Both engines' drawings stand in one document: ids are told apart by the engine.
    return drawing
      .replace(/ (id|aria-labelledby)="/g, ` $1="${engine}:`)
      .replace(">Statechart ", `>Engine ${engine}, statechart `);
  }, [engine, name]);
  const text = JSON.stringify(value);
  useLayoutEffect(() => {
    const active = new Set(activePaths(value));
    for (const state of root.current?.querySelectorAll<SVGGElement>(".state") ?? []) {
      state.classList.toggle("active", active.has(state.dataset["path"] ?? ""));
    }
    bringIntoView(root.current);
  }, [text, svg]);
  useLayoutEffect(() => {
    for (const edge of root.current?.querySelectorAll<SVGGElement>(".edge") ?? []) {
      let anyTaken = false;
      for (const hop of edge.querySelectorAll<SVGTextElement>(".hop")) {
        const { event = "", from = "", to = "" } = hop.dataset;
        const taken = last !== undefined && isTaken({ event, from, to }, last);
        hop.classList.toggle("taken", taken);
        anyTaken ||= taken;
      }
      edge.classList.toggle("taken", anyTaken);
      if (anyTaken) edge.parentElement?.append(edge);
    }
    // After which event the drawing stands as it stands.
    root.current?.setAttribute("data-seq", String(last?.seq ?? 0));
  }, [last, svg]);
  return (
    <div
      class="chart"
      ref={root}
      dangerouslySetInnerHTML={{ __html: svg }}
      tabIndex={0}
      role="group"
      aria-label={`Engine ${engine}, ${name}: ${stateWords(value)}`}
    />
  );
}

/** Where a drawing is wider than its place, the first active state is moved to the middle of it. */
function bringIntoView(place: HTMLElement | null): void {
  const active = place?.querySelector(".leaf.active");
  if (!place || !active || place.scrollWidth <= place.clientWidth) return;
  const [outer, inner] = [place.getBoundingClientRect(), active.getBoundingClientRect()];
  place.scrollLeft += inner.left + inner.width / 2 - (outer.left + outer.width / 2);
}
