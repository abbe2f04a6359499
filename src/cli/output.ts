/**
 * How answers look: plain text for people, JSON for programs.
 * Nothing that came from outside can move the cursor or colour the terminal.
 */

/** Writes one line to standard output. */
export function line(text = ""): void {
  process.stdout.write(`${text}\n`);
}

/** Writes a value as JSON. */
export function json(value: unknown): void {
  line(JSON.stringify(value, null, 2));
}

/** Text from outside without control characters. */
export function plain(text: string): string {
  return text.replace(/\p{Cc}/gu, "�");
}

/** Rows as columns, each as wide as its widest cell; the last one is not padded. */
export function columns(rows: readonly (readonly string[])[], gap = "  "): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, cell.length)));
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join(gap)
      .trimEnd(),
  );
}

/** A span of time in the largest units that say enough: `3 h 12 min`, `12.4 s`, `45 ms`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Number(ms.toFixed(ms < 10 ? 1 : 0))} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A wall-clock stamp in UTC, to the millisecond. */
export function stamp(unixMs: number): string {
  return new Date(unixMs).toISOString().replace("T", " ").replace("Z", "");
}
