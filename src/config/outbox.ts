/**
 * Purpose: the section `outbox`: which keys belong to which sink, and where each is when nobody says.
 * Keeps true: a key without effect is refused.
 */
import { assertNever } from "../core/assert.ts";
import { type Fault, fault } from "./fault.ts";
import type { ConfigInput } from "./schema.ts";
import type { OutboxConfig } from "./types.ts";

type Given = ConfigInput["outbox"];
type SinkKey = "dir" | "url" | "password" | "credentials" | "stream";

const ALLOWED: Readonly<Record<Given["sink"], readonly SinkKey[]>> = {
  nop: [],
  file: ["dir"],
  redis: ["url", "password", "stream"],
  nats: ["url", "password", "credentials", "stream"],
};
const SCHEMES: Readonly<Record<Given["sink"], readonly string[]>> = {
  nop: [],
  file: [],
  redis: ["redis:", "rediss:", "redis+sentinel:", "rediss+sentinel:", "redis+cluster:", "rediss+cluster:"],
  nats: ["nats:", "tls:"],
};
/** For two engines on one host, as the witness's own default. */
const DEFAULT_DIR = "./var/feed";
const DEFAULT_URL = { redis: "redis://127.0.0.1:6379", nats: "nats://127.0.0.1:4222" };
/** NATS takes no dots in the name of a stream. */
const DEFAULT_STREAM = "changeover";

export function outboxFaults({ outbox }: ConfigInput): Fault[] {
  const { sink, url, stream } = outbox;
  const keys: readonly SinkKey[] = ["dir", "url", "password", "credentials", "stream"];
  const faults = keys
    .filter((key) => outbox[key] !== undefined && !ALLOWED[sink].includes(key))
    .map((key) => fault(`outbox.${key}`, undefined, `has no place with sink ${sink}`));
  if (faults.length > 0) return faults;
  if (url !== undefined && !SCHEMES[sink].some((scheme) => url.startsWith(scheme))) {
    const name = sink === "redis" ? "Redis" : "NATS";
    faults.push(
      fault("outbox.url", url, `must be an address of ${name}, which begins with ${SCHEMES[sink].join(" or ")}`),
    );
  }
  if (sink === "nats" && stream?.includes(".") === true) {
    faults.push(fault("outbox.stream", stream, "must have no dot: NATS names no stream so"));
  }
  return faults;
}

/** The section, complete. */
export function outboxOf({ outbox }: ConfigInput): OutboxConfig {
  const { sink, maxAttempts, retentionMs, dir = DEFAULT_DIR, stream = DEFAULT_STREAM } = outbox;
  const pace = { maxAttempts, retentionMs };
  const password = outbox.password ?? null;
  switch (sink) {
    case "nop":
      return { sink, ...pace };
    case "file":
      return { sink, ...pace, dir };
    case "redis":
      return { sink, ...pace, url: outbox.url ?? DEFAULT_URL.redis, stream, password };
    case "nats":
      return {
        ...{ sink, ...pace, url: outbox.url ?? DEFAULT_URL.nats, stream, password },
        credentials: outbox.credentials ?? null,
      };
    default:
      return assertNever(sink);
  }
}
