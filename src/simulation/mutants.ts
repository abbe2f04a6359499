/**
 * Mistakes that a person could make, one at a time: the text as it stands, and the text with the mistake. `npm run sim --
 * --mutants` applies each to a copy of the tree and notes who notices: the simulator, or the tests that touch the file.
 */

/** One mistake. `simulated`: the file runs in the virtual world, so the simulator should notice. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly simulated: boolean;
  readonly seenIn?: Expected;
  /** The test that notices where the simulator does not; left out: any that touches the file. */
  readonly test?: string;
}

const A = "src/actors/";

/** The test that notices a mistake, where it is known. The others are tried with all tests that touch the file. */
const NOTICED_BY: Readonly<Record<string, string>> = {
  "a checkpoint of a replaced state is kept": "test/actors/executor.test.ts",
  "a fence below the floor is accepted": "test/actors/rules.test.ts",
  "a gap in the log is not noticed": "test/actors/command-log.test.ts",
  "a grant counts for as long as the leader waits": "test/core/vote-window.test.ts",
  "a grant that came too late is used": "test/coordinator/handover-bounds.test.ts",
  "a pause begins no quarantine": "test/coordinator/pause.test.ts",
  "an older hold overrules a newer one": "test/actors/restraints.test.ts",
  "a leader votes for another": "test/actors/election.test.ts",
  "what the peer said before it was given the role counts": "test/coordinator/handover-bounds.test.ts",
  "a candidate votes for another": "test/actors/election.test.ts",
  "a queue is committed without a vote": "test/actors/command-log.test.ts",
  "a leader without a vote answers": "test/actors/command-log.test.ts",
  "a leader executes without a vote": "test/actors/executor.test.ts",
  "a former leader executes what nobody confirmed": "test/actors/executor.test.ts",
  "what the leader has executed waits for our clock": "test/actors/executor.test.ts",
  "a leader without a vote asks the switch": "test/actors/role-hooks.test.ts",
  "the window of the hold-down is half as long": "test/actors/restraints.test.ts",
  "the target leads before it has the last commands": "test/coordinator/handover-bounds.test.ts",
  "mayAct is computed once a heartbeat": "test/coordinator/may-act.test.ts",
  "a lapsed grant is used": "test/coordinator/campaign-ends.test.ts",
  "a lapsed proof counts": "test/coordinator/adoption.test.ts",
  "a stranger is forced gracefully": "test/coordinator/exchanged-engine.test.ts",
  "an engine goes on behind all that the log still holds": "test/coordinator/engine-ahead.test.ts",
  "a proof of the lock outlives the silence": "test/actors/lock-proof.test.ts",
  "an answer that the lock is another's is not heard": "test/actors/lock-proof.test.ts",
  "a lock in doubt counts": "test/actors/lock-proof.test.ts",
  "a leader that gave its role away may act": "test/actors/rules.test.ts",
  "what is held back is called in step": "test/replication/federation.test.ts",
  "a leader without a vote grants": "test/coordinator/handover-bounds.test.ts",
  "a probe outweighs a heartbeat that came since": "test/actors/peer-monitor.test.ts",
  "a record that was not watched for a while counts as watched": "test/actors/witness-vote.test.ts",
  "a snapshot carries no idempotency keys": "test/coordinator/exchanged-engine.test.ts",
  "a vote in an election is no promise": "test/actors/election.test.ts",
  "amnesia is told to nobody": "test/actors/witness-vote.test.ts",
  "an accepted epoch may fall": "test/actors/epoch-book.test.ts",
  "what the disk refused was never seen": "test/actors/epoch-book.test.ts",
  "one handover resets the hold-down": "test/actors/restraints.test.ts",
  "silence alone wins without a witness": "test/coordinator/campaign-ends.test.ts",
  "the accepted epoch may fall on disk": "test/contracts/store.test.ts",
  "the fence may fall on disk": "test/contracts/store.test.ts",
  "the ground is not asked again": "test/coordinator/campaign-ends.test.ts",
  "the keys of lost commands stay": "test/contracts/store.test.ts",
  "the lock is used to its last ms": "test/actors/reconcile-lock.test.ts",
  "the wall clock's gap is not looked at": "test/actors/pulse.test.ts",
  "votes outlive the leadership": "test/actors/votes.test.ts",
  "what a new leader holds counts as held by the pair": "test/actors/command-log.test.ts",
  "what the peer lacks is compacted": "test/actors/executor.test.ts",
};

/** Where a mistake should be seen: played first. `moments` of the scenario are struck by every fault, parted by "|". */
const SEEN_IN: Readonly<Record<string, Expected>> = {
  "a candidate votes for another": { scenario: "forced over a slow network" },
  "a former leader executes what nobody confirmed": { scenario: "forced over a slow network" },
  "a grant that came too late is used": { scenario: "handovers, too late" },
  "a lapsed grant is used": { scenario: "handovers, late" },
  "a lapsed proof counts": { scenario: "split, lock taken", moments: "sent transfer-ack" },
  "a leader executes without a vote": { scenario: "leader isolated, engine slow" },
  "a leader votes for another": { scenario: "forced over a slow network" },
  "a leader without a vote answers": { scenario: "calm", moments: "sent replicate" },
  "a leader without a vote asks the switch": { scenario: "isolated when the switch" },
  "a leader without a vote grants": { scenario: "asked for its role while frozen" },
  "a pause begins no quarantine": { scenario: "leader without power" },
  "a queue is committed without a vote": { scenario: "calm", moments: "was asked to accept" },
  "a proof of the lock outlives the silence": { scenario: "split, lock taken", moments: "sent transfer-ack" },
  "a snapshot carries no idempotency keys": { scenario: "disk wiped, log short" },
  "a stranger is forced gracefully": {
    scenario: "new disk beside a record of strangers",
    moments: "witness-vote enters renewing.held",
  },
  "a vote in an election is no promise": { scenario: "clean restart", moments: "sent vote-answer" },
  "an older hold overrules a newer one": { scenario: "held here" },
  "mayAct is computed once a heartbeat": { scenario: "leader isolated" },
  "missed heartbeats of one's own sleep count": { scenario: "follower frozen" },
  "what was accepted before a handover waits for a next command": { scenario: "engine of the leader slow" },
  "nothing is drained": { scenario: "handovers, late" },
  "one handover resets the hold-down": { scenario: "frozen, handed back, frozen" },
  "silence alone wins without a witness": {
    scenario: "leader killed",
    moments: "campaign enters readingRecord|campaign enters swappingRecord",
  },
  "the ground is not asked again": { scenario: "leader killed", moments: "campaign enters readingRecord" },
  "the target leads before it has the last commands": { scenario: "handovers to one that stores nothing" },
  "the wall clock's gap is not looked at": { scenario: "wall clock leaps" },
  "the window of the hold-down is half as long": { scenario: "frozen, then the other one" },
  "what a new leader holds counts as held by the pair": {
    scenario: "leader starts again alone",
    moments: "wrote append",
  },
  "what the peer lacks is compacted": { scenario: "log short" },
};

interface Expected {
  readonly scenario: string;
  readonly moments?: string;
}

function mutant(file: string, name: string, from: string, to: string, simulated = true): Mutant {
  const [test, seenIn] = [NOTICED_BY[name], SEEN_IN[name]];
  return {
    ...{ file, name, from, to, simulated },
    ...(test === undefined ? {} : { test }),
    ...(seenIn === undefined ? {} : { seenIn }),
  };
}

export const MUTANTS: readonly Mutant[] = [
  mutant("src/core/claim.ts", "a lease is ten percent longer", "sentAtMs + leaseMs)", "sentAtMs + leaseMs * 1.1)"),
  mutant("src/core/claim.ts", "a grant counts for as long as the leader waits", " - quiesceMs;", ";"),
  mutant(
    `${A}witness-vote.ts`,
    "a renewed leader names the rewrites of the epoch before",
    "return this.#sent?.epoch === epoch ? this.#sent.seq : null;",
    "return this.#sent?.seq ?? null;",
  ),
  mutant(
    `${A}votes.ts`,
    "a vote counts for the heartbeat after the one that it names",
    "const sentAtMs = this.sentAtMs(n);",
    "const sentAtMs = this.sentAtMs(n + 1) ?? this.sentAtMs(n);",
  ),
  mutant(
    `${A}votes.ts`,
    "votes outlive the leadership",
    "    this.#peerUntilMs = NO_VOTE;\n    this.#witnessUntilMs = NO_VOTE;\n    this.#sentAtMs.clear();",
    "    this.#sentAtMs.clear();",
  ),
  mutant(
    `${A}witness-vote.ts`,
    "the witness's vote counts from its answer",
    "this.#votes.witnessVotedFor(sentAtMs);",
    "this.#votes.witnessVotedFor(this.#kit.nowMs());",
  ),
  mutant(
    `${A}witness-vote.ts`,
    "an unknown swap is taken for done",
    'if (!done) return { outcome: "lost", record, runId };',
    'if (!done && record === null) return { outcome: "lost", record, runId };',
  ),
  mutant(`${A}witness-vote.ts`, "amnesia is told to nobody", "    this.#handlers.onAmnesia();", ""),
  mutant(
    `${A}leadership.ts`,
    "a pause is not looked for at the effect",
    "    this.#deps.pulse.check();\n    const { rules, failover } = this.#kit;",
    "    const { rules, failover } = this.#kit;",
  ),
  mutant(
    `${A}leadership.ts`,
    "a leader that steps down may act",
    "    if (!isLeading(this.#machine.getSnapshot())) return false;\n    this.#deps.pulse",
    '    if (this.role !== "leader") return false;\n    this.#deps.pulse',
  ),
  mutant(
    `${A}votes.ts`,
    "an old answer confirms after a pause",
    "sentAtMs >= this.#unverifiedSinceMs",
    "sentAtMs >= this.#unverifiedSinceMs - 600",
  ),
  mutant(
    `${A}leadership.ts`,
    "a leader that was not relieved trusts its old votes",
    "            votes.clear();\n            witness.follow();\n          },\n          resumeLeading: () => {\n            votes.distrust();",
    "            witness.follow();\n          },\n          resumeLeading: () => {",
  ),
  mutant(
    `${A}rules.ts`,
    "mayAct ignores a pause under consistency",
    "return confirmed && view.unverifiedForMs === null;",
    "return confirmed;",
  ),
  mutant(
    `${A}rules.ts`,
    "on-air acts right after a pause",
    "return view.unverifiedForMs === null || view.unverifiedForMs >= view.heartbeatMs;",
    "return true;",
  ),
  mutant(
    `${A}rules.ts`,
    "a vote counts to the end, inclusive and a heartbeat more",
    "const confirmed = view.nowMs < Math.max",
    "const confirmed = view.nowMs < view.heartbeatMs + Math.max",
  ),
  mutant(
    `${A}rules.ts`,
    "a record need stand still for half the time",
    "view.nowMs >= view.recordSinceMs + view.waitMs",
    "view.nowMs >= view.recordSinceMs + view.waitMs / 2",
  ),
  mutant(
    `${A}snapshots.ts`,
    "a snapshot carries no idempotency keys",
    "      keys: store.recentKeys(KEYS_CARRIED),\n      shape: cutShape",
    "      keys: [],\n      shape: cutShape",
  ),
  mutant(`${A}rules.ts`, "a fence below the floor is accepted", "standing.fence >= fenceFloor", "standing.fence >= 0"),
  mutant(
    `${A}rules.ts`,
    "a promise ends a heartbeat early",
    "promiseLapsed: (view) => view.nowMs >= view.promiseUntilMs",
    "promiseLapsed: (view) => view.nowMs >= view.promiseUntilMs - 200",
  ),
  mutant(`${A}rules.ts`, "held by the pair, off by one", "throughSeq >= seq,", "throughSeq >= seq - 1,"),
  mutant(
    `${A}pulse.ts`,
    "the wall clock's gap is not looked at",
    "const unixGapMs = clock.unixMs() - this.#seen.unixMs;",
    "const unixGapMs = 0;",
  ),
  mutant(
    `${A}succession.ts`,
    "a pause begins no quarantine",
    "    this.votes.distrust();\n    this.#quarantine();",
    "    this.votes.distrust();",
  ),
  mutant(
    `${A}succession.ts`,
    "a start begins no quarantine",
    "    this.#quarantine();\n    this.pulse.start();",
    "    this.pulse.start();",
  ),
  mutant(`${A}succession.ts`, "a pause leaves the leader sure of itself", "    this.votes.distrust();\n", ""),
  mutant(
    `${A}succession.ts`,
    "missed heartbeats of one's own sleep count",
    "    this.monitor.forgive();\n    this.votes",
    "    this.votes",
  ),
  mutant(
    `${A}restraints.ts`,
    "quarantine is half as long",
    "this.#quarantinedAtMs + this.#kit.failover.campaignWaitMs",
    "this.#quarantinedAtMs + this.#kit.failover.campaignWaitMs / 2",
  ),
  mutant(
    `${A}restraints.ts`,
    "an older hold overrules a newer one",
    "if (known !== null && laterHlc(heard.stamp, known.stamp) !== heard.stamp) return false;",
    "",
  ),
  mutant(
    `${A}epoch-book.ts`,
    "an accepted epoch may fall",
    "if (epoch <= this.#accepted) return epoch === this.#accepted;",
    "if (epoch === this.#accepted) return true;",
  ),
  mutant(
    `${A}epoch-book.ts`,
    "what the disk refused was never seen",
    "    this.#highest = highestEpoch;\n    this.#behind = true;",
    "",
  ),
  mutant(
    `${A}epoch-book.ts`,
    "a minted epoch is not saved",
    "return this.#save(epoch, this.#accepted) ? epoch : null;",
    "return epoch;",
  ),
  mutant(
    `${A}restraints.ts`,
    "one handover resets the hold-down",
    "    if (isByPeople || epoch",
    "    if (isByPeople) this.#changes = [];\n    if (isByPeople || epoch",
  ),
  mutant(
    `${A}heartbeats.ts`,
    "no promise is kept",
    "    monitor.promiseUntil(receivedAtMonoMs + succession.judge.waitMs);\n",
    "",
  ),
  mutant(
    `${A}leadership.ts`,
    "mayAct is computed once a heartbeat",
    "      nowMs: this.#kit.nowMs(),\n      peerVoteUntilMs",
    "      nowMs: Math.floor(this.#kit.nowMs() / failover.heartbeatMs) * failover.heartbeatMs,\n      peerVoteUntilMs",
  ),
  mutant(`${A}peer-monitor.ts`, "a probe outweighs a heartbeat that came since", " && !heardSince", ""),
  mutant(`${A}election.ts`, "a leader votes for another", 'if (role === "leader") return "leads";', ""),
  mutant(`${A}election.ts`, "a candidate votes for another", 'if (role === "candidate") return "campaigns";', ""),
  mutant(
    `${A}election.ts`,
    "a vote in an election is no promise",
    "      monitor.promiseUntil(this.#grantedUntilMs);\n",
    "",
  ),
  mutant(
    `${A}campaign.ts`,
    "a lapsed grant is used",
    'return this.#kit.nowMs() < ground.untilMs ? this.#won(campaign) : lost("the grant has lapsed");',
    "return this.#won(campaign);",
  ),
  mutant(
    `${A}campaign.ts`,
    "the ground is not asked again",
    "    if (objection !== null) return lost(objection);\n",
    "",
  ),
  mutant(
    `${A}campaign.ts`,
    "silence alone wins without a witness",
    '        return lost("no quorum");\n      case "forced"',
    '        return this.#won(campaign);\n      case "forced"',
  ),
  mutant(
    `${A}handover.ts`,
    "the target leads before it has the last commands",
    "if (comparePositions(this.#deps.log.position, grant.final) === 0) break;",
    "if (comparePositions(this.#deps.log.position, grant.final) <= 0) break;",
  ),
  mutant(`${A}handover.ts`, "nothing is drained", "    await log.drained();\n", ""),
  mutant(
    `${A}handover.ts`,
    "a leader without a vote grants",
    'leadership.role !== "leader" || !leadership.mayAct()',
    'leadership.role !== "leader"',
  ),
  mutant(
    `${A}handover.ts`,
    "a grant that came too late is used",
    "if (this.#kit.nowMs() >= untilMs)",
    "if (this.#kit.nowMs() >= untilMs + failover.handoverMs)",
  ),
  mutant(
    `${A}answers.ts`,
    "a leader without a vote answers",
    "    if (this.#deps.mayAct()) {",
    "    if (this.#deps.mayAct() || true) {",
  ),
  mutant(
    `${A}answers.ts`,
    "what a new leader holds counts as held by the pair",
    "    this.#peerThroughSeq = 0;\n",
    "    this.#peerThroughSeq = position.seq;\n",
  ),
  mutant(
    `${A}command-log.ts`,
    "a queue is committed without a vote",
    "if (this.#deps.mayAct()) this.#commit(batch);",
    "if (batch.length > 0) this.#commit(batch);",
  ),
  mutant(
    `${A}command-log.ts`,
    "a gap in the log is not noticed",
    "      first.seq === this.#position.seq + 1 && (prev.seq < this.#position.seq || prev.epoch === this.#position.epoch);",
    "      first.seq === this.#position.seq + 1;",
  ),
  mutant(
    `${A}executor.ts`,
    "a leader executes without a vote",
    '(this.#deps.role() === "leader" && this.#deps.mayAct())',
    'this.#deps.role() === "leader"',
  ),
  mutant(
    `${A}executor.ts`,
    "a former leader executes what nobody confirmed",
    "    this.#confirmedSeq = this.#executedSeq;\n",
    "    this.#confirmedSeq = this.#deps.logEndSeq();\n",
  ),
  mutant(
    `${A}campaign-judge.ts`,
    "what the peer said before it was given the role counts",
    "    if (last.receivedAtMonoMs <= this.#ledUntilMs) return false;\n",
    "",
  ),
  mutant(
    `${A}executor.ts`,
    "what the leader has executed waits for our clock",
    "seq <= this.#leaderExecutedSeq || ",
    "",
  ),
  mutant(
    "machines/catch-up.machine.ts",
    "what was accepted before a handover waits for a next command",
    'guard: "fits", target: "ready", actions: "confirmAll"',
    'guard: "fits", target: "ready"',
  ),
  mutant(
    `${A}executor.ts`,
    "what the peer lacks is compacted",
    "Math.max(Math.min(beyondKeep, this.#sharedSeq), beyondKeep - MOST_UNSHARED)",
    "beyondKeep",
  ),
  mutant(`${A}executor.ts`, "a checkpoint of a replaced state is kept", "if (resets !== this.#resets || ", "if ("),
  mutant(
    `${A}witness-vote.ts`,
    "a record that was not watched for a while counts as watched",
    "return this.#kit.failover.heartbeatMs * 2 + this.#kit.failover.witnessTimeoutMs;",
    "return Number.POSITIVE_INFINITY;",
  ),
  mutant(
    `${A}loser.ts`,
    "a lapsed proof counts",
    "mayAdopt() && proof.counts ? transfer : null",
    "mayAdopt() ? transfer : null",
  ),
  mutant(
    "src/coordinator/force-leader.ts",
    "a stranger is forced gracefully",
    'identities.refusedByPeer && succession.monitor.state !== "dead"',
    'identities.refusedByPeer && succession.monitor.state === "dead"',
  ),
  mutant(
    "src/coordinator/pair-coordinator.ts",
    "an engine goes on behind all that the log still holds",
    " && held.seq >= ports.store.firstHeldSeq() - 1;",
    ";",
  ),
  mutant(
    `${A}lock-proof.ts`,
    "a proof of the lock outlives the silence",
    "isProven ? Math.min(endsAtMs, sentAtMs + this.#countsForMs) : sentAtMs",
    "isProven ? endsAtMs : sentAtMs",
  ),
  mutant(`${A}lock-proof.ts`, "an answer that the lock is another's is not heard", ": sentAtMs;", ": this.#untilMs;"),
  mutant(`${A}lock-proof.ts`, "a lock in doubt counts", "this.#untilMs = this.#notBeforeMs =", "this.#notBeforeMs ="),
  mutant(
    `${A}reconcile-lock.ts`,
    "the lock is used to its last ms",
    "    return lockEndsAtMs(this.#kit.failover, sentAtMs,",
    "    return lockEndsAtMs(this.#kit.failover, this.#kit.nowMs() + 500,",
  ),
  mutant(
    `${A}role-hooks.ts`,
    "a leader without a vote asks the switch",
    "    if (!this.#acting.mayAct()) return",
    "    if (epoch < 0) return",
  ),
  mutant(
    "src/coordinator/join-replication.ts",
    "a lapsed leader publishes",
    "leadership.mayAct() ? book.accepted : null",
    "leads() ? book.accepted : null",
  ),
  mutant(
    "src/core/claim.ts",
    "the window of the hold-down is half as long",
    "at > nowMs - windowMs",
    "at > nowMs - windowMs / 2",
  ),
  mutant("src/adapters/sqlite-store/open.ts", "synchronous = NORMAL", "synchronous = FULL", "synchronous = NORMAL"),
  mutant(
    "src/adapters/sqlite-store/state-row.ts",
    "the accepted epoch may fall on disk",
    "accepted_epoch = max(accepted_epoch, ?)",
    "accepted_epoch = ?",
  ),
  mutant(
    "src/adapters/sqlite-store/state-row.ts",
    "the fence may fall on disk",
    "lock_fence = max(lock_fence, ?)",
    "lock_fence = ?",
  ),
  mutant(
    "src/adapters/sqlite-store.ts",
    "the keys of lost commands stay",
    "      this.#keys.dropAfter(keepThroughSeq);\n",
    "",
  ),
  mutant(
    `${A}rules.ts`,
    "a leader that gave its role away may act",
    "if (!view.leads || view.gaveAway) return false;",
    "if (!view.leads) return false;",
  ),
  mutant(
    "src/replication/exchange.ts",
    "what is held back is called in step",
    "stalled: isStalled(at) };",
    "stalled: false };",
  ),
  mutant(
    "src/replication/records.ts",
    "a record is written that nobody can take",
    "    if (wrong !== null) return wrong;\n    let op",
    "    let op",
  ),
  mutant(
    "src/coordinator/reports.ts",
    "an engine whose records nobody can take is ready",
    "return toLead.ready && isClockWrong ? ",
    "return toLead.ready && isClockWrong && toLead.reasons.length > 0 ? ",
  ),
  mutant(
    "src/coordinator/actors.ts",
    "a wrong clock is told to nobody",
    "      wrongMs !== null,\n      `stamps",
    "      false,\n      `stamps",
  ),
];
