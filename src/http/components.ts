/**
 * What the HTTP surface is made of: its collaborators, its plain settings, and the type of the Fastify instance
 * that every route file receives.
 * It does not know who made the collaborators. It owns none of them and closes none of them.
 */
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from "fastify";
import type { WebSocket } from "ws";
import type { Secrets } from "../config/secrets.ts";
import type { BackupReport, ReloadReport } from "../config/types.ts";
import type { Coordinator } from "../coordinator/types.ts";
import type { Json } from "../core/canonical-json.ts";
import type { Label } from "../core/ids.ts";
import type { Clock, Ids, Logger } from "../ports/basics.ts";
import type { PeerRefusal } from "../ports/peer-channel.ts";

/** A Fastify instance whose schemas are TypeBox types. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** Where upgraded sockets of the peer channel go: the part of the peer channel that accepts. */
export interface PeerSockets {
  /** Takes over an open socket whose bearer and subprotocol were right. `remote` is `address:port`; `peerHasKeys`: its upgrade said that it has keys. */
  accept(socket: WebSocket, remote: string, peerHasKeys: boolean): void;
  /** Counts someone who was refused before there was a socket. */
  refuse(reason: PeerRefusal, detail: string): void;
}

/** Where sockets of viewers of the statecharts go. */
export interface MachineViewers {
  /** Takes over an open socket; `query` says what the viewer has already. */
  open(socket: WebSocket, query: URLSearchParams): void;
  close(): void;
}

/** One statechart of the catalogue, as it is shown outside. */
export interface MachineDefinition {
  readonly name: string;
  /** XState's own JSON form of the machine. */
  readonly definition: Json;
}

/** The collaborators of `buildApp`. */
export interface HttpComponents {
  readonly coordinator: Coordinator;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  /** null: this process has no peer channel over WebSocket, and there is no such route. */
  readonly peerSockets: PeerSockets | null;
  readonly machines: readonly MachineDefinition[];
  /** null: what the statecharts do cannot be watched here, and there is no such route. */
  readonly machineViewers: MachineViewers | null;
  /** Folder of the page that shows them, as it was built; null: there is none. */
  readonly pageFolder: string | null;
}

/** The plain settings of `buildApp`. */
export interface HttpInit {
  readonly label: Label;
  readonly version: string;
  /** No tokens at all is open mode: everybody who reaches the address may do everything. */
  readonly secrets: Secrets;
  /** Takes new secrets and certificates in. Throws `invalid_configuration`, and then nothing has changed. */
  readonly reload?: () => ReloadReport;
  /** Copies the data folder while the engine goes on. Left out where there is none. */
  readonly backup?: () => Promise<BackupReport & { readonly folder: string }>;
  /** Origins whose pages may call from a browser; none unless given. */
  readonly corsOrigins?: readonly string[];
  /** PEM text to serve HTTPS with, and the authorities of callers of `/sync`; null or left out: HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string } | null;
}
