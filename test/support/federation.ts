/** Federations of places in one process, for tests: ways that can be swapped for others, real keys, peers that lie. */
import { generateKeyPairSync } from "node:crypto";
import { Ed25519Signatures } from "../../src/adapters/basics.ts";
import type { FederationPeerPort, SyncTransport } from "../../src/ports/sync-transport.ts";
import type { PeerStatus } from "../../src/replication/federation-peer.ts";
import { waitUntil } from "./wait-until.ts";
import { makePlace, type Place, type PlaceInit } from "./replication-node.ts";

/** A key pair as an engine has it. */
export function newKey(): Ed25519Signatures {
  return new Ed25519Signatures(generateKeyPairSync("ed25519").privateKey);
}

/** A way whose end is looked up at every call, so that two places can know each other and one can become another. */
export function wayTo(end: () => SyncTransport): SyncTransport {
  return {
    identity: (challenge) => end().identity(challenge),
    compare: async (heads) => (await end().compare?.(heads)) ?? { outcome: "refused", status: 404, code: "not_found" },
    pull: (request) => end().pull(request),
    push: (ops, snapshot) => end().push(ops, snapshot),
    close: () => undefined,
  };
}

export function peerPort(
  name: string,
  transport: SyncTransport,
  more: Partial<FederationPeerPort> = {},
): FederationPeerPort {
  return { name, endpoint: `test:${name}`, mode: "sync", pinnedId: null, pinnedKey: null, transport, ...more };
}

export function peerOf(place: Place, name: string): PeerStatus {
  const found = place.replication.federation.status().peers.find((peer) => peer.name === name);
  if (found === undefined) throw new Error(`${place.name} has no peer ${name}`);
  return found;
}

/** One exchange of `place` with its peer, from its beginning to its end. */
export async function poll(place: Place, name: string): Promise<PeerStatus> {
  const { federation } = place.replication;
  federation.pause(name);
  federation.resume(name);
  await waitUntil(() => !["identifying", "pulling", "pushing"].includes(peerOf(place, name).state));
  return peerOf(place, name);
}

/** The places of one test, stopped together. */
export class Places {
  readonly #open: Place[] = [];

  readonly place = (init: PlaceInit): Place => {
    const made = makePlace(init);
    this.#open.push(made);
    return made;
  };

  /** A place `here` that federates with `there`, at the end of `way`. */
  readonly asking = (
    way: () => SyncTransport,
    more: Partial<PlaceInit> = {},
    pins: Partial<FederationPeerPort> = {},
  ): Place => {
    const federation = [peerPort("there", wayTo(way), pins)];
    const made = this.place({ name: "here", federation, ...more });
    made.replication.federation.start();
    return made;
  };

  readonly stop = (): void => {
    for (const place of this.#open.splice(0)) place.replication.stop();
  };
}

/** What `at` keeps of its peer `there`. */
export function keptOf(at: Place, fact: string): string | null {
  return at.store.replica.peerState.get(`peer:there:${fact}`);
}
