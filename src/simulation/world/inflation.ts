/** A hostile site: every page that it gives is of more writers than a clock has room for. */
import { NodeDigest } from "../../adapters/basics.ts";
import { formatHlc } from "../../core/hlc.ts";
import type { Op } from "../../core/operation.ts";
import { MAX_CLOCK_ENTRIES } from "../../core/vector-clock.ts";
import { checksumOfOp } from "../../replication/record-log.ts";
import { WORLD_EPOCH_UNIX_MS } from "../ground/host-clock.ts";
import type { Served } from "./sync-ends.ts";

const PREFIX = "rec_madeup";

/** Writers that nobody is. */
export const MADE_UP_ORIGINS: readonly string[] = Array.from(
  { length: MAX_CLOCK_ENTRIES + 1 },
  (_, index) => `${PREFIX}${index + 1}`,
);

let madeUp: readonly Op[] | null = null;

export function isMadeUp(origin: string): boolean {
  return origin.startsWith(PREFIX);
}

/** `hub`, but for its pages; whoever asks who is there is told the truth. */
export function inflated(hub: Served): Served {
  return {
    serves: hub.serves,
    identity: (challenge) => hub.identity(challenge),
    compare: (caller, heads) => hub.compare(caller, heads),
    push: (caller, ops, base) => hub.push(caller, ops, base),
    pull: (request) => {
      madeUp ??= MADE_UP_ORIGINS.map(opOf);
      return { ...hub.pull(request), ops: madeUp };
    },
  };
}

/** One that nothing else speaks against. */
function opOf(origin: string): Op {
  const hlc = formatHlc({ unixMs: WORLD_EPOCH_UNIX_MS, counter: 0, origin });
  const made = { origin, originSeq: 1, hlc, epoch: 0, kind: "set" as const, entity: "macro", field: origin };
  const unsigned = { ...made, payload: 1, clock: { [origin]: 1 } };
  return { ...unsigned, checksum: checksumOfOp(new NodeDigest(), unsigned) };
}
