/** What happened last, on both engines, in words. */
import type { Inspected } from "../inspected.ts";
import { changeWords } from "./state-paths.ts";
import { clockTime } from "./words.ts";

export function EventLog({
  entries,
  isVirtual,
}: {
  entries: readonly (Inspected & { engine: string })[];
  isVirtual: boolean;
}) {
  return (
    <section class="log" aria-label="What happened last">
      <h2>What happened last</h2>
      <ol>
        {entries.map((entry) => (
          <li key={`${entry.engine}${entry.atUnixMs}${entry.seq}`} class={entry.type}>
            <time>{clockTime(entry.atUnixMs, isVirtual)}</time>
            <b class={`tag ${entry.engine}`}>{entry.engine}</b>
            <span class="machine">{entry.machine}</span>
            <span class="event">
              {entry.type === "snapshot" ? "began" : entry.event}
              {entry.guard === undefined ? "" : ` [${entry.guard}]`}
            </span>
            <span class="change">{changeWords(entry)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
