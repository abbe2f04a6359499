/**
 * Purpose: the section `outbox`: which keys belong to which sink.
 * Keeps true: a key without effect is refused, and so is a sink without what it needs.
 */
import { type Fault, fault } from "./fault.ts";
import type { ConfigInput } from "./schema.ts";
import type { OutboxConfig } from "./types.ts";

type Given = ConfigInput["outbox"];
type SinkKey = "dir" | "url" | "password" | "credentials" | "stream";

const NEEDED: Readonly<Record<Given["sink"], readonly SinkKey[]>> = {
  nop: [],
  file: ["dir"],
  redis: ["url"],
  nats: ["url"],
};
const ALLOWED: Readonly<Record<Given["sink"], readonly SinkKey[]>> = {
  nop: [],
  file: ["dir"],
  redis: ["url", "password", "stream"],
  nats: ["url", "password", "credentials", "stream"],
};
const SCHEMES: Readonly<Record<Given["sink"], RegExp>> = {
  nop: /^/,
  file: /^/,
  redis: /^rediss?(\+sentinel|\+cluster)?:/,
  nats: /^(nats|tls):/,
};
/** NATS takes no dots in the name of a stream. */
const STREAM = "changeover";

export function outboxFaults({ outbox }: ConfigInput): Fault[] {
  const { sink, url, stream } = outbox;
  const keys: readonly SinkKey[] = ["dir", "url", "password", "credentials", "stream"];
  const faults = keys.flatMap((key) => {
    const isGiven = outbox[key] !== undefined;
    if (isGiven && !ALLOWED[sink].includes(key))
      return [fault(`outbox.${key}`, undefined, `has no place with sink ${sink}`)];
    if (!isGiven && NEEDED[sink].includes(key))
      return [fault(`outbox.${key}`, undefined, `missing; sink ${sink} needs it`)];
    return [];
  });
  if (faults.length > 0) return faults;
  if (url !== undefined && !SCHEMES[sink].test(url)) {
    faults.push(fault("outbox.url", url, `must be an address of ${sink === "redis" ? "Redis" : "NATS"}`));
  }
  if (sink === "nats" && stream?.includes(".") === true) {
    faults.push(fault("outbox.stream", stream, "must have no dot: NATS names no stream so"));
  }
  return faults;
}

/** The section, complete; what it lacks is found by `outboxFaults`. */
export function outboxOf({ outbox }: ConfigInput): OutboxConfig {
  const { sink, maxAttempts, retentionMs, dir = "", url = "", stream = STREAM } = outbox;
  const pace = { maxAttempts, retentionMs };
  const password = outbox.password ?? null;
  switch (sink) {
    case "nop":
      return { sink, ...pace };
    case "file":
      return { sink, ...pace, dir };
    case "redis":
      return { sink, ...pace, url, stream, password };
    case "nats":
      return { sink, ...pace, url, stream, password, credentials: outbox.credentials ?? null };
  }
}
