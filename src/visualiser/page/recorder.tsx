/**
 * The way back in time: a slider over everything that is recorded, and steps from change to change.
 * The slider counts from the first moment: browsers keep 15 digits of its value, too few for unix time to the µs.
 */
import type { Model } from "./model.ts";
import { clockTime, longDuration } from "./words.ts";

interface Props {
  readonly model: Model;
  /** null: at the end, which moves on. */
  readonly atMs: number | null;
  readonly onMove: (atMs: number | null) => void;
  readonly isVirtual: boolean;
  readonly endWord: string;
}

export function Recorder({ model, atMs, onMove, isVirtual, endWord }: Props) {
  const span = model.span();
  const { fromMs, toMs } = span ?? { fromMs: 0, toMs: 1 };
  const shownMs = atMs ?? toMs;
  const step = (direction: 1 | -1): void => {
    const next = model.stepFrom(shownMs, direction);
    if (next !== null) onMove(next);
  };
  return (
    <nav class={`recorder ${atMs === null ? "" : "back"}`} aria-label="Recorder">
      <button type="button" onClick={() => step(-1)} disabled={span === null} aria-label="Previous change">
        ◀
      </button>
      <input
        type="range"
        aria-label="Moment that is shown"
        min={0}
        max={toMs - fromMs}
        data-from={fromMs}
        step="any"
        value={shownMs - fromMs}
        disabled={span === null}
        aria-valuetext={span === null ? "nothing recorded" : clockTime(shownMs, isVirtual)}
        onInput={({ currentTarget }) => onMove(fromMs + Number(currentTarget.value))}
      />
      <button type="button" onClick={() => step(1)} disabled={span === null || atMs === null} aria-label="Next change">
        ▶
      </button>
      <output>
        {span === null ? "nothing yet" : clockTime(shownMs, isVirtual)}
        <span class="behind">{atMs === null ? "" : ` −${longDuration(toMs - atMs)}`}</span>
      </output>
      <button type="button" class="live" aria-pressed={atMs === null} onClick={() => onMove(null)}>
        {endWord}
      </button>
    </nav>
  );
}
