/** Purpose: joins replication to one coordinator: its clock, its peer, its alarms and events. */
import type { Kit } from "../actors/kit.ts";
import type { Epoch } from "../core/epoch.ts";
import type { EngineId } from "../core/ids.ts";
import type { PeerMessage } from "../core/messages.ts";
import type { Op } from "../core/operation.ts";
import type { Clock } from "../ports/clock.ts";
import { HINTS } from "../replication/reasons.ts";
import { Replication } from "../replication/replication.ts";

/** Between two exchanges with the hub, unless set. */
const HUB_INTERVAL_MS = 30_000;
/** Conflicts that are counted for the alarm. */
const CONFLICTS_COUNTED = 1_000;

export function joinReplication(
  kit: Kit,
  pair: { epoch(): Epoch; send(message: PeerMessage): boolean; peerId(): EngineId | null; recorded(op: Op): void },
): Replication {
  const { ports, options, alarms } = kit;
  const { mode, hubIntervalMs } = options.replication ?? { mode: "sync", hubIntervalMs: HUB_INTERVAL_MS };
  const { inspect } = options;
  const count = oncePerTurn(ports.clock, () => {
    const open = ports.store.conflicts(CONFLICTS_COUNTED).filter((one) => one.outcome === "open").length;
    alarms.set("conflicts-open", open > 0, `${open} conflicts wait for a person`);
  });
  return new Replication(
    inspect === undefined ? ports : { ...ports, inspect },
    { hubId: options.pair, version: options.version, mode, hubIntervalMs },
    {
      ...pair,
      stamps: kit.stamps,
      appended: (op) => pair.recorded(op),
      committed: (ops, via) => {
        for (const op of ops) kit.emit({ type: "record", op, via });
      },
      conflict: (conflict) => {
        kit.emit({ type: "conflict", conflict });
        count();
      },
      alarm: (code, detail) => alarms.raise(code, detail),
      hubExchanged: (result) => {
        const failed = result.outcome === "failed";
        alarms.set("hub-unreachable", failed, failed ? `${result.reason}: ${HINTS[result.reason]}` : "");
      },
    },
  );
}

/** `work` once for however many calls in one turn; what it throws is of no more use than its result. */
function oncePerTurn(clock: Clock, work: () => void): () => void {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    clock.soon(() => {
      due = false;
      try {
        work();
      } catch {
        // The store was closed in between.
      }
    });
  };
}
