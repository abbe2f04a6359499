/**
 * What the peer channel tells, taken to the actors: links that come and go, messages, who was refused.
 * After the stop nothing of it moves anything.
 */
import type { Kit } from "../actors/kit.ts";
import type { PeerChannelEvents } from "../ports/peer-channel.ts";
import type { Actors } from "./actors.ts";
import { dispatch } from "./dispatch.ts";

export function peerEvents(kit: Kit, actors: Actors, stopped: () => boolean): PeerChannelEvents {
  const { identities } = actors;
  return {
    onLinkUp: () => {
      if (!stopped()) linkUp(kit, actors);
    },
    onLinkDown: (link, socketClosed) => {
      if (!stopped()) linkDown(kit, actors, socketClosed ? link : null);
    },
    onMessage: (message, receipt) => {
      if (stopped()) return;
      identities.heardPeer();
      dispatch(kit, actors, message, receipt.receivedAtMonoMs);
    },
    onRefused: (refusal, detail, stranger) => {
      if (!stopped()) identities.onRefused(refusal, detail, stranger);
    },
    onFirstContact: (peer) => !stopped() && identities.onFirstContact(peer),
    onRefusedByPeer: (detail) => {
      if (!stopped()) identities.onRefusedByPeer(detail);
    },
  };
}

function linkUp(kit: Kit, { succession, heartbeats, catchUp, replication }: Actors): void {
  kit.alarms.clear("peer-link-lost");
  succession.linkUp();
  replication.pair.linkUp();
  heartbeats.beat();
  if (catchUp.sync === "ready" && succession.leadership.role === "follower") catchUp.compare();
}

/** `closed`: the link, if the other side closed its socket. Another link that still seems up may be one whose cable is cut. */
function linkDown(kit: Kit, { linked, log, succession }: Actors, closed: string | null): void {
  if (linked) kit.alarms.raise("peer-link-lost", "one of the links to the peer is down");
  else log.peerGone();
  if (closed !== null) void succession.linkClosed(closed);
}
