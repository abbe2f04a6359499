/** The stage of the scenarios with a feed in memory, to which both engines publish. */
import { expect, test } from "vitest";
import { MemoryFeed, MemorySink, type MemorySinkInit } from "../../src/adapters/memory-sink.ts";
import type { ControlEvent } from "../../src/core/control-event.ts";
import type { Label } from "../../src/core/ids.ts";
import { Stage, type StageSettings } from "../scenarios/stage.ts";

export class FeedStage extends Stage {
  readonly feed: MemoryFeed;
  /** How publishing goes from now on. */
  readonly sink: { -readonly [Name in keyof MemorySinkInit]: MemorySinkInit[Name] };

  constructor(settings: StageSettings = {}) {
    const feed = new MemoryFeed();
    const sink: FeedStage["sink"] = {};
    super({
      ...settings,
      wrapPorts: (given) => {
        const init = {
          faultOf: (event: ControlEvent) => sink.faultOf?.(event) ?? null,
          delayMs: () => sink.delayMs?.() ?? 0,
        };
        return { ...given, sink: new MemorySink({ clock: given.clock, feed }, init) };
      },
    });
    this.feed = feed;
    this.sink = sink;
  }

  /** What stands in the feed of one stack, in the order of the feed. */
  events(stackId: string): readonly ControlEvent[] {
    return this.feed.entries.map(({ event }) => event).filter((event) => event.stackId === stackId);
  }

  versions(stackId: string): readonly number[] {
    return this.events(stackId).map(({ version }) => version);
  }

  waiting(label: Label): number {
    return this.coordinator(label).outbox().depth;
  }

  /** Nothing waits any more on those that live. */
  async published(limitMs = 60_000): Promise<void> {
    const living = (["a", "b"] as const).filter((label) => this.process(label).alive);
    await this.until("all is published", () => living.every((label) => this.waiting(label) === 0), limitMs);
  }
}

export function onStage(title: string, play: (stage: FeedStage) => Promise<void>, settings: StageSettings = {}): void {
  test(title, async () => {
    const stage = new FeedStage(settings);
    await stage.onAir("a");
    await play(stage);
  });
}

/** Every event once, and in every stack the versions in their order. */
export function expectOrdered(stage: FeedStage): void {
  const events = stage.feed.entries.map(({ event }) => event);
  expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(events.length);
  for (const stackId of new Set(events.map((event) => event.stackId))) {
    const versions = stage.versions(stackId);
    expect(versions, stackId).toEqual([...versions].sort((left, right) => left - right));
  }
}
