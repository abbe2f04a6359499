/** What a feed owes when its broker fails: killed, out of reach, hanging. For every feed that is a server. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePort } from "../support/free-port.ts";
import {
  anEvent,
  events,
  type FeedUnderTest,
  publishAll,
  readAll,
  versionsOf,
} from "../../src/testing/feed-sink-contract.ts";

interface Broker {
  readonly port: number;
  readonly url: string;
  signal(name: "SIGSTOP" | "SIGCONT" | "SIGKILL"): Promise<void>;
  stop(): Promise<void>;
}

/** A kind of broker. */
export interface BrokerKind {
  readonly start: (options: { readonly dir: string; readonly port?: number }) => Promise<Broker>;
  readonly feed: (url: string) => FeedUnderTest;
}

/** What is on at the moment: a broker that is killed is followed by another at its place. */
interface Stage {
  readonly kind: BrokerKind;
  readonly dir: string;
  readonly given: FeedUnderTest;
  broker: Broker;
}

const KILLS = 8;
/** Published between two kills: longer under way than the kill waits. */
const EVENTS = 2_000;
const KILL_WITHIN_MS = 15;
/** A call may take its time-out of 2 s, and a connection attempt before it. */
const BOUND_MS = 8_000;

export function feedBrokerContract(name: string, kind: BrokerKind): void {
  describe(`feed broker contract: ${name}`, () => {
    let dir: string;
    let stage: Stage;
    beforeEach(async () => {
      dir = mkdtempSync(join(tmpdir(), "changeover-broker-"));
      const broker = await kind.start({ dir });
      stage = { kind, dir, broker, given: kind.feed(broker.url) };
    });
    afterEach(async () => {
      await stage.given.end();
      await stage.broker.stop();
      rmSync(dir, { recursive: true, force: true });
    });

    const onStage = (): Stage => stage;
    killing(onStage);
    unreachable(onStage);
    hanging(onStage);
    reading(onStage);
  });
}

function killing(stage: () => Stage): void {
  it(`keeps all it said, once and in order, over ${KILLS} kills in the middle of batches`, async () => {
    const sink = stage().given.sink();
    const through = EVENTS * KILLS;
    let failures = 0;
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const publishing = publishAll(sink, events(EVENTS * (kill - 1) + 1, EVENTS * kill));
      const delayMs = Math.random() * KILL_WITHIN_MS;
      const restarting = new Promise((resolve) => void setTimeout(resolve, delayMs)).then(async () => {
        await stage().broker.signal("SIGKILL");
        stage().broker = await stage().kind.start({ dir: stage().dir, port: stage().broker.port });
      });
      const [results] = await Promise.all([publishing, restarting]);
      failures += results.filter(({ failure }) => failure !== null).length;
    }
    expect(failures).toBeGreaterThan(0);
    const entries = await readAll(stage().given.source("reader"));
    expect(versionsOf(entries)).toEqual(events(1, through).map((e) => e.version));
  });
}

function unreachable(stage: () => Stage): void {
  it("says that nobody is there, in bounded time, and publishes when somebody is", async () => {
    const port = await freePort();
    const other = stage().kind.feed(stage().broker.url.replace(String(stage().broker.port), String(port)));
    const sink = other.sink();
    const startedMs = performance.now();
    for (let call = 0; call < 3; call += 1) {
      expect(await sink.publish(events(1, 5))).toMatchObject({ published: [], failure: { reason: "unavailable" } });
    }
    expect((await other.source("reader").read(0, 10)).outcome).toBe("unavailable");
    expect(performance.now() - startedMs).toBeLessThan(4 * BOUND_MS);
    const otherDir = mkdtempSync(join(tmpdir(), "changeover-broker-"));
    const late = await stage().kind.start({ dir: otherDir, port });
    await publishAll(sink, events(1, 5));
    expect(versionsOf(await readAll(other.source("reader")))).toEqual([1, 2, 3, 4, 5]);
    await other.end();
    await late.stop();
    rmSync(otherDir, { recursive: true, force: true });
  });
}

function hanging(stage: () => Stage): void {
  it("gives up a broker that hangs, in bounded time, and goes on when it wakes", async () => {
    const sink = stage().given.sink();
    await publishAll(sink, events(1, 5));
    await stage().broker.signal("SIGSTOP");
    const startedMs = performance.now();
    const result = await sink.publish(events(6, 10));
    expect(result).toMatchObject({ published: [], failure: { reason: "unavailable" } });
    expect(performance.now() - startedMs).toBeLessThan(BOUND_MS);
    await stage().broker.signal("SIGCONT");
    await publishAll(sink, events(6, 10));
    expect(versionsOf(await readAll(stage().given.source("reader")))).toEqual(events(1, 10).map((e) => e.version));
  });

  it("closes while the broker hangs", async () => {
    const sink = stage().given.sink();
    await sink.publish([anEvent(1)]);
    await stage().broker.signal("SIGSTOP");
    const pending = sink.publish([anEvent(2)]);
    const startedMs = performance.now();
    await sink.close();
    expect(await pending).toMatchObject({ published: [], failure: { reason: "unavailable" } });
    expect(performance.now() - startedMs).toBeLessThan(BOUND_MS);
    await stage().broker.signal("SIGCONT");
  });
}

function reading(stage: () => Stage): void {
  it("a reader misses nothing while its broker is killed under it", async () => {
    const source = stage().given.source("reader");
    const publishing = publishAll(stage().given.sink(), events(1, 2_000));
    const seen: number[] = [];
    for (let cursor = 0, reads = 0; seen.length < 2_000; reads += 1) {
      if (reads === 10) {
        await stage().broker.signal("SIGKILL");
        stage().broker = await stage().kind.start({ dir: stage().dir, port: stage().broker.port });
      }
      const read = await source.read(cursor, 30);
      if (read.outcome === "unavailable") await new Promise((resolve) => void setTimeout(resolve, 20));
      if (read.outcome === "lost") throw new Error("lost", { cause: read });
      if (read.outcome !== "read") continue;
      seen.push(...versionsOf(read.entries));
      cursor = read.entries.at(-1)?.controlVersion ?? cursor;
      await source.acknowledge(cursor);
    }
    await publishing;
    expect(seen).toEqual(events(1, 2_000).map((e) => e.version));
  });
}
