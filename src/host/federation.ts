/** Purpose: turns the configuration of federation into the ways to the peers. */
import { HttpSyncTransport } from "../adapters/http-sync-transport.ts";
import type { EngineSecrets } from "../config/secrets.ts";
import type { Config } from "../config/types.ts";
import { recordOrigin } from "../core/operation.ts";
import { OwnOrigin } from "../replication/own-origin.ts";
import type { Clock } from "../ports/clock.ts";
import type { FederationPeerPort } from "../ports/federation-peer.ts";
import type { Store } from "../ports/store.ts";
import { clientTls } from "./tls-files.ts";

/**
 * One for each peer of the configuration.
 *
 * @throws ChangeoverError `invalid_configuration` for a certificate or key that cannot be used
 */
export function federationPeers(
  { clock }: { readonly clock: Clock },
  { federation }: Config,
  secrets: Pick<EngineSecrets, "federationTokens">,
  store: Pick<Store, "load" | "replica">,
): readonly FederationPeerPort[] {
  const first = recordOrigin(store.load().engineId);
  // Looked up at each call: a new origin may begin at any exchange.
  const origin = (): string => new OwnOrigin(store.replica.peerState, first).current;
  const { timeoutMs } = federation;
  return federation.peers.map((peer, at) => {
    const { name, endpoint, mode, pin } = peer;
    const tls = clientTls(`federation.peers[${at}]`, peer);
    const token = secrets.federationTokens.get(name) ?? null;
    const init = { url: endpoint, token, origin, timeoutMs, ...(tls === undefined ? {} : { tls }) };
    const transport = new HttpSyncTransport({ clock }, init);
    return { name, endpoint, mode, pinnedId: pin?.id ?? null, pinnedKey: pin?.key ?? null, transport };
  });
}
