/**
 * Purpose: a spoke without a pair: a store of its own, exchanged with a hub.
 * Keeps true: what was opened is closed again, whatever happens.
 */
import { HttpSyncTransport } from "../adapters/http-sync-transport.ts";
import { NanoIds } from "../adapters/nano-ids.ts";
import { NodeDigest } from "../adapters/node-digest.ts";
import { SqliteStore } from "../adapters/sqlite-store.ts";
import { SystemClock } from "../adapters/system-clock.ts";
import { SystemRandom } from "../adapters/system-random.ts";
import { recordOrigin } from "../core/operation.ts";
import type { Logger } from "../ports/logger.ts";
import type { Progress } from "../replication/exchange.ts";
import { Replication } from "../replication/replication.ts";
import type { Exchanged } from "../replication/sync-peer.ts";
import { packageVersion } from "./package-root.ts";

export interface SpokeInit {
  /** Its own folder. */
  readonly dataDir: string;
  readonly hubUrl: string;
  /** The hub's token of role `peer`; null: the hub is open. */
  readonly token: string | null;
  readonly intervalMs: number;
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
 * @throws ChangeoverError `data_folder_unusable`, `store_in_use`, `store_corrupt`, `store_too_new` or `store_failed`
 */
export function openSpoke(init: SpokeInit): Spoke {
  const clock = new SystemClock();
  const ids = new NanoIds();
  const store = new SqliteStore({ ids }, { dataDir: init.dataDir });
  const origin = recordOrigin(store.load().engineId);
  const hub = new HttpSyncTransport({ clock }, { url: init.hubUrl, token: init.token, origin });
  const parts = { store, clock, ids, hub, digest: new NodeDigest(), random: new SystemRandom(), logger: init.logger };
  const replication = new Replication(
    parts,
    { hubId: origin, version: packageVersion(), mode: "sync", hubIntervalMs: init.intervalMs },
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
