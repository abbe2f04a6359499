/** Numbers and times as people read them. */

/** `45 ms`, `12.4 s`, `3 min 4 s`, `2 h 5 min`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1_000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** As `duration`, without what changes faster than it can be read. */
export function longDuration(ms: number): string {
  return ms < 60_000 ? `${Math.max(0, Math.floor(ms / 1_000))} s` : duration(ms);
}

/** Local wall clock to the millisecond; the virtual time of a simulation, which begins at zero, as seconds. */
export function clockTime(unixMs: number, isVirtual: boolean): string {
  if (isVirtual) return `${(unixMs / 1_000).toFixed(3)} s`;
  const date = new Date(unixMs);
  return `${date.toLocaleTimeString("en-GB")}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

export const thousands = (value: number): string => value.toLocaleString("en-US");
