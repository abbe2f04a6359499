/** The key-value bucket of the witness: a stream in the form that `nats kv` and every other client of NATS expects. */
import { DiscardPolicy, RetentionPolicy, StorageType, type StreamInfo } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { ChangeoverError } from "../../core/errors.ts";
import { isNotFound } from "../nats/faults.ts";
import type { NatsSession } from "../nats/link.ts";

export interface Bucket {
  /** When the bucket was made: names this life of it. */
  readonly created: string;
  readonly replicas: number;
}

const DUPLICATES_MS = 120_000;

/** Makes the bucket where it is missing. A standing one stays as its owner made it. */
export async function openBucket(
  { manager }: Pick<NatsSession, "manager">,
  { name, replicas }: { readonly name: string; readonly replicas: number },
): Promise<Bucket> {
  const stream = `KV_${name}`;
  const info = await manager.streams.info(stream).catch(async (error: unknown) => {
    if (!isNotFound(error)) throw error;
    const settings = {
      name: stream,
      subjects: [`$KV.${name}.>`],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: DiscardPolicy.New,
      num_replicas: replicas,
      max_msgs_per_subject: 1,
      max_age: 0,
      duplicate_window: nanos(DUPLICATES_MS),
      allow_rollup_hdrs: true,
      allow_direct: true,
      deny_delete: true,
    };
    return manager.streams.add(settings).catch(async (failed: unknown): Promise<StreamInfo> => {
      // The other engine has made it at the same time.
      const standing = await manager.streams.info(stream).catch(() => null);
      if (standing === null) throw failed;
      return standing;
    });
  });
  if (info.config.max_age !== 0) {
    const found = `the bucket ${name} has a TTL of ${info.config.max_age / 1e9} s and would forget who leads`;
    throw new ChangeoverError("invalid_configuration", `${found}; make it without one`, {
      details: { field: "witness.bucket", value: name, bound: "a bucket without a TTL" },
    });
  }
  return { created: info.created, replicas: info.config.num_replicas };
}
