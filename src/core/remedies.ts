/**
 * Every alarm, and what to do about it, in the runbook's words (`docs/runbook.md`; a test compares). Shown beside the alarm by
 * `/api/state`, `changeover status`, `changeover doctor` and the page, because nobody looks for a manual at 3 a.m.
 */

export const REMEDIES = {
  "peer-unreachable":
    'Look at the other host and at the network between them. The role has moved already if it had to. If the host is lost, see "Exchange an engine".',
  "peer-link-lost": "Repair the network of the link that the detail names. Nothing else is affected.",
  "peer-refused":
    'If you replaced the engine, run changeover pair show at both, then changeover pair adopt FINGERPRINT --yes here, see "Exchange an engine". If not, stop what connects from the address in the detail.',
  "refused-by-peer":
    'Run changeover pair adopt with the fingerprint in the detail at the peer, see "Exchange an engine".',
  "number-out-of-reach":
    "The detail says who, where and the value. Once its cause is gone, run changeover pair reset-numbers --yes --url http://ENGINE at both engines, the follower first.",
  "witness-unreachable":
    "Repair the witness before the next failure: the detail says why it does not answer, changeover doctor -c FILE tries it. Without witness and peer nobody takes over without proof.",
  "witness-amnesia":
    "Nothing at once. If it happens again, switch on the persistence of Redis, see deployment-redis.md.",
  "witness-foreign":
    'Stop the stray engine or give one pair another name, then run changeover witness adopt at the engine that leads, see "A strange record in the witness".',
  "witness-corrupt":
    'Find what wrote to the record, then run changeover witness adopt at the engine that leads, see "A strange record in the witness".',
  "no-quorum": "Decide which engine shall be on air, and run changeover force-leader --reason WHY there.",
  "no-valid-backup": "Repair either engine. The role moves by itself as soon as the peer is ready.",
  "handover-missed":
    "Read the reason in the detail, then run changeover handover or plan it again with --at; changeover handover --cancel clears the alarm.",
  unconfirmed: "Repair the network: the other side may lead too. Both are reconciled when they hear each other.",
  "stale-takeover":
    'Bring the other engine back: its commands are then listed as conflicts, and the alarm clears. If it is lost for good, adopt a new one, see "Exchange an engine".',
  "awaiting-operator":
    "Bring the other engine back, or run changeover force-leader --reason WHY here and accept the loss.",
  "hold-down":
    "Find out what flaps: changeover history lists the changes. A dead peer or a person still moves the role.",
  "maintenance-blocks-failover":
    "Run changeover maintenance off, or changeover force-leader --reason WHY at the other engine.",
  "engine-failed":
    "Look into the engine's own log: the detail says what it did. Restart it; it is restored before it is ready.",
  "engine-hook":
    "Correct that hook in the engine's program and restart both engines, the follower first (changeover handover in between). The alarm clears 10 s after the last fault, once the hook answers well again.",
  "engine-foreign": "Correct engine.baseUrl in this engine's configuration and restart this coordinator.",
  "engine-restore-limit":
    "The engine is not deterministic, or something changes it past Changeover. Correct it, then restart the follower's engine and its coordinator.",
  "engine-hook-slow": "Make the role hook faster, or raise its budget. The role has moved all the same.",
  "loop-stalled":
    "Find what blocks the event loop of the engine that the detail names: a hook of an embedded engine, or a slow disk. If it must block for that long, raise engine.stallMs on both engines. The alarm clears after 10 s.",
  "commands-late":
    "Look for a slow engine, a busy host or a link that delays. If the link is simply that slow, raise commands.leadTimeMs on both engines.",
  "lockstep-degraded": "Look at PTP or NTP on both hosts. Roles are not affected.",
  "state-drift":
    "The follower takes the leader's state by itself, at most three times an hour. If it comes back, the engines are not deterministic, or one is changed past Changeover.",
  "split-brain":
    "Repair witness and link: recovery starts again with the next heartbeat. changeover conflicts list shows what did not stand.",
  "conflicts-open": "Run changeover conflicts list, then changeover conflicts resolve for each.",
  "store-failed":
    "Free space (df -h on dataDir) or repair the disk. No restart is needed: the engine tests the disk every second and clears the alarm. To move the role back: changeover handover at the leader.",
  "store-inconsistent":
    "As follower it takes the leader's whole state by itself. If this engine leads, run changeover handover at it; it is replaced once it follows.",
  resynced:
    "Nothing has to be done: the alarm clears after 10 min. If it comes back, keep the data folder and the log, and report it.",
  "version-skew": "Finish the upgrade: changeover status at both engines shows the versions.",
  "clocks-far-apart":
    "Set the clocks right (chronyc makestep). Roles, lockstep and commands do not depend on it. The alarm clears on both engines.",
  "changeover-unconfirmed": "Look at the switch that the detail names. It is asked again until it confirms.",
  "clock-wrong":
    "Set the clock of this host right (chronyc makestep). Records that nobody could take are then issued again by themselves.",
  "history-forked":
    "Of records nothing is lost: the writer goes on under a new origin by itself. Run changeover conflicts list for edits of one field. Where the detail names commands, tell those who gave them: they do not stand, and raise commands.keep. Of two machines on copies of one folder, stop one and empty its dataDir. The alarm clears after 10 min.",
  "quota-near":
    "Run changeover federation origins, then changeover federation release ORIGIN for those that nobody uses, or raise replication.maxOriginsPerToken.",
  "op-quarantined":
    "Run changeover ops aside: it shows the claim. An engine works on a restored or shared dataDir, or somebody forges.",
  "op-dead-letter": "Run changeover ops aside, then correct the record at its origin or run changeover ops skip.",
  "op-unsigned": "Find who wrote or brought it before you set signatures: enforce.",
  "federation-failing": "Run changeover federation status: it names the peer and the reason, see federation.md.",
  "federation-refused":
    "If the peer was replaced, run changeover federation reset-peer NAME; else find out who answers there.",
  "hub-unreachable": "The detail says why and what to do; records are kept here until it is back.",
  "hub-out-of-step":
    "The detail names the operation, the reason and what to do. The alarm clears with the first exchange that leaves nothing out.",
  "outbox-dead-letter":
    "Run changeover outbox status, correct the cause and run changeover outbox retry EVENT, or give it up with changeover outbox skip EVENT.",
  "outbox-behind": "Make the broker reachable, or correct outbox in the configuration. The programme is not affected.",
  "feed-lost": "Run changeover outbox resync at the leader, then resync() at each consumer.",
} satisfies Readonly<Record<string, string>>;
