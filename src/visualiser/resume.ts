/** Purpose: how a viewer that was cut off says what it has already, in the query of its request. */

/** Last seq that is known of each run. */
export type Cursors = ReadonlyMap<string, number>;

/** Runs that one viewer may name: the present and the last few of two engines. */
const MAX_CURSORS = 16;

/** Reads `after=RUN:SEQ`, as often as it stands there; what makes no sense is passed over. */
export function readCursors(query: URLSearchParams): Cursors {
  const cursors = new Map<string, number>();
  for (const text of query.getAll("after").slice(0, MAX_CURSORS)) {
    const [, run, seq] = /^([a-z0-9-]{1,64}):(\d{1,15})$/.exec(text) ?? [];
    if (run !== undefined && seq !== undefined) cursors.set(run, Number(seq));
  }
  return cursors;
}

/** The query for a viewer that knows `cursors`, with its question mark; empty when it knows nothing. */
export function resumeQuery(cursors: Cursors): string {
  const parts = [...cursors].map(([run, seq]) => `after=${encodeURIComponent(`${run}:${seq}`)}`);
  return parts.length === 0 ? "" : `?${parts.slice(-MAX_CURSORS).join("&")}`;
}
