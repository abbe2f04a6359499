/** Two real coordinators in one process, joined by memory, each behind its own HTTP surface. */
import type { LightMyRequestResponse } from "fastify";
import { MemoryDisk } from "../../src/adapters/memory-disk.ts";
import { MemoryPeerWire } from "../../src/adapters/memory-peer-channel.ts";
import { MemoryStore } from "../../src/adapters/memory-store.ts";
import { MemoryWitness, MemoryWitnessServer } from "../../src/adapters/memory-witness.ts";
import { NanoIds, NodeDigest, SystemClock, SystemRandom } from "../../src/adapters/basics.ts";
import { createCoordinator } from "../../src/coordinator/create-coordinator.ts";
import type { Coordinator } from "../../src/coordinator/types.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { DEFAULT_COMMANDS, resolveFailover } from "../../src/core/settings.ts";
import { buildApp } from "../../src/http/app.ts";
import type { App } from "../../src/http/components.ts";
import { ReferenceEngine } from "../../src/reference-engine/reference-engine.ts";
import { waitUntil } from "../support/wait-until.ts";
import { bearer, KeptLog, SECRET, SECRETS } from "./rig.ts";

export interface Side {
  readonly app: App;
  readonly coordinator: Coordinator;
  readonly log: KeptLog;
  get(url: string): Promise<LightMyRequestResponse>;
  /** POST with the token that may; force-leader with the secret. */
  send(
    method: "POST" | "PUT" | "DELETE",
    url: string,
    payload?: object,
    headers?: Record<string, string>,
  ): Promise<LightMyRequestResponse>;
}

export interface Pair {
  readonly sides: Readonly<Record<Label, Side>>;
  /** Waits until one leads and the other is ready, and names the leader. */
  settled(): Promise<Label>;
  close(): Promise<void>;
}

export async function startPair(): Promise<Pair> {
  const clock = new SystemClock();
  const wire = new MemoryPeerWire({ clock }, { links: ["red"] });
  const witness = new MemoryWitnessServer({ clock });
  const sides = { a: await startSide("a", clock, wire, witness), b: await startSide("b", clock, wire, witness) };
  await Promise.all([sides.a.coordinator.start(), sides.b.coordinator.start()]);
  return {
    sides,
    settled: async () => {
      const leads = (label: Label) => sides[label].coordinator.mayAct() && sides[otherLabel(label)].coordinator.ready();
      await waitUntil(() => leads("a") || leads("b"));
      return leads("a") ? "a" : "b";
    },
    close: async () => {
      for (const { app, coordinator } of Object.values(sides)) {
        await coordinator.stop();
        await app.close();
      }
    },
  };
}

async function startSide(
  label: Label,
  clock: SystemClock,
  wire: MemoryPeerWire,
  witness: MemoryWitnessServer,
): Promise<Side> {
  const basics = { clock, ids: new NanoIds(), logger: new KeptLog() };
  const coordinator = createCoordinator(
    {
      ...basics,
      random: new SystemRandom(),
      digest: new NodeDigest(),
      store: new MemoryStore({ ...basics, disk: new MemoryDisk() }),
      witness: new MemoryWitness({ server: witness }),
      peerChannel: wire.end(label === "a" ? 0 : 1, { pair: "studio-1", label }),
      peerProbe: { probe: async () => "unknown" },
      engine: new ReferenceEngine({ clock }),
      clockSource: null,
      changeoverSwitches: [],
    },
    {
      pair: "studio-1",
      label,
      version: "0.1.0",
      failover: resolveFailover({}, "memory"),
      commands: DEFAULT_COMMANDS,
      peerUrl: `http://${otherLabel(label)}:7401`,
    },
  );
  const components = {
    ...basics,
    coordinator,
    peerSockets: null,
    machines: [],
    machineViewers: null,
    pageFolder: null,
  };
  const app = await buildApp(components, { label, version: "0.1.0", secrets: SECRETS });
  const isSync = (url: string): boolean => url.startsWith("/api/sync");
  return {
    app,
    coordinator,
    log: basics.logger,
    get: (url) => app.inject({ url, headers: bearer(isSync(url) ? "peer" : "viewer") }),
    send: (method, url, payload, headers = {}) =>
      app.inject({
        method,
        url,
        ...(payload === undefined ? {} : { payload }),
        headers: { ...bearer(isSync(url) ? "peer" : "operator"), "x-control-plane-secret": SECRET, ...headers },
      }),
  };
}
