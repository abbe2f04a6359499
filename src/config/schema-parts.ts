/** The small shapes that every part of the schema is made of: sections, bounded values, addresses, secrets, files. */
import { type TObject, type TProperties, Type } from "typebox";
import { DEFAULT_OUTBOX } from "../core/settings.ts";

export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

export const section = <P extends TProperties>(properties: P, description?: string): TObject<P> =>
  Type.Object(properties, { additionalProperties: false, ...(description === undefined ? {} : { description }) });

export const whole = (minimum: number, maximum: number, fallback: number, description: string) =>
  Type.Integer({ minimum, maximum, default: fallback, description });

export const name = (description: string) =>
  Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", examples: ["studio-1"], description });

export const text = (description: string, example: string) =>
  Type.String({ minLength: 1, maxLength: 1_024, format: "line", examples: [example], description });

/** `schemes`: a pattern. Redis addresses that name several hosts are no URLs; the `redis` adapter checks those. */
export const url = (schemes: string, description: string, example: string) =>
  Type.String({
    pattern: `^(${schemes})://[^\\s/]+`,
    maxLength: 2_048,
    format: "address",
    examples: [example],
    description,
  });

export const variable = Type.String({
  pattern: "^[A-Za-z_][A-Za-z0-9_]{0,127}$",
  examples: ["OPS_TOKEN"],
  description: "Environment variable that holds the secret",
});
export const secretFile = text("File that holds the secret; its last line break is dropped", "/run/secrets/ops-token");
export const secret = Type.Union([section({ env: variable }), section({ file: secretFile })], {
  description: "Where the secret is read: {env: NAME} or {file: PATH}; never the secret itself",
});

export const httpUrl = (description: string) => url("https?", description, "http://127.0.0.1:9000");

export const file = (description: string) => text(description, "/etc/changeover/engine.pem");
export const clientTls = {
  ca: Type.Optional(file("Authorities that its certificate must come from, PEM; default: the system's")),
  cert: Type.Optional(file("Certificate that this engine shows, PEM")),
  key: Type.Optional(file("Its private key, PEM")),
};

// The part of the schema that names other places: the hub, the federation peers, and TLS on both sides.

// A union of one: left out it stays out, where a section would be filled in.
export const hub = section(
  {
    url: httpUrl("Address of the hub that this engine is a spoke of"),
    ...clientTls,
    token: Type.Optional(secret),
    intervalMs: whole(1_000, DAY_MS, 30_000, "Interval of exchange with the hub"),
  },
  "Makes this engine a spoke: its records are exchanged with the hub",
);

const pin = section({
  id: Type.Optional(
    Type.String({ pattern: "^eng_[A-Za-z0-9_-]{1,60}$", examples: ["eng_V1StGXR8"], description: "The engine's id" }),
  ),
  key: Type.Optional(
    Type.String({
      pattern: "^sha256:[0-9a-f]{32}$",
      examples: ["sha256:0123456789abcdef0123456789abcdef"],
      description: "Fingerprint of its key, as its own `changeover federation status` shows it",
    }),
  ),
});

const federationPeer = section({
  name: name("Name of the peer"),
  endpoint: httpUrl("Its address: one engine's own listener"),
  mode: Type.Enum(["sync", "paused"], { default: "sync", description: "paused: it is not asked" }),
  ...clientTls,
  token: Type.Optional(secret),
  pin: Type.Optional(Type.Union([pin], { description: "Who must answer there; goes before who answered first" })),
});

export const listenTls = section(
  {
    cert: file("Certificate of this engine, PEM, with the chain that leads to its authority"),
    key: file("Its private key, PEM"),
    ca: Type.Optional(file("Authorities of callers, PEM: whoever calls /sync must show a certificate of theirs")),
  },
  "Serves HTTPS and WSS instead of HTTP and WS",
);

export const federation = section({
  mode: Type.Enum(["sync", "publish", "subscribe"], { default: "sync" }),
  intervalMs: whole(1_000, DAY_MS, 30_000, "Interval of exchange with federation peers"),
  timeoutMs: whole(100, 10 * MINUTE_MS, 15_000, "Time for one answer of a peer"),
  signatures: Type.Enum(["off", "auto", "warn", "enforce"], {
    default: "auto",
    description:
      "Ed25519 signatures of operations; auto: signed here, and demanded of everyone whose key is known; enforce: of all",
  }),
  peers: Type.Array(federationPeer, { default: [], maxItems: 256 }),
});

// The section `outbox` of a configuration. Which keys belong to which sink: `outbox.ts`.

export const outbox = section({
  sink: Type.Enum(["nop", "file", "redis", "nats"], { default: "nop", description: "Where changes are published" }),
  format: Type.Optional(
    Type.Enum(["changeover", "flat"], {
      examples: ["flat"],
      description:
        "How events are written: changeover (unless given), or flat for other readers of control events: event_id, type, control_version and so on",
    }),
  ),
  dir: Type.Optional(
    text(
      "Folder of the feed, for sink file; both engines name the same; on one host ./var/feed unless given",
      "./var/feed",
    ),
  ),
  url: Type.Optional(
    url(
      "rediss?(\\+sentinel|\\+cluster)?|nats|tls",
      "Address of Redis or of NATS; default on this host",
      "nats://127.0.0.1:4222",
    ),
  ),
  user: Type.Optional(text("User of Redis or NATS that the password belongs to", "changeover")),
  password: Type.Optional(secret),
  ...clientTls,
  credentials: Type.Optional(secret),
  stream: Type.Optional(name("Name of the feed; changeover unless given")),
  subject: Type.Optional(
    Type.String({
      pattern: "^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$",
      maxLength: 200,
      examples: ["changeover"],
      description: "For sink nats: what the subject of every event begins with; the stream's name unless given",
    }),
  ),
  replicas: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 5,
      description: "For sink nats: copies of a stream that is made; 1 unless given",
    }),
  ),
  storage: Type.Optional(
    Type.Enum(["file", "memory"], {
      description: "For sink nats: where a stream that is made is kept; file unless given",
    }),
  ),
  maxAttempts: whole(1, 1_000, DEFAULT_OUTBOX.maxAttempts, "Failed attempts that make an event a dead letter"),
  retentionMs: whole(0, 30 * DAY_MS, DEFAULT_OUTBOX.retentionMs, "How long a published event is kept here"),
});
