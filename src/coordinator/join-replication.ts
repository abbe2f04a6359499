/** Joins replication to one coordinator: its clock, its peer, its alarms and events. */
import type { Kit } from "../actors/kit.ts";
import type { Epoch } from "../core/epoch.ts";
import { MAX_DRIFT_MS } from "../core/hlc.ts";
import type { EngineId } from "../core/ids.ts";
import type { PeerMessage } from "../core/messages.ts";
import type { Op } from "../core/operation.ts";
import type { Clock, ClockReading } from "../ports/basics.ts";
import { toldTroubles } from "../replication/federation.ts";
import type { Progress } from "../replication/exchange.ts";
import { HINTS } from "../replication/reasons.ts";
import { Replication } from "../replication/replication.ts";
import type { Succession } from "../actors/succession.ts";
import { DEFAULT_OUTBOX } from "../core/settings.ts";
import { Outbox } from "../outbox/outbox.ts";

/** Between two exchanges with the hub, unless set. */
const HUB_INTERVAL_MS = 30_000;
/** Exchanges that must fail one after another before it is told. */
const FAILURES_TOLD = 3;
/** Conflicts that are counted for the alarm. */
const CONFLICTS_COUNTED = 1_000;

export function joinReplication(
  kit: Kit,
  pair: { epoch(): Epoch; send(message: PeerMessage): boolean; peerId(): EngineId | null; recorded(op: Op): void },
): Replication {
  const { ports, options, alarms } = kit;
  const settings = options.replication ?? { mode: "sync", hubIntervalMs: HUB_INTERVAL_MS };
  const { inspect } = options;
  /** How many exchanges in a row left something out, and what; null: the last one did not. */
  let outOfStep: { readonly times: number; readonly refused: Progress["refused"] } | null = null;
  const count = oncePerTurn(ports.clock, () => {
    const open = ports.store.conflicts(CONFLICTS_COUNTED).filter((one) => one.outcome === "open").length;
    alarms.set("conflicts-open", open > 0, `${open} conflicts wait for a person`);
  });
  return new Replication(
    { ...ports, rules: kit.rules, root: kit.root, ...(inspect === undefined ? {} : { inspect }) },
    { hubId: options.pair, version: options.version, ...settings },
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
      clockIsRight: () => isDisciplined(ports.clockSource?.reading() ?? null),
      settled: () => {
        if (!alarms.stands("op-dead-letter")) return;
        const dead = ports.store.replica.ops.allSetAside(1).some((note) => note.dead);
        if (!dead) alarms.clear("op-dead-letter");
      },
      hubExchanged: (result) => {
        const failed = result.outcome === "failed";
        alarms.set("hub-unreachable", failed, failed ? `${result.reason}: ${HINTS[result.reason]}` : "");
        if (failed) return;
        const { refused, stalled } = result.progress;
        outOfStep =
          refused === null && !stalled
            ? null
            : { times: (outOfStep?.times ?? 0) + 1, refused: refused ?? outOfStep?.refused ?? null };
        alarms.set(
          "hub-out-of-step",
          (outOfStep?.times ?? 0) >= FAILURES_TOLD,
          outOfStepText(outOfStep?.refused ?? null),
        );
      },
      federationChanged: (troubles) => {
        const refused = troubles.filter((peer) => peer.refused);
        alarms.set("federation-refused", refused.length > 0, toldTroubles(refused));
        const failing = troubles.filter((peer) => !peer.refused && peer.failures >= FAILURES_TOLD);
        alarms.set("federation-failing", failing.length > 0, toldTroubles(failing));
      },
    },
  );
}

function outOfStepText(refused: Progress["refused"]): string {
  if (refused === null) return "something is held back, because an earlier operation of its writer has not come";
  const { op, reason } = refused;
  return `${op} was refused: ${reason}: ${HINTS[reason]}`;
}

/** Whether a clock source has this engine's wall clock under control. */
function isDisciplined(reading: ClockReading | null): boolean {
  if (reading === null || (reading.mode !== "ptp" && reading.mode !== "ntp")) return false;
  return Math.abs(reading.offsetNs) <= MAX_DRIFT_MS * 1e6;
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

// Joins the outbox to one coordinator: when it may publish, and whom it tells.

export function joinOutbox(
  kit: Kit,
  pair: { readonly succession: Succession; answeredSeq(): number; send(message: PeerMessage): boolean },
): Outbox {
  const { ports, options, alarms } = kit;
  const { book, leadership } = pair.succession;
  const leads = (): boolean => leadership.role === "leader";
  return new Outbox(
    { ...ports, sink: ports.sink ?? null, host: kit },
    { ...DEFAULT_OUTBOX, ...options.outbox, tenantId: options.pair },
    {
      leads,
      mayPublish: () => (leadership.mayAct() ? book.accepted : null),
      mayWriteBack: (epoch) => leads() && kit.rules.writesBack(epoch, book.accepted),
      answeredSeq: () => pair.answeredSeq(),
      tellPeer: (marks, feedId) =>
        void pair.send({ type: "outbox-marks", epoch: book.accepted, marks, ...(feedId === null ? {} : { feedId }) }),
      published: ({ stackId, published: events, duplicates, latencyMs }) => {
        if (events > 0) kit.emit({ type: "published", stackId, events, duplicates, latencyMs });
      },
      alarm: (code, raised, detail) => alarms.set(code, raised, detail),
    },
  );
}
