/** The heartbeats of one engine as a strip of the last half minute: round trip, and every one that was missed. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { CoordinatorState } from "../../coordinator/types.ts";
import type { ShownSettings } from "../inspected.ts";
import { type HeartSample, STRIP_SAMPLES } from "./model.ts";
import { duration } from "./words.ts";

interface Props {
  readonly label: string;
  readonly heart: readonly HeartSample[];
  readonly state: CoordinatorState;
  readonly settings: ShownSettings;
  readonly isLive: boolean;
}

const HEIGHT = 46;
/** Heartbeats may come this much late before one counts as missed. */
const TOLERANCE = 1.5;

export function HeartbeatStrip({ label, heart, state, settings, isLive }: Props) {
  const { roundTripMs, lastHeardMs, links } = state.peer;
  const missesAfterMs = settings.heartbeatMs * TOLERANCE;
  const misses = heart.filter((sample) => sample.lastHeardMs === null || sample.lastHeardMs > missesAfterMs).length;
  const told = roundTripMs === null ? "no round trip yet" : `${roundTripMs.toFixed(1)} ms round trip`;
  return (
    <div class="panel heart">
      <h3>Heartbeats</h3>
      <div
        class="strip"
        role="img"
        aria-label={`Heartbeats heard by engine ${label}: ${told}, ${misses} looks without one in the last 30 s`}
      >
        {isLive && <Strip heart={heart} missesAfterMs={missesAfterMs} />}
      </div>
      <dl class="numbers">
        <div>
          <dt>round trip</dt>
          <dd>{roundTripMs === null ? "–" : `${roundTripMs.toFixed(1)} ms`}</dd>
        </div>
        <div>
          <dt>heard</dt>
          <dd>{lastHeardMs === null ? "never" : `${duration(lastHeardMs)} ago`}</dd>
        </div>
        <div>
          <dt>missed</dt>
          <dd class={misses > 0 ? "warn" : ""}>{misses}</dd>
        </div>
      </dl>
      <ul class="links" aria-label="Links">
        {links.map(({ name, up }) => (
          <li key={name} class={up ? "up" : "down"}>
            {name} {up ? "up" : "down"}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Strip({ heart, missesAfterMs }: { heart: readonly HeartSample[]; missesAfterMs: number }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  useEffect(() => {
    const root = place.current;
    if (root === null) return;
    const made = new uPlot(optionsFor(root), dataOf([], missesAfterMs), root);
    plot.current = made;
    const fit = new ResizeObserver(() => made.setSize({ width: Math.max(80, root.clientWidth), height: HEIGHT }));
    fit.observe(root);
    return () => {
      fit.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, []);
  useEffect(() => plot.current?.setData(dataOf(heart, missesAfterMs)), [heart, missesAfterMs]);
  return <div class="plot" ref={place} aria-hidden="true" />;
}

/** The newest at the right edge, however few there are. */
function dataOf(heart: readonly HeartSample[], missesAfterMs: number): uPlot.AlignedData {
  const times = Array.from({ length: STRIP_SAMPLES }, (_, at) => at);
  const padded = [...Array.from({ length: STRIP_SAMPLES - heart.length }, () => null), ...heart];
  const trips = padded.map((sample) => sample?.roundTripMs ?? null);
  const top = Math.max(4, ...trips.map((trip) => trip ?? 0));
  const misses = padded.map((sample) => {
    if (sample === null) return null;
    return sample.lastHeardMs === null || sample.lastHeardMs > missesAfterMs ? top * 1.15 : null;
  });
  return [times, trips, misses];
}

function optionsFor(root: HTMLElement): uPlot.Options {
  const colour = (name: string) => () => getComputedStyle(root).getPropertyValue(name).trim();
  return {
    width: Math.max(80, root.clientWidth),
    height: HEIGHT,
    padding: [2, 0, 2, 0],
    cursor: { show: false },
    legend: { show: false },
    axes: [{ show: false }, { show: false }],
    scales: {
      x: { time: false, range: [0, STRIP_SAMPLES - 1] },
      y: { range: (_plot, _low, high) => [0, Math.max(4, (high || 4) * 1.2)] },
    },
    series: [
      {},
      { stroke: colour("--good"), width: 1.5, points: { show: false }, spanGaps: false },
      {
        stroke: colour("--bad"),
        fill: colour("--bad"),
        paths: uPlot.paths.bars?.({ size: [1, 4] }) ?? null,
        points: { show: false },
      } as uPlot.Series,
    ],
  };
}
