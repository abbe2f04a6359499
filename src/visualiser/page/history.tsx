/** Who led when, and why. */
import type { EngineAt } from "./model.ts";
import { clockTime, duration, longDuration } from "./words.ts";

export function History({ engines, nowMs }: { engines: readonly EngineAt[]; nowMs: number }) {
  const lists = engines.flatMap(({ state }) => (state === null ? [] : [state.leadership]));
  const entries = [...(lists.sort((one, other) => (other[0]?.epoch ?? 0) - (one[0]?.epoch ?? 0))[0] ?? [])].slice(0, 8);
  return (
    <section class="history" aria-label="Leadership history">
      <h2>Leadership</h2>
      {entries.length === 0 ? (
        <p class="quiet">Nobody has led yet.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">epoch</th>
              <th scope="col">engine</th>
              <th scope="col">from</th>
              <th scope="col">for</th>
              <th scope="col">cause</th>
              <th scope="col">took</th>
            </tr>
          </thead>
          <tbody>
            {entries.map(({ epoch, leader, fromUnixMs, toUnixMs, cause, by, tookMs }) => (
              <tr key={epoch} class={toUnixMs === null ? "standing" : ""}>
                <td>{epoch}</td>
                <td>
                  <b class={`tag ${leader}`}>{leader}</b>
                </td>
                <td>{clockTime(fromUnixMs, false).split(".")[0]}</td>
                <td>{longDuration((toUnixMs ?? nowMs) - fromUnixMs)}</td>
                <td>
                  {cause}
                  {by === "automation" ? "" : ` by ${by}`}
                </td>
                <td>{duration(tookMs)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
