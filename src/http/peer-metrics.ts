/** Purpose: the federation peers as Prometheus metrics, one series a peer. */
import { Gauge, type Registry } from "prom-client";
import type { Coordinator } from "../coordinator/types.ts";
import type { PeerStatus } from "../replication/federation-peer.ts";

type Reading = (peer: PeerStatus) => number;

const GAUGES: Readonly<Record<string, readonly [help: string, reading: Reading]>> = {
  healthy: [
    "1 while the last exchange with the peer ended with nothing held back",
    ({ health }) => Number(health !== null && health.lastError === null && health.lastSuccess !== null),
  ],
  paused: ["1 while the peer is not asked", ({ mode }) => Number(mode === "paused")],
  failures: ["Exchanges that failed since the last good one", ({ health }) => health?.consecutiveFailures ?? 0],
  lag_operations: [
    "Operations that the peer holds and this engine does not; NaN before it told",
    ({ lag }) => lag ?? NaN,
  ],
  version_skew: ["1 while the peer runs another version", ({ versionSkew }) => Number(versionSkew)],
};

/** Adds them to `registry`; read at the moment of the scrape. */
export function addPeerMetrics(registry: Registry, coordinator: Coordinator): void {
  const peers = (): readonly PeerStatus[] => coordinator.replication.federation.status().peers;
  for (const [name, [help, reading]] of Object.entries(GAUGES)) {
    const gauge: Gauge = new Gauge({
      name: `changeover_federation_${name}`,
      help,
      labelNames: ["peer"],
      registers: [registry],
      collect: () => {
        gauge.reset();
        for (const peer of peers()) gauge.set({ peer: peer.name }, reading(peer));
      },
    });
  }
  const errors = new Gauge({
    name: "changeover_federation_error",
    help: "1 for the reason why the last exchange with the peer was not a good one",
    labelNames: ["peer", "reason"],
    registers: [registry],
    collect: () => {
      errors.reset();
      for (const { name, health } of peers()) {
        if (health?.lastError) errors.set({ peer: name, reason: health.lastError.reason }, 1);
      }
    },
  });
}
