/**
 * The two stores of a pair in one process: what one engine accepts, the other holds before anybody is told. Which of them
 * leads changes from life to life; a death in between leaves one a command ahead, as it does with two processes.
 */
import { mkdirSync } from "node:fs";
import { NanoIds, SystemClock, SystemRandom } from "../../src/adapters/basics.ts";
import { SqliteStore } from "../../src/adapters/sqlite-store.ts";
import type { Command } from "../../src/core/command.ts";
import { hlcNow } from "../../src/core/hlc.ts";
import { DEFAULT_OUTBOX } from "../../src/core/settings.ts";
import { Outbox } from "../../src/outbox/outbox.ts";
import type { FeedSink } from "../../src/ports/feed-sink.ts";
import type { Store } from "../../src/ports/store.ts";

const quiet = (): void => undefined;
const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const clock = new SystemClock();
const ids = new NanoIds();

export interface TwoStores {
  readonly leader: Store;
  readonly outbox: Outbox;
  /** Accepts `count` commands; returns the last seq once both stores hold it. */
  accept(count: number): number;
  close(): Promise<void>;
}

/** Opens both stores in `folder`; in life `n` the one of `n`'s parity leads, and the other takes over its log. */
export function openTwoStores(folder: string, life: number, sink: FeedSink): TwoStores {
  const stores = ["a", "b"].map((name) => {
    mkdirSync(`${folder}/${name}`, { recursive: true });
    return new SqliteStore({ ids }, { dataDir: `${folder}/${name}` });
  });
  const [leader, follower] = (life % 2 === 0 ? stores : stores.reverse()) as [SqliteStore, SqliteStore];
  const { engineId, clock: held } = leader.load();
  const epoch = life + 1;
  let heldSeq = leader.positions().log.seq;
  const parts = { clock, random: new SystemRandom(), logger, host: { ports: { clock }, options: {} } };
  const init = { ...DEFAULT_OUTBOX, sink: "under-test", tenantId: "studio-1" };
  const joint = { mayWriteBack: () => true, answeredSeq: () => heldSeq, published: quiet, alarm: quiet };
  const second = new Outbox({ ...parts, store: follower, sink }, init, {
    ...{ ...joint, mayPublish: () => null, leads: () => false, tellPeer: quiet },
  });
  const outbox = new Outbox({ ...parts, store: leader, sink }, init, {
    ...{
      ...joint,
      mayPublish: () => epoch,
      leads: () => true,
      tellPeer: (marks, feedId) => second.takeMarks(marks, feedId),
    },
  });
  takeOver(leader, follower, epoch);
  let originSeq = held[engineId] ?? 0;
  let hlc = leader.positions().hlc;
  return {
    leader,
    outbox,
    accept: (count) => {
      const commands = Array.from({ length: count }, (_, index): Command => {
        originSeq += 1;
        hlc = hlcNow(hlc, clock.unixMs(), engineId);
        const made = { seq: heldSeq + index + 1, epoch, hlc, executeAtUs: 0, origin: engineId, originSeq };
        const said = { kind: "POST /cut", payload: { source: `cam-${originSeq}` }, idempotencyKey: null };
        return { ...made, ...said, clock: { [engineId]: originSeq } };
      });
      leader.append(commands);
      follower.append(commands);
      heldSeq += count;
      outbox.answered();
      return heldSeq;
    },
    close: async () => {
      await outbox.finish();
      outbox.stop();
      second.stop();
      await sink.close();
      for (const store of stores) store.close();
    },
  };
}

/** Afterwards the follower's log is the leader's: what it lacks is added, what only it has is taken back. */
function takeOver(leader: Store, follower: Store, epoch: number): void {
  const { log, hlc } = leader.positions();
  const own = follower.positions().log;
  if (own.seq < log.seq) follower.append(leader.commandsAfter(own.seq, 100_000).commands);
  if (own.seq <= log.seq) return;
  const state = follower.draftState();
  state.add("{}");
  follower.adopt({
    ...{ keepThroughSeq: log.seq, commands: [], base: null, checkpoint: { position: log, state } },
    ...{ keys: [], conflicts: [], outbox: [], baseClock: {}, hlc, acceptedEpoch: epoch, lockFence: 0 },
  });
}
