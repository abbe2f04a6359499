/** All routes of the surface, in the order in which the documentation shows them. */
import type { App, HttpComponents, HttpInit } from "./components.ts";
import { liveProbe, readyProbe, roleProbes } from "./routes/balancer.ts";
import { channelRoute, metricsRoute, machinesRoute, stateRoute } from "./routes/state.ts";
import { commandsRoute, submitRoute } from "./routes/commands.ts";
import { conflictsRoute, resolveRoute } from "./routes/conflicts.ts";
import { describeRoutes, docsRoutes } from "./routes/docs.ts";
import { engineCallRoute, engineReadRoute } from "./routes/engine.ts";
import { asideRoute, opsRoute, skipRoute } from "./routes/ops.ts";
import { outboxRoute, resyncFeedRoute, retryEventRoute, skipEventRoute } from "./routes/outbox.ts";
import { deleteRecordRoute, readRecordRoute, recordsRoute, writeRecordRoute } from "./routes/records.ts";
import { compareRoute, identityRoute, pullRoute, pushRoute } from "./routes/replication.ts";
import {
  originsRoute,
  pausePeerRoute,
  peersRoute,
  releaseOriginRoute,
  resetPeerRoute,
  resumePeerRoute,
} from "./routes/peers.ts";
import { pageRoutes } from "./routes/page.ts";
import {
  adoptWitnessRoute,
  resetWitnessRoute,
  cancelHandoverRoute,
  handoverRoute,
  leadershipRoute,
  maintenanceRoute,
  reloadRoute,
  backupRoute,
} from "./routes/operate.ts";
import { forceLeaderRoute, peerHealthRoute, peerStallRoute } from "./routes/peer.ts";
import { acquireLockRoute, readLockRoute, refreshLockRoute, releaseLockRoute } from "./routes/reconcile-lock.ts";
import { adoptPeerRoute, forgetPeerRoute, pairRoute, resetNumbersRoute } from "./routes/pair.ts";
import { applySnapshotRoute, syncHealthRoute, takeSnapshotRoute } from "./routes/sync.ts";
import type { Channel } from "./upgrades.ts";

const ROUTES: readonly ((app: App, components: HttpComponents, init: HttpInit) => void)[] = [
  peerHealthRoute,
  forceLeaderRoute,
  peerStallRoute,
  syncHealthRoute,
  takeSnapshotRoute,
  applySnapshotRoute,
  readLockRoute,
  acquireLockRoute,
  refreshLockRoute,
  releaseLockRoute,
  submitRoute,
  commandsRoute,
  engineCallRoute,
  engineReadRoute,
  stateRoute,
  machinesRoute,
  handoverRoute,
  cancelHandoverRoute,
  maintenanceRoute,
  pairRoute,
  adoptPeerRoute,
  forgetPeerRoute,
  resetNumbersRoute,
  adoptWitnessRoute,
  resetWitnessRoute,
  reloadRoute,
  backupRoute,
  leadershipRoute,
  conflictsRoute,
  resolveRoute,
  recordsRoute,
  readRecordRoute,
  writeRecordRoute,
  deleteRecordRoute,
  opsRoute,
  asideRoute,
  skipRoute,
  peersRoute,
  pausePeerRoute,
  resumePeerRoute,
  resetPeerRoute,
  originsRoute,
  releaseOriginRoute,
  outboxRoute,
  resyncFeedRoute,
  retryEventRoute,
  skipEventRoute,
  identityRoute,
  pullRoute,
  compareRoute,
  pushRoute,
  roleProbes,
  liveProbe,
  readyProbe,
  metricsRoute,
];

/** Registers everything. */
export async function routes(
  app: App,
  components: HttpComponents,
  init: HttpInit,
  channels: readonly Channel[],
): Promise<void> {
  await describeRoutes(app, init);
  for (const register of ROUTES) register(app, components, init);
  for (const channel of channels) channelRoute(app, channel);
  await pageRoutes(app, components);
  await docsRoutes(app);
}
