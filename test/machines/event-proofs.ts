/**
 * Every event of every statechart, what breaks without it, and a run that shows it [CH6]. `withheld-events.test.ts` plays
 * each run twice: whole, and with that event dropped at the mailbox. `machines/SPEC.md` lists the table.
 *
 * The type asks for every event that a machine declares, the test for those that XState adds. A name with `*` stands for
 * all events that begin so.
 */
import type { machines, MachineName } from "../../machines/index.ts";
import * as plays from "./plays.ts";
import type { Play } from "./plays.ts";
import type { EventTypeOf } from "./transition-table.ts";

export interface Proof {
  /** What a user would see without the event. */
  readonly breaks: string;
  readonly play: Play;
}

/** What only an end of an invoked step has in its name is one event with the others of its kind. */
type NamedEvent<Name extends MachineName> = Exclude<EventTypeOf<(typeof machines)[Name]>, `xstate.error.${string}`>;

/** `open`: nothing is known to break; the chart of that machine decides too little yet. */
type Proofs<Name extends MachineName> = Readonly<Record<NamedEvent<Name>, Proof | "open">> &
  Readonly<Record<string, Proof | "open">>;

export const EVENT_PROOFS: { readonly [Name in MachineName]: Proofs<Name> } = {
  pair: {
    CHART: { breaks: "No chart runs: an engine does not even begin.", play: plays.leads },
    START: { breaks: "An engine that is started never runs.", play: plays.starts },
    STOP: { breaks: "An engine that is stopped leads on.", play: plays.stops },
    LISTENER_LOST: { breaks: "An engine that nobody can reach leads on.", play: plays.stopsWithItsListener },
    "xstate.done.actor.start": { breaks: "Whoever has started an engine is never answered.", play: plays.starts },
    "xstate.done.actor.publish": { breaks: "A leader that is stopped never hands over.", play: plays.stops },
    "xstate.done.actor.stepDown": { breaks: "An engine that is stopped never closes its ports.", play: plays.stops },
    "xstate.done.actor.close": { breaks: "Whoever has stopped an engine is never answered.", play: plays.stops },
    "xstate.error.actor.*": {
      breaks: "An engine of which a chart is broken runs on without it.",
      play: plays.endsWithABrokenChart,
    },
  },
  leadership: {
    VERDICT: { breaks: "No engine campaigns: the pair has no leader.", play: plays.leads },
    CALLED: { breaks: "A granted role, or one that a person gives, is never taken.", play: plays.handsOver },
    RENEWED: "open",
    VOTED: { breaks: "A leader says that nobody votes for it after its peer does again.", play: plays.saysWhoVotes },
    PAUSED: "open",
    OVERRULED: { breaks: "Of two leaders that hear each other both lead on.", play: plays.recovers },
    YIELD: { breaks: "A leader acts after it has granted its role.", play: plays.restsAfterItsGrant },
    RESUMED: {
      breaks: "A grant that is lost leaves the pair without a leader.",
      play: plays.leadsOnAfterALostGrant,
    },
    GAVE_AWAY: {
      breaks: "A leader that stood still while its role was offered keeps the peer from leading, and does nothing.",
      play: plays.leadsAgainAfterAStall,
    },
    RELEASED: { breaks: "An engine that nobody can reach leads on.", play: plays.stopsWithItsListener },
    "xstate.done.actor.campaign": { breaks: "No campaign is ever won.", play: plays.leads },
    "xstate.after.quarantine.leadership.follower.quarantined": "open",
    "xstate.after.holdDown.leadership.follower.holdingDown": "open",
    "xstate.after.patience.leadership.follower.behind": "open",
    "xstate.after.nextLook.leadership.follower.waiting": "open",
    "xstate.after.votesLapse.leadership.leader.confirmed": {
      breaks: "A leader without any vote does not say so.",
      play: plays.saysWhoVotes,
    },
    "xstate.after.answer.leadership.leader.verifying": "open",
  },
  campaign: {
    "xstate.done.actor.0.campaign.askingForVote": {
      breaks: "No election is won: the pair has no leader.",
      play: plays.leads,
    },
    "xstate.done.actor.0.campaign.readingRecord": {
      breaks: "A campaign with a witness never ends: the pair has no leader.",
      play: plays.leads,
    },
    "xstate.done.actor.0.campaign.swappingRecord": {
      breaks: "A campaign with a witness never ends: the pair has no leader.",
      play: plays.leads,
    },
    "xstate.done.actor.0.campaign.outlastingLeader": {
      breaks: "A person cannot take the role from a living leader under `consistency`.",
      play: plays.outlastsTheLeader,
    },
  },
  "peer-link": {
    AWAKE: {
      breaks: "An engine that slept never notices any more that its peer is silent.",
      play: plays.forgivesItsOwnSleep,
    },
    HEARD: { breaks: "A peer that is heard counts as silent.", play: plays.hearsItsPeer },
    VOUCHED: { breaks: "A busy peer whose watch vouches for it counts as silent.", play: plays.believesTheWatch },
    REFUSED: { breaks: "A peer whose process is gone counts as alive until it is silent.", play: plays.provesADeath },
    DOUBTED: { breaks: "A peer that answers again still counts as dead.", play: plays.doubtsItsProof },
    "xstate.after.untilSilent.peer-link.connecting": {
      breaks: "An engine that never hears its peer waits for it for ever.",
      play: plays.neverMeetsItsPeer,
    },
    "xstate.after.untilSuspect.peer-link.alive": {
      breaks: "The silence of the peer is never noticed.",
      play: plays.missesItsPeer,
    },
    "xstate.after.untilSilent.peer-link.suspect": {
      breaks: "A peer that is silent for ever stays suspect.",
      play: plays.missesItsPeer,
    },
  },
  "witness-vote": {
    FORGOTTEN: "open",
    LEAD: "open",
    UNREACHABLE: "open",
    STRANGE: "open",
    ANSWERED: "open",
    FOLLOW: "open",
    UNKNOWN: "open",
  },
  handover: {
    ASK: { breaks: "The target never takes the role: every handover fails.", play: plays.handsOver },
    ASKED: { breaks: "The leader answers no request: every handover fails.", play: plays.handsOver },
    OFFER: { breaks: "The leader counts no handover as under way, and says that it failed.", play: plays.handsOver },
    GRANTED: { breaks: "The target never uses the grant: every handover fails.", play: plays.handsOver },
    REFUSED: {
      breaks: "The target waits for a grant that was refused, and cannot say why.",
      play: plays.hearsTheRefusal,
    },
    RELIEVED: {
      breaks: "The old leader does not notice that its role has arrived, and says that the handover failed.",
      play: plays.handsOver,
    },
    "xstate.done.actor.drain": { breaks: "The leader never grants: every handover fails.", play: plays.handsOver },
    "xstate.done.actor.takeOver": {
      breaks: "The target counts its handover as under way for ever, and refuses the next one.",
      play: plays.handsOverAndBack,
    },
    "xstate.after.window.handover.asking": {
      breaks: "A request that is lost blocks the target for ever.",
      play: plays.endsWithoutGrant,
    },
    "xstate.after.window.handover.offering": {
      breaks: "An offer that is lost blocks the leader for ever.",
      play: plays.leadsOnAfterALostOffer,
    },
    "xstate.after.window.handover.draining": {
      breaks: "A leader that cannot drain takes no more commands.",
      play: plays.leadsOnWithoutDraining,
    },
    "xstate.after.window.handover.granting": {
      breaks: "A grant that is lost leaves the pair without a leader.",
      play: plays.leadsOnAfterALostGrant,
    },
  },
  "catch-up": {
    LEADER_LOST: {
      breaks: "A follower that has lost its leader still says that it lacks nothing.",
      play: plays.doubtsItselfAlone,
    },
    LEADING: { breaks: "A leader says that it is not ready.", play: plays.leads },
    HANDED_OVER: {
      breaks: "A leader that handed its role over asks for the log that it gave before it confirms a command.",
      play: plays.followsWhomItHandedOverTo,
    },
    HEARD: { breaks: "No follower ever becomes ready.", play: plays.leads },
    COMPARE: { breaks: "An engine that lost its state never gets the leader's.", play: plays.comparesForItsEngine },
    PLANNED: {
      breaks: "No follower ever becomes ready, or says that it reconciles.",
      play: plays.saysThatItReconciles,
    },
    MOVED: {
      breaks: "A follower gives its pages up while they still come.",
      play: plays.takesPages,
    },
    RECEIVED: { breaks: "A follower never takes the snapshot that it is sent.", play: plays.takesASnapshot },
    FINISHED: {
      breaks: "A follower that has taken the log becomes ready only after its patience has ended.",
      play: plays.takesTheLog,
    },
    FAILED: { breaks: "A follower that cannot apply the log never asks for the whole state.", play: plays.asksForAll },
    APPLIED: { breaks: "Failures of long ago make a follower ask for the whole state.", play: plays.forgetsFailures },
    FLAWED: { breaks: "A store with a flaw is not replaced by the leader's state.", play: plays.asksForAllAfterAFlaw },
    "xstate.done.actor.restore": {
      breaks: "A follower that has taken a snapshot is never ready.",
      play: plays.takesASnapshot,
    },
    "xstate.after.patience.catch-up.comparing": {
      breaks: "A follower whose plan was lost waits for ever.",
      play: plays.asksAgainWithout("catch-up-plan"),
    },
    "xstate.after.patience.catch-up.replaying": {
      breaks: "A follower whose page was lost waits for ever.",
      play: plays.asksAgainWithout("catch-up-page"),
    },
    "xstate.after.patience.catch-up.restoring.receiving": {
      breaks: "A follower whose piece of a snapshot was lost waits for ever.",
      play: plays.asksAgainAfter("snapshot"),
    },
    "xstate.after.patience.catch-up.reconciling": {
      breaks: "A follower whose leader never reconciles waits for ever.",
      play: plays.asksAgainAfter("reconcile"),
    },
    "xstate.after.patience.catch-up.askingForAll": {
      breaks: "A follower whose request for the whole state was lost waits for ever.",
      play: plays.asksForAllAgain,
    },
    "xstate.after.backoff.catch-up.backingOff": {
      breaks: "A follower that could not apply the whole state never asks for it again.",
      play: plays.backsOff,
    },
  },
  "reconcile-lock": {
    ACQUIRE: { breaks: "No recovery gets the lock: the pair stays apart.", play: plays.recovers },
    RELEASE: { breaks: "The lock stays held after the recovery, and nobody else gets it.", play: plays.freesTheLock },
    "xstate.done.actor.acquire": {
      breaks: "The lock is acquired at the witness and never used: the pair stays apart.",
      play: plays.recovers,
    },
    "xstate.after.untilMargin.reconcile-lock.held": {
      breaks: "The lock counts as held after the witness has let it lapse.",
      play: plays.endsInTime,
    },
    "xstate.after.refreshDelay.reconcile-lock.held.fresh": {
      breaks: "The lock is never refreshed, and lapses under a long recovery.",
      play: plays.staysHeld,
    },
    "xstate.done.actor.refresh": {
      breaks: "A refresh extends nothing: the lock is given up although it stands.",
      play: plays.staysHeld,
    },
  },
  "split-brain": {
    DIVERGED: { breaks: "The winner never recovers: the follower stays unready.", play: plays.recovers },
    AGREED: {
      breaks: "With the loser's last answer lost, the alarm stands and the recovery is repeated.",
      play: plays.endsByTheNextRequest,
    },
    DEMOTED: { breaks: "A former leader keeps its alarm and its lock.", play: plays.leavesToTheNextWinner },
    LINK_LOST: { breaks: "The lock stays held while the loser is out of reach.", play: plays.freesTheLockWithoutLink },
    LOCK_LOST: {
      breaks: "The recovery goes on without a lock until the loser refuses it or asks again.",
      play: plays.beginsAgainWithoutLock,
    },
    "xstate.done.actor.lock": { breaks: "The recovery has the lock and does nothing with it.", play: plays.recovers },
    "xstate.done.actor.compare": { breaks: "The loser's commands are fetched and not judged.", play: plays.recovers },
    "xstate.done.actor.resolve": { breaks: "The loser never gets the winner's state.", play: plays.recovers },
    "xstate.done.actor.verify": {
      breaks: "The loser's answer ends nothing: the alarm and the lock stay until it asks again.",
      play: plays.endsByTheAnswer,
    },
    "xstate.error.actor.*": { breaks: "A step that failed is never repeated.", play: plays.triesAgain },
    "xstate.after.backoff.split-brain.backingOff": {
      breaks: "A recovery that was interrupted is never begun again.",
      play: plays.triesAgain,
    },
  },
  engine: {
    ANSWERED: { breaks: "The state says that the engine was never reached.", play: plays.isWell },
    REFUSED: { breaks: "The state of an engine whose process is gone counts as the pair's.", play: plays.isGone },
    STALLED: { breaks: "The state of an engine that stands still counts as the pair's.", play: plays.stands },
    FAILED: { breaks: "The state does not say that the engine reports a failure.", play: plays.hasFailed },
    LOST: { breaks: "An engine that was restarted without its state is not restored.", play: plays.isRestored },
    RESTORED: { breaks: "An engine with the pair's state stays unfit.", play: plays.isRestored },
  },
  "sync-peer": {
    DUE: { breaks: "No exchange ever begins.", play: plays.exchanges },
    PAUSE: { breaks: "A person's pause does not hold.", play: plays.pauses },
    IDENTIFIED: { breaks: "An exchange ends before its first page.", play: plays.exchanges },
    MISMATCHED: {
      breaks: "Whoever asks for an exchange with a stranger is never answered.",
      play: plays.refusesAStranger,
    },
    FAILED: { breaks: "After one failure there is never another exchange.", play: plays.exchangesAgainAfterAFailure },
    MORE: { breaks: "Only the first page is taken.", play: plays.exchanges },
    FINISHED: { breaks: "Nothing is given, and no exchange follows.", play: plays.exchanges },
    RESUME: { breaks: "A pause never ends.", play: plays.resumes },
    RESET: { breaks: "A stranger that a person has accepted is never spoken to again.", play: plays.trustsAfterAReset },
  },
  "outbox-pump": {
    LEAD: { breaks: "A leader publishes nothing.", play: plays.publishes },
    WAKE: { breaks: "What is committed later is not published.", play: plays.publishes },
    DUE: { breaks: "What failed once waits for the next commit.", play: plays.triesTheSinkAgain },
    YIELD: {
      breaks: "A sink that never answered blocks its stack in the next leadership too.",
      play: plays.publishesInTheNextLeadership,
    },
    STOP: { breaks: "A stop does not wait for what is under way, but for its whole second.", play: plays.stopsInTime },
    DRAINED: { breaks: "The outbox says that it publishes when nothing is left.", play: plays.publishes },
    WAITING: { breaks: "The outbox does not say that it waits for its sink.", play: plays.triesTheSinkAgain },
    LANDED: {
      breaks: "A stop waits for its whole second although nothing is under way any more.",
      play: plays.stopsInTime,
    },
  },
};
