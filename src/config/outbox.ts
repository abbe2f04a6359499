/**
 * The section `outbox`: which keys belong to which sink, and where each is when nobody says.
 * A key without effect is refused.
 */
import { assertNever } from "../core/errors.ts";
import { isLoopback } from "../core/loopback.ts";
import { type Fault, fault } from "./check.ts";
import type { ConfigInput } from "./schema.ts";
import type { ClientTlsConfig, OutboxConfig } from "./types.ts";

type Given = ConfigInput["outbox"];
type SinkKey = Exclude<keyof Given, "sink" | "maxAttempts" | "retentionMs">;

/** Every key that belongs to some sinks only. */
const KEYS: readonly SinkKey[] = [
  ...(["format", "dir", "url", "user", "password", "ca", "cert", "key", "credentials", "stream"] as const),
  ...(["subject", "replicas", "storage"] as const),
];

const ALLOWED: Readonly<Record<Given["sink"], readonly SinkKey[]>> = {
  nop: [],
  file: ["format", "dir"],
  redis: ["format", "url", "user", "password", "ca", "cert", "key", "stream"],
  nats: KEYS.filter((key) => key !== "dir"),
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

export function outboxFaults({ outbox, peer }: ConfigInput): Fault[] {
  const { sink, url, stream, dir } = outbox;
  const faults = KEYS.filter((key) => outbox[key] !== undefined && !ALLOWED[sink].includes(key)).map((key) =>
    fault(`outbox.${key}`, undefined, `has no place with sink ${sink}`),
  );
  if (faults.length > 0) return faults;
  if (sink === "file" && dir === undefined && !peer.links.every((link) => isLoopback(new URL(link.url).hostname))) {
    const bound = `missing; must be a folder that both engines reach: ${DEFAULT_DIR} is for two engines on one host`;
    faults.push(fault("outbox.dir", undefined, bound));
  }
  if (url !== undefined && !SCHEMES[sink].some((scheme) => url.startsWith(scheme))) {
    const name = sink === "redis" ? "Redis" : "NATS";
    faults.push(
      fault("outbox.url", url, `must be an address of ${name}, which begins with ${SCHEMES[sink].join(" or ")}`),
    );
  }
  if (outbox.user !== undefined && outbox.password === undefined) {
    faults.push(fault("outbox.user", outbox.user, "needs outbox.password: {env: NAME} or {file: PATH}"));
  }
  const isTls = /^(tls|rediss)/.test(url ?? "");
  const tlsKey = (["ca", "cert", "key"] as const).find((key) => outbox[key] !== undefined);
  if (tlsKey !== undefined && !isTls) {
    const scheme = sink === "redis" ? "rediss://" : "tls://";
    faults.push(fault(`outbox.${tlsKey}`, outbox[tlsKey], `needs an outbox.url that begins with ${scheme}`));
  }
  if ((outbox.cert === undefined) !== (outbox.key === undefined)) {
    faults.push(fault("outbox.cert", outbox.cert, "must be given together with outbox.key"));
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
  const { format = "changeover" } = outbox;
  const password = outbox.password ?? null;
  const { user = null, ca, cert, key } = outbox;
  const files = Object.fromEntries(Object.entries({ ca, cert, key }).filter(([, file]) => file !== undefined));
  const access = { user, password, tls: files as ClientTlsConfig };
  switch (sink) {
    case "nop":
      return { sink, ...pace };
    case "file":
      return { sink, format, ...pace, dir };
    case "redis":
      return { sink, format, ...pace, url: outbox.url ?? DEFAULT_URL.redis, stream, ...access };
    case "nats":
      return {
        ...{ sink, format, ...pace, url: outbox.url ?? DEFAULT_URL.nats, stream, ...access },
        subject: outbox.subject ?? null,
        replicas: outbox.replicas ?? 1,
        storage: outbox.storage ?? "file",
        credentials: outbox.credentials ?? null,
      };
    default:
      return assertNever(sink);
  }
}
