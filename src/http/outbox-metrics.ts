/**
 * Purpose: the outbox as Prometheus metrics.
 * Keeps true: one look at the outbox a scrape, however many metrics tell of it.
 */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Coordinator } from "../coordinator/types.ts";
import type { OutboxStatus } from "../outbox/outbox.ts";

type Reading = readonly [name: string, help: string, reading: (status: OutboxStatus) => number];

/** The first one takes the look that the others tell of. */
const GAUGES: readonly Reading[] = [
  ["outbox_depth", "Events that wait to be published, dead letters included", ({ depth }) => depth],
  [
    "outbox_oldest_age_seconds",
    "Age of the event that has waited longest",
    ({ oldest }) => (oldest?.ageMs ?? 0) / 1_000,
  ],
  ["outbox_dead", "Dead letters", ({ dead }) => dead],
];
const COUNTERS: readonly Reading[] = [
  ["outbox_published_total", "Events published", ({ published }) => published],
  ["outbox_duplicates_total", "Events published that stood in the feed before", ({ duplicates }) => duplicates],
  [
    "outbox_attempts_total",
    "Attempts to publish an event, failed ones included",
    ({ published, failedAttempts }) => published + failedAttempts,
  ],
  ["outbox_failed_attempts_total", "Attempts that failed", ({ failedAttempts }) => failedAttempts],
];
/** From commit to feed. */
const PUBLISH_BUCKETS_SEC = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30];

/** Adds the metrics; what it returns ends listening. */
export function addOutboxMetrics(registry: Registry, coordinator: Coordinator): () => void {
  const registers = [registry];
  let status: OutboxStatus | null = null;
  const look = (isFirst: boolean): OutboxStatus => {
    if (isFirst || status === null) status = coordinator.outbox();
    return status;
  };
  GAUGES.forEach(([name, help, reading], index) => {
    const gauge: Gauge = new Gauge({
      ...{ name: `changeover_${name}`, help, registers },
      collect: () => gauge.set(reading(look(index === 0))),
    });
  });
  for (const [name, help, reading] of COUNTERS) {
    const counter: Counter = new Counter({
      ...{ name: `changeover_${name}`, help, registers },
      collect: () => {
        counter.reset();
        counter.inc(reading(look(false)));
      },
    });
  }
  const latency = new Histogram({
    name: "changeover_outbox_publish_duration_seconds",
    help: "From the commit of a batch's first event to its place in the feed",
    buckets: PUBLISH_BUCKETS_SEC,
    registers,
  });
  return coordinator.subscribe((event) => {
    if (event.type === "published") latency.observe(Math.max(0, event.latencyMs) / 1_000);
  });
}
