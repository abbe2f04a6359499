/**
 * What a configuration file may say, as one TypeBox schema: it validates, gives the defaults, names the
 * environment variables and is published as `config/schema.json`.
 * It does not know relations between keys (`relations.ts`), nor what a secret's value is (`secrets.ts`).
 */
import { type TSchema, Type } from "typebox";
import { DEFAULT_COMMANDS, DEFAULT_FAILOVER, MIN_STALL_MS } from "../core/settings.ts";
import { MAX_ORIGINS_PER_TOKEN } from "../core/operation.ts";
import { isOwnFormat } from "./shape.ts";
import {
  federation,
  hub,
  listenTls,
  outbox,
  DAY_MS,
  file,
  httpUrl,
  MINUTE_MS,
  name,
  secret,
  secretFile,
  section,
  text,
  url,
  variable,
  whole,
} from "./schema-parts.ts";

const tokenName = name("Named in the audit");
const tokenRole = Type.Enum(["viewer", "operator", "peer", "spoke"], {
  description: "What the token opens; peer: the other engine of the pair; spoke: /sync, for records of its own origins",
});
const token = Type.Union([
  section({ name: tokenName, role: tokenRole, env: variable }),
  section({ name: tokenName, role: tokenRole, file: secretFile }),
]);

const link = section({
  name: name("Name of the network, as in alarms and logs"),
  url: url("wss?", "The other engine's own listener on this network", "ws://127.0.0.1:7402"),
});

const argument = Type.String({
  ...{ minLength: 1, maxLength: 1_024, format: "argument", examples: ["/usr/local/bin/notify"] },
  description: "Program, then its arguments; no shell",
});
const command = Type.Array(argument, { minItems: 1, maxItems: 64 });
const budget = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: 10 * MINUTE_MS, description }));
const script = Type.Optional(command);

const kind = <K extends string>(value: K) => Type.Literal(value);

const witnessTls = section(
  {
    caFile: Type.Optional(
      file("Authorities that the witness's certificate must come from, PEM; default: the system's"),
    ),
    certFile: Type.Optional(file("Certificate that this engine shows to the witness, PEM")),
    keyFile: Type.Optional(file("Its private key, PEM")),
  },
  "For a url that asks for TLS: rediss://… or tls://…",
);

const witness = Type.Union(
  [
    section({ kind: kind("sqlite"), file: text("Shared by both engines of one host", "./var/witness.db") }),
    section({
      kind: kind("redis"),
      url: url("rediss?(\\+sentinel|\\+cluster)?", "One Redis, its Sentinels, or a cluster", "redis://127.0.0.1:6379"),
      user: Type.Optional(text("User of Redis that the password belongs to; goes before one in the URL", "changeover")),
      password: Type.Optional(secret),
      sentinelPassword: Type.Optional(secret),
      tls: Type.Optional(Type.Union([witnessTls])),
    }),
    section({
      kind: kind("nats"),
      url: url("nats|tls", "The servers of one NATS cluster, with commas between", "nats://127.0.0.1:4222"),
      bucket: Type.Optional(
        Type.String({
          pattern: "^[A-Za-z0-9_-]{1,64}$",
          examples: ["changeover"],
          description: "Key-value bucket of JetStream, made when it is missing; changeover unless given",
        }),
      ),
      replicas: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 5, description: "Copies of a bucket that is made; 1 unless given" }),
      ),
      user: Type.Optional(text("User of NATS that the password belongs to; goes before one in the URL", "changeover")),
      password: Type.Optional(secret),
      credentials: Type.Optional(secret),
      tls: Type.Optional(Type.Union([witnessTls])),
    }),
    section({ kind: kind("none") }),
  ],
  { default: { kind: "sqlite", file: "./var/witness.db" }, description: "The third place that both engines reach" },
);

const anyEngine = {
  stallMs: Type.Optional(
    Type.Integer({
      minimum: MIN_STALL_MS,
      maximum: MINUTE_MS,
      description: "How long the event loop of a leader may stand still before its role moves; 250 unless given",
    }),
  ),
  restoreLimit: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 1_000,
      description: "How often in an hour a state that has drifted is repaired before a person is asked; 3 unless given",
    }),
  ),
};

// What is left out here has its default in the adapter, where the reason for it stands.
const httpEngine = section({
  kind: kind("http"),
  ...anyEngine,
  baseUrl: httpUrl("Where the engine's hooks are"),
  executeTimeoutMs: budget("One attempt of POST /execute"),
  executeAttempts: Type.Optional(Type.Integer({ minimum: 1, maximum: 10, description: "Attempts of one command" })),
  retryDelayMs: budget("Pause before the second attempt; doubles"),
  stateTimeoutMs: budget("GET /snapshot and POST /restore"),
  roleTimeoutMs: budget("POST /role"),
  healthTimeoutMs: budget("GET /health and reads"),
  healthIntervalMs: budget("Pause between two polls of the health"),
  maxStateBytes: Type.Optional(
    Type.Integer({ minimum: 1_024, maximum: 1_073_741_824, description: "Bytes of a state" }),
  ),
  token: Type.Optional(secret),
  lifeline: Type.Optional(
    section(
      {
        intervalMs: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 10_000,
            description: "The engine writes a line at least this often; 20 unless given",
          }),
        ),
        missLimit: Type.Optional(
          Type.Integer({
            minimum: 2,
            maximum: 1_000,
            description: "Missing lines after which it is stalled; 5 unless given",
          }),
        ),
      },
      "Pace of GET /lifeline, for an engine that has one",
    ),
  ),
});

const execEngine = section({
  kind: kind("exec"),
  ...anyEngine,
  notify: script,
  notifyLeader: script,
  notifyFollower: script,
  execute: script,
  snapshot: script,
  restore: script,
  health: script,
  notifyBudgetMs: budget("Each notify script"),
  executeBudgetMs: budget("execute and health"),
  stateBudgetMs: budget("snapshot and restore"),
  healthIntervalMs: budget("Pause between two runs of health"),
  pidFile: Type.Optional(
    text("File with the id of the engine's process; when the process is gone, the engine is dead", "/run/engine.pid"),
  ),
  track: Type.Optional(
    section(
      {
        command,
        intervalMs: budget("Pause between two runs; 1000 unless given"),
        timeoutMs: budget("One run; as intervalMs unless given"),
        fall: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 100,
            description: "Failed runs in a row after which the engine is stalled; 1 unless given",
          }),
        ),
        rise: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 100,
            description: "Good runs in a row after which it is well again; 1 unless given",
          }),
        ),
      },
      "Watches the engine, as keepalived's vrrp_script does: exit 0 is good",
    ),
  ),
});

const engine = Type.Union(
  [
    section({ kind: kind("reference"), ...anyEngine }, "The reference switcher inside this process"),
    httpEngine,
    execEngine,
  ],
  { default: { kind: "reference" }, description: "What makes the programme" },
);

const reassertMs = Type.Optional(
  Type.Integer({
    minimum: 500,
    maximum: 3_600_000,
    description: "How often the leader asks for its route again, ms; 5000 unless given",
  }),
);

const target = Type.Union([
  section({
    name: name("As in alarms"),
    kind: kind("http"),
    url: httpUrl("Asked to route here; {label} and {epoch} are filled in"),
    method: Type.Optional(Type.Enum(["POST", "PUT", "PATCH", "GET"])),
    body: Type.Optional(Type.String({ maxLength: 65_536, description: "{label} and {epoch} are filled in" })),
    timeoutMs: budget("One request"),
    reassertMs,
  }),
  section({
    name: name("As in alarms"),
    kind: kind("exec"),
    command,
    budgetMs: budget("One run"),
    reassertMs,
  }),
]);

const F = DEFAULT_FAILOVER;
const failover = section({
  policy: Type.Enum(["on-air", "consistency"], {
    default: F.policy,
    description: "on-air: programme first, reconcile after; consistency: never two leaders, at the price of a pause",
  }),
  deathProof: Type.Optional(
    Type.Enum(["refused", "none"], { description: "Default: refused under on-air, none under consistency" }),
  ),
  heartbeatMs: whole(10, 10_000, F.heartbeatMs, "Interval of heartbeats and witness rewrites"),
  missLimit: whole(1, 100, F.missLimit, "Missed heartbeats after which the peer is silent"),
  leaseMs: whole(20, MINUTE_MS, F.leaseMs, "How long a leader counts a vote, from its send time"),
  quiesceMs: whole(0, 10_000, F.quiesceMs, "Time for effects under way to end after a vote lapsed"),
  campaignWaitMs: whole(20, 2 * MINUTE_MS, F.campaignWaitMs, "Stillness after a heartbeat, and quarantine"),
  maxClockDriftPpm: whole(0, 200_000, F.maxClockDriftPpm, "How far the monotonic clocks may drift apart"),
  blindPromoteMs: Type.Optional(
    Type.Union([Type.Integer({ minimum: 100, maximum: DAY_MS }), Type.Literal("never")], {
      description: "Silence after which on-air leads without witness and proof; default 1000 without a witness",
    }),
  ),
  staleTakeoverMs: whole(0, DAY_MS, F.staleTakeoverMs, "How long a follower that is behind waits for the peer"),
  handoverMs: whole(10, MINUTE_MS, F.handoverMs, "Bound of a graceful handover"),
  unhealthyHoldMs: whole(0, MINUTE_MS, F.unhealthyHoldMs, "How long an engine may be failed before its role moves"),
  preferred: Type.Enum(["a", "b", "none"], {
    default: F.preferred,
    description: "The engine that should lead while both are fit; the same on both engines",
  }),
  switchBack: Type.Enum(["never", "when-ready"], {
    default: F.switchBack,
    description: "when-ready: automation hands the role back to the preferred engine once it is ready",
  }),
  switchBackDelayMs: whole(
    0,
    DAY_MS,
    F.switchBackDelayMs,
    "How long the preferred engine must have been ready without a break",
  ),
  deathProbeMs: whole(1, 10_000, F.deathProbeMs, "Budget of a death probe"),
  fastDeath: Type.Enum(["auto", "off"], {
    default: F.fastDeath,
    description: "auto: the sockets of a killed engine close before its memory is freed, where that part was built",
  }),
  maxAutomaticFailovers: whole(0, 1_000, F.maxAutomaticFailovers, "Automatic role changes in holdDownWindowMs"),
  holdDownWindowMs: whole(1_000, DAY_MS, F.holdDownWindowMs, "Window of maxAutomaticFailovers"),
  witnessTimeoutMs: whole(1, 10_000, F.witnessTimeoutMs, "Time-out of one call to the witness"),
  reconcileLockMs: whole(1_000, 120_000, F.reconcileLockMs, "TTL of the reconcile lock that recovery takes"),
  resyncAfter: whole(1, 100, F.resyncAfter, "Failures to apply what the leader sends, before a whole snapshot"),
});

const C = DEFAULT_COMMANDS;
const commands = section({
  leadTimeMs: whole(0, 10_000, C.leadTimeMs, "From acceptance to execution on both engines"),
  ack: Type.Enum(["pair", "local"], { default: C.ack, description: "How safe a command is when it is answered" }),
  ackTimeoutMs: whole(1, MINUTE_MS, C.ackTimeoutMs, "Wait for the peer; after it the answer says local"),
  maxPending: whole(1, 1_000_000, C.maxPending, "Commands accepted but not answered; beyond it busy"),
  maxPayloadBytes: whole(1_024, 64 * 1_048_576, C.maxPayloadBytes, "Size of one command"),
  keep: whole(10_000, 100_000_000, C.keep, "Commands kept in the log"),
  lateAlarmMs: whole(1, MINUTE_MS, C.lateAlarmMs, "Lateness of one execution that raises commands-late"),
  checkpointEvery: whole(1, 1_000_000, C.checkpointEvery, "Commands between two stored checkpoints"),
  compareEveryMs: whole(100, DAY_MS, C.compareEveryMs, "Interval at which the pair compares checksums"),
  onConflict: Type.Enum(["leader-wins", "reapply", "manual"], {
    default: C.onConflict,
    description: "What recovery does with divergent commands",
  }),
});

/** The whole file. */
export const ConfigSchema = section({
  pair: name("Name of the pair; the same on both engines"),
  label: Type.Enum(["a", "b"], { description: "Place of this engine in its pair" }),
  listen: section({
    host: Type.String({
      ...{ minLength: 1, maxLength: 253, format: "host" },
      ...{ default: "127.0.0.1", examples: ["127.0.0.1"] },
    }),
    port: whole(0, 65_535, 7401, "0 takes any free port"),
    tls: Type.Optional(Type.Union([listenTls])),
  }),
  http: section({
    cors: section({
      origins: Type.Array(
        Type.String({
          pattern: "^https?://(\\[[0-9a-f:]+\\]|[a-z0-9.-]+)(:[1-9][0-9]{0,4})?$",
          maxLength: 300,
          examples: ["https://panel.example:8443"],
        }),
        {
          default: [],
          maxItems: 64,
          description: "Origins whose pages may call from a browser, exactly as browsers send them",
        },
      ),
    }),
  }),
  dataDir: Type.Optional(text("This engine's own folder; default ./var/<label>", "./var/a")),
  peer: section({
    links: Type.Array(link, { minItems: 1, maxItems: 8 }),
    url: Type.Optional(httpUrl("Where clients reach the peer; default: the first link's address")),
    ca: Type.Optional(file("Authorities that the peer's certificate must come from, for wss: links; PEM")),
  }),
  witness,
  failover,
  commands,
  engine,
  clock: section({ source: Type.Enum(["ptp", "chrony", "peer", "none"], { default: "peer" }) }),
  auth: section({
    tokens: Type.Array(token, { default: [], maxItems: 256 }),
    controlPlaneSecret: Type.Optional(secret),
  }),
  changeover: Type.Array(target, { default: [], maxItems: 16 }),
  replication: section({
    hub: Type.Optional(Type.Union([hub])),
    maxOriginsPerToken: whole(1, 255, MAX_ORIGINS_PER_TOKEN, "Origins that one token of role spoke may write as"),
  }),
  outbox,
  federation,
  log: section({ level: Type.Enum(["debug", "info", "warn", "error"], { default: "info" }) }),
});

/** A configuration as it is written, once every default is filled in. */
export type ConfigInput = Type.Static<typeof ConfigSchema>;

/** What is published as `config/schema.json`: the same, but with every section that has defaults left out at will. */
export function publishedSchema(): object {
  const relaxed = relaxRequired(ConfigSchema, ["pair", "label", "peer"]);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Configuration of one Changeover engine",
    ...relaxed,
  };
}

/** Drops from `required` what has a default, at any depth. */
function relaxRequired(schema: TSchema, alwaysRequired: readonly string[] = []): Record<string, unknown> {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown): unknown =>
    key === "format" && isOwnFormat(value) ? undefined : relaxed(value, alwaysRequired),
  ) as Record<string, unknown>;
}

interface LooseObject {
  required?: string[];
  properties?: Record<string, { default?: unknown; required?: string[] }>;
}

function relaxed(value: unknown, alwaysRequired: readonly string[]): unknown {
  const node = value as LooseObject | null;
  if (typeof node !== "object" || node?.required === undefined || node.properties === undefined) return value;
  const { properties } = node;
  const hasDefault = (key: string): boolean => {
    const property = properties[key];
    if (property === undefined || alwaysRequired.includes(key)) return false;
    // A section whose own keys are all at will is at will itself; the reviver has already been inside.
    const isSection = "properties" in property;
    return property.default !== undefined || (isSection && property.required === undefined);
  };
  const { required, ...rest } = node;
  const left = required.filter((key) => !hasDefault(key));
  return left.length === 0 ? rest : { ...rest, required: left };
}
