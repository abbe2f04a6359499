/**
 * Purpose: what the peer channel tells, taken to the actors: links that come and go, messages, who was turned away.
 * Keeps true: after the stop no link and no message moves anything; the first peer is let in only once it is pinned on the disk.
 */
import type { Kit } from "../actors/kit.ts";
import type { PeerChannelEvents, PeerHello, PeerRefusal } from "../ports/peer-channel.ts";
import type { Actors } from "./actors.ts";
import { dispatch } from "./dispatch.ts";

export interface PeerEventsDeps {
  stopped(): boolean;
  /** One more was turned away. */
  onRefused(): void;
}

export function peerEvents(kit: Kit, actors: Actors, deps: PeerEventsDeps): PeerChannelEvents {
  return {
    onLinkUp: () => {
      if (!deps.stopped()) linkUp(kit, actors);
    },
    onLinkDown: (_link, socketClosed) => {
      if (!deps.stopped()) linkDown(kit, actors, socketClosed);
    },
    onMessage: (message, receipt) => {
      if (!deps.stopped()) dispatch(kit, actors, message, receipt.receivedAtMonoMs);
    },
    onRefused: (refusal, detail) => {
      deps.onRefused();
      refused(kit, refusal, detail);
    },
    onFirstContact: (peer) => pinned(kit, peer),
  };
}

function linkUp(kit: Kit, { succession, heartbeats, catchUp, replication }: Actors): void {
  kit.alarms.clear("peer-link-lost");
  succession.monitor.linkUp();
  replication.pair.linkUp();
  heartbeats.beat();
  if (catchUp.sync === "ready" && succession.leadership.role === "follower") catchUp.compare();
}

function linkDown(kit: Kit, { linked, log, succession }: Actors, socketClosed: boolean): void {
  if (linked) {
    kit.alarms.raise("peer-link-lost", "one of the links to the peer is down");
    return;
  }
  log.peerGone();
  if (socketClosed) void succession.linkClosed();
}

function refused(kit: Kit, refusal: PeerRefusal, detail: string): void {
  kit.counters.heartbeatsRefused += 1;
  kit.alarms.raise("peer-refused", `${refusal}: ${detail}`);
  kit.ports.logger.warn({ refusal, detail }, "something that is not the peer was turned away");
}

function pinned(kit: Kit, peer: PeerHello): boolean {
  try {
    kit.ports.store.pinPeer(peer.engineId);
    return true;
  } catch (error) {
    kit.ports.logger.error({ err: error }, "the peer could not be pinned");
    return false;
  }
}
