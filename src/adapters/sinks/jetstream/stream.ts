/**
 * Purpose: the stream that holds the feed, and the subject of a stack in it.
 * Keeps true: a stream that is there stays as its people made it; one that is missing is made with every setting named.
 */
import { DiscardPolicy, type JetStreamManager, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import type { ControlEvent } from "../../../core/control-event.ts";
import { MAX_EVENT_BYTES } from "../event-text.ts";
import { safeName } from "../safe-name.ts";
import { isNotFound } from "./faults.ts";

/** How a missing stream is made. */
export interface FeedStreamInit {
  /** Name of the stream: letters, digits, `_` and `-`. */
  readonly stream: string;
  /** First token of every subject. Default `changeover`. */
  readonly subjectPrefix?: string;
  /** Copies in a cluster of NATS. Default 1. */
  readonly replicas?: number;
  /** How long an event is kept, ms. Default 30 days. */
  readonly maxAgeMs?: number;
  /** How many bytes are kept, the oldest go first; the server sets them aside at once. Default 1 GiB. */
  readonly maxBytes?: number;
  /** How long a double is recognised by the server, ms. Default 1 hour. */
  readonly duplicateWindowMs?: number;
}

const DAY_MS = 86_400_000;
export const DEFAULTS = {
  subjectPrefix: "changeover",
  replicas: 1,
  maxAgeMs: 30 * DAY_MS,
  maxBytes: 1_073_741_824,
  duplicateWindowMs: 3_600_000,
};

/** `prefix.tenant.stack`; null for ids that are too long. */
export function subjectOf(prefix: string, { tenantId, stackId }: ControlEvent): string | null {
  const tenant = safeName(tenantId);
  const stack = safeName(stackId);
  return tenant === null || stack === null ? null : `${prefix}.${tenant}.${stack}`;
}

/** Makes the stream where it is missing. Two that make it at once make the same. */
export async function ensureStream(manager: JetStreamManager, init: FeedStreamInit): Promise<void> {
  try {
    await manager.streams.info(init.stream);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const settings = { ...DEFAULTS, ...init };
    await manager.streams.add({
      name: init.stream,
      subjects: [`${settings.subjectPrefix}.>`],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: DiscardPolicy.Old,
      num_replicas: settings.replicas,
      max_age: nanos(settings.maxAgeMs),
      max_bytes: settings.maxBytes,
      max_msg_size: 2 * MAX_EVENT_BYTES,
      duplicate_window: nanos(Math.min(settings.duplicateWindowMs, settings.maxAgeMs)),
    });
  }
}

/** The stream sequence of the last event of a subject; 0 for none. */
export async function lastSequence(manager: JetStreamManager, stream: string, subject: string): Promise<number> {
  try {
    const last = await manager.streams.getMessage(stream, { last_by_subj: subject });
    return last?.seq ?? 0;
  } catch (error) {
    if (isNotFound(error)) return 0;
    throw error;
  }
}
