/**
 * A spoke without a pair: a store of its own, exchanged with a hub.
 * What was opened is closed again, whatever happens.
 */
import { Ed25519Signatures, NanoIds, NodeDigest, SystemClock, SystemRandom } from "../adapters/basics.ts";
import { HttpSyncTransport } from "../adapters/http-sync-transport.ts";
import { SqliteStore } from "../adapters/sqlite-store.ts";
import type { ClientTlsConfig } from "../config/types.ts";
import { recordOrigin } from "../core/operation.ts";
import { lookAgain } from "../replication/cursor.ts";
import { OwnOrigin } from "../replication/own-origin.ts";
import type { Logger } from "../ports/basics.ts";
import type { Progress } from "../replication/exchange.ts";
import { Replication } from "../replication/replication.ts";
import type { SignatureMode } from "../replication/seals.ts";
import type { Exchanged } from "../replication/sync-peer.ts";
import { engineKey } from "./data-folder.ts";
import { packageVersion } from "./package-root.ts";
import { clientTls } from "./tls-files.ts";

export interface SpokeInit {
  /** Its own folder. */
  readonly dataDir: string;
  readonly hubUrl: string;
  /** The hub's token of role `spoke`; null: the hub is open. */
  readonly token: string | null;
  readonly intervalMs: number;
  /** Whether its operations are signed, and those of others looked at; left out: `auto`. */
  readonly signatures?: SignatureMode;
  /** Files, PEM, for a hub behind a private authority, or one that asks for a certificate. */
  readonly tls?: ClientTlsConfig;
  readonly logger: Logger;
  readonly onProgress: (progress: Progress) => void;
  readonly onExchanged: (result: Exchanged) => void;
}

export interface Spoke {
  readonly replication: Replication;
  /** Idempotent. */
  close(): void;
}

/**
 * Opens a spoke; nothing is exchanged before `replication.start()` or `replication.spoke.exchangeNow()`.
 *
 * @throws ChangeoverError `data_folder_unusable`, `store_in_use`, `store_corrupt`, `store_too_new`, `store_failed`, or
 * `invalid_configuration` for files of TLS that cannot be used
 */
export function openSpoke(init: SpokeInit): Spoke {
  const clock = new SystemClock();
  const ids = new NanoIds();
  const store = new SqliteStore({ ids }, { dataDir: init.dataDir });
  const origin = recordOrigin(store.load().engineId);
  const tls = clientTls("tls", init.tls ?? {});
  // Looked up at each call: a new origin may begin at any exchange.
  const now = (): string => new OwnOrigin(store.replica.peerState, origin).current;
  const way = { url: init.hubUrl, token: init.token, origin: now, ...(tls === undefined ? {} : { tls }) };
  const hub = new HttpSyncTransport({ clock }, way);
  // Somebody has just started it: whatever was refused before is offered again, and its reason told.
  lookAgain(store.replica.peerState);
  const signatures = new Ed25519Signatures(engineKey(init.dataDir));
  const own = { digest: new NodeDigest(), random: new SystemRandom(), signatures };
  const parts = { store, clock, ids, hub, ...own, logger: init.logger };
  const replication = new Replication(
    parts,
    {
      hubId: origin,
      version: packageVersion(),
      mode: "sync",
      hubIntervalMs: init.intervalMs,
      signatures: init.signatures ?? "auto",
    },
    { progress: init.onProgress, hubExchanged: init.onExchanged },
  );
  return {
    replication,
    close: () => {
      replication.stop();
      store.close();
    },
  };
}
