/** Purpose: the part of the schema that names other places: the hub, the federation peers, and TLS on both sides. */
import { Type } from "typebox";
import { clientTls, DAY_MS, file, httpUrl, MINUTE_MS, name, secret, section, whole } from "./schema-parts.ts";

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
