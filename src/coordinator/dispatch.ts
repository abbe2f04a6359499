/**
 * Gives each message of the peer to the actor whose business it is.
 * A message of the leader's that bears a lower epoch than the accepted one reaches nobody [EP4]; one that
 * names an epoch out of all reach reaches nobody either.
 */
import type { Kit } from "../actors/kit.ts";
import { outOfReach } from "../core/epoch.ts";
import { assertNever } from "../core/errors.ts";
import type { PeerMessage, SnapshotPiece } from "../core/messages.ts";
import type { Actors } from "./actors.ts";
import type { PeerChannelEvents } from "../ports/peer-channel.ts";

/** Any malformed content that passed the channel must not take the engine down. */
export function dispatch(kit: Kit, actors: Actors, message: PeerMessage, receivedAtMonoMs: number): void {
  const { book } = actors.succession;
  const isBelieved = (epoch: number): boolean =>
    message.type === "heartbeat" ? book.hears(epoch) : book.believes(epoch);
  const unbelievable = epochsIn(message).find((epoch) => !isBelieved(epoch));
  if (unbelievable !== undefined) {
    const detail = `the peer's ${message.type}: ${outOfReach("the epoch", unbelievable)}; it was not stored`;
    kit.alarms.raise(
      "number-out-of-reach",
      `${detail}; once its cause is gone, run "changeover pair reset-numbers --yes" on both engines`,
    );
    return;
  }
  try {
    deliver(kit, actors, message, receivedAtMonoMs);
  } catch (error) {
    kit.ports.logger.error({ err: error, type: message.type }, "a message of the peer could not be taken");
  }
}

function deliver(kit: Kit, actors: Actors, message: PeerMessage, receivedAtMonoMs: number): void {
  const { succession, handover, catchUp, catchUpSource, splitBrain, comparison } = actors;
  switch (message.type) {
    case "heartbeat":
      return actors.heartbeats.hear(message, receivedAtMonoMs);
    case "vote-request":
      return succession.election.takeRequest(message);
    case "vote-answer":
      return succession.election.takeAnswer(message);
    case "handover-offer":
      return handover.onOffer(message);
    case "handover-request":
      return handover.onRequest(message);
    case "handover-grant":
      return handover.onGrant(message);
    case "handover-refusal":
      return handover.onRefusal(message);
    case "replicate":
      return catchUp.takeReplicate(message);
    case "replicated":
      return takeReplicated(actors, message.epoch, message.throughSeq);
    case "stale-epoch":
      return succession.peerNamed(message.highestEpoch, succession.monitor.last?.heartbeat.role ?? null);
    case "catch-up-request":
      return catchUpSource.takeRequest(message);
    case "catch-up-plan":
      return catchUp.takePlan(message);
    case "catch-up-page":
      return catchUp.takePage(message);
    case "snapshot-piece":
      return takePiece(actors, message);
    case "transfer-ack":
      catchUpSource.takeAck(message);
      return splitBrain.onAck(message);
    case "divergence-request":
      return actors.loser.takeRequest(message);
    case "divergence-page":
      return splitBrain.onDivergence(message);
    case "reconciled":
      return splitBrain.onReconciled(message);
    case "checkpoint":
      return comparison.take(message);
    case "checkpoint-result":
      return comparison.takeResult(message);
    case "conflict-update":
      return takeConflicts(kit, actors, message);
    case "record-news":
      return actors.replication.pair.takeNews(message);
    case "outbox-marks":
      return takeMarks(kit, actors, message);
    case "sync-call":
      return actors.replication.pair.takeCall(message);
    case "sync-answer":
      return actors.replication.pair.takeAnswer(message);
    case "request-answered":
      return actors.requests.onAnswered(message);
    case "request-kept":
      return actors.requests.onKept(message.requestId);
    default:
      return assertNever(message);
  }
}

/** The epochs that a message asks to be believed. */
function epochsIn(message: PeerMessage): readonly number[] {
  if (message.type === "request-answered") return [message.answer.epoch];
  const epochs = "epoch" in message ? [message.epoch] : [];
  return "highestEpoch" in message ? [...epochs, message.highestEpoch] : epochs;
}

function takeReplicated(actors: Actors, epoch: number, throughSeq: number): void {
  const { succession, log } = actors;
  if (epoch === succession.book.accepted && succession.leadership.role === "leader") log.peerHolds(throughSeq);
}

function takePiece(actors: Actors, piece: SnapshotPiece): void {
  if (piece.lock === null) actors.catchUp.takePiece(piece);
  else actors.loser.takePiece(piece);
}

function takeMarks(kit: Kit, actors: Actors, message: Extract<PeerMessage, { type: "outbox-marks" }>): void {
  if (kit.rules.admitsEpoch(actors.succession.book.accepted, message.epoch))
    actors.outbox.takeMarks(message.marks, message.feedId ?? null);
}

function takeConflicts(kit: Kit, actors: Actors, message: Extract<PeerMessage, { type: "conflict-update" }>): void {
  if (message.epoch !== actors.succession.book.accepted) return;
  const news = message.conflicts.filter((conflict) => {
    const known = kit.ports.store.findConflict(conflict.id);
    return known === null || (known.resolution === null && conflict.resolution !== null);
  });
  if (news.length === 0) return actors.closeStanding();
  kit.ports.store.saveConflicts(news);
  for (const conflict of news) kit.emit({ type: "conflict", conflict });
  actors.closeStanding();
}

// What the peer channel tells, taken to the actors: links that come and go, messages, who was refused. After the stop
// nothing of it moves anything.

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
