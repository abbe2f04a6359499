/**
 * One engine as a running whole: adapters from a configuration, the coordinator, and the HTTP surface before it.
 * The surface listens before the coordinator begins, and closes after it has stepped down, so that nobody
 * finds the port closed while this engine leads [DP2, DP3]. What was opened before a failed start is closed again.
 * It does not know processes, signals and standard output.
 */
import { resolve } from "node:path";
import { machines } from "../../machines/index.ts";
import { CalmLogger } from "../adapters/pino-logger.ts";
import { Ed25519Signatures, NanoIds, NodeDigest, SystemClock, SystemRandom } from "../adapters/basics.ts";
import { startFastDeath } from "../adapters/fast-death.ts";
import { HttpPeerProbe } from "../adapters/http-peer-probe.ts";
import type { SqliteStore } from "../adapters/sqlite-store.ts";
import type { WsPeerChannel } from "../adapters/ws-peer-channel/ws-peer-channel.ts";
import type { Environment } from "../config/environment.ts";
import { type EngineSecrets, readSecrets } from "../config/secrets.ts";
import type { BackupReport, Config, ReloadReport } from "../config/types.ts";
import type { CoordinatorOptions } from "../actors/options.ts";
import { createCoordinator } from "../coordinator/create-coordinator.ts";
import type { Coordinator } from "../coordinator/types.ts";
import type { Json } from "../core/canonical-json.ts";
import { ChangeoverError } from "../core/errors.ts";
import { buildApp } from "../http/app.ts";
import type { App, MachineDefinition } from "../http/components.ts";
import { type HttpServer, listen } from "../http/server.ts";
import { openVisualiser } from "../visualiser/open-visualiser.ts";
import { Recorder } from "../visualiser/recorder.ts";
import { FanOutSink } from "../adapters/sinks/fan-out-sink.ts";
import type { Engine } from "../ports/engine.ts";
import type { FeedSink } from "../ports/feed-sink.ts";
import type { Link } from "../ports/link.ts";
import type { Logger } from "../ports/basics.ts";
import type { Witness } from "../ports/witness.ts";
import {
  type Basics,
  makeChangeoverSwitch,
  makeClockSource,
  makeEngine,
  makeHubTransport,
  makePeerChannel,
  makeSink,
  makeStallWatch,
  makeWitness,
  openStore,
  peerToken,
  listenAddress,
  peerAddress,
  federationPeers,
} from "./adapters.ts";
import { takeBackup } from "./backup.ts";
import { engineKey, standardErrorLog } from "./data-folder.ts";
import { checkLastingFolders } from "./folders.ts";
import { nativePart, packageVersion, pageFolder } from "./package-root.ts";
import { LiveSecrets, sectionsForRestart } from "./reload.ts";
import { checkTlsFiles, peerAuthorities, serverTls } from "./tls-files.ts";

/**
 * What an embedding program may bring along. `startHost` owns the plug-ins that it was given: it closes them with the host,
 * and also when the start fails. Each has a guide in `docs/extending` and a contract suite in `changeover/testing`.
 */
export interface HostOptions {
  /** The engine that makes the programme, instead of the one that `engine:` in the configuration names. */
  readonly engine?: Engine;
  /** The witness, instead of the one that `witness:` in the configuration names. Both engines bring the same. */
  readonly witness?: Witness;
  /** Where changes are published besides the sink that `outbox:` names. An event is done once every sink has it. */
  readonly sinks?: readonly FeedSink[];
  /** Ways to the other engine besides the WebSockets of `peer.links`. Both engines give a link the same name. */
  readonly links?: readonly Link[];
  /** Where secrets named by `{env}` are read; `process.env` unless given. */
  readonly environment?: Environment;
  /** Reads the configuration again for a reload; the same configuration, with its files read again, unless given. */
  readonly readConfig?: () => Config;
  /** Where log lines go; pino's JSON on standard error unless given. */
  readonly logger?: Logger;
}

/** One running engine. */
export interface Host {
  readonly coordinator: Coordinator;
  /** Where the HTTP surface listens: `http://host:port`. */
  readonly url: string;
  /**
   * Takes new tokens, a new control plane secret and new certificates in. What cannot be used changes nothing.
   *
   * @throws ChangeoverError `invalid_configuration`
   */
  reload(): ReloadReport;
  /**
   * Copies the data folder to `backups/<time>` in it, while the engine goes on.
   *
   * @throws ChangeoverError `store_full`, `store_failed`
   */
  backup(): Promise<BackupReport & { readonly folder: string }>;
  /** Hands the role over, steps down, then closes everything. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts one engine.
 *
 * @param config from `loadConfig` or `resolveConfig`
 * @returns once the engine is restored, the HTTP surface listens and the coordinator runs, as follower at first
 * @throws ChangeoverError whose code says why not: `invalid_configuration` (secrets), `data_folder_unusable`,
 * `wrong_pair`, `store_corrupt`, `store_too_new`, `store_in_use`, `address_in_use`, `engine_not_ready`
 */
export async function startHost(config: Config, options: HostOptions = {}): Promise<Host> {
  const secrets = readSecrets(config, options.environment ?? process.env);
  checkTlsFiles(config);
  checkLastingFolders(config);
  const tls = serverTls(config.listen.tls);
  const log = options.logger === undefined ? standardErrorLog(config) : { logger: options.logger, flush: () => {} };
  const clock = new SystemClock();
  const logger = new CalmLogger({ clock, logger: log.logger });
  if (config.failover.fastDeath === "auto") {
    const fastDeath = startFastDeath(nativePart());
    logger[fastDeath.state === "refused" ? "warn" : "debug"]({ fastDeath }, "failover.fastDeath");
  }
  const basics = { clock, random: new SystemRandom(), ids: new NanoIds(), logger };
  const recorder = new Recorder(basics.clock);
  const { coordinator, peerChannel, store } = await assemble(basics, config, secrets, { plugIns: options, recorder });
  const machineViewers = openVisualiser(
    { ...basics, coordinator, recorder },
    {
      label: config.label,
      settings: config.failover,
      peerUrl: peerAddress(config),
      token: peerToken(secrets),
      ...peerAuthorities(config),
    },
  );
  const live = new LiveSecrets(secrets);
  let servedTls = tls;
  const reload = (): ReloadReport => {
    const next = options.readConfig?.() ?? config;
    // Everything is read before anything is put in force.
    const nextSecrets = readSecrets(next, options.environment ?? process.env);
    const nextTls = tls === null || next.listen.tls === null ? null : serverTls(next.listen.tls);
    const { changed, needsRestart } = live.replace(nextSecrets);
    app?.revalidateSockets();
    const renewed = nextTls !== null && JSON.stringify(nextTls) !== JSON.stringify(servedTls);
    if (renewed) {
      servedTls = nextTls;
      (app?.server as { setSecureContext?: (tls: object) => void } | undefined)?.setSecureContext?.(nextTls);
    }
    const report = {
      changed: renewed ? [...changed, "listen.tls"] : changed,
      needsRestart: [...needsRestart, ...sectionsForRestart(config, next)],
    };
    logger.info(report, "configuration reloaded");
    return report;
  };
  // Who asks while one is taken gets that one.
  let copying: ReturnType<Host["backup"]> | null = null;
  const backup = (): ReturnType<Host["backup"]> =>
    (copying ??= takeBackup(store, config, clock.unixMs())
      .then((taken) => {
        logger.info({ ...taken }, "backup taken");
        return taken;
      })
      .finally(() => (copying = null)));
  let app: App | null = null;
  let server: HttpServer | null = null;
  const close = async (): Promise<void> => {
    await coordinator.stop();
    await (server ?? app)?.close();
    logger.flush();
    log.flush();
  };
  try {
    app = await buildApp(
      {
        ...basics,
        coordinator,
        peerSockets: peerChannel,
        machines: definitions(),
        machineViewers,
        pageFolder: pageFolder(),
      },
      {
        label: config.label,
        version: packageVersion(),
        secrets: live,
        tls,
        reload,
        backup,
        corsOrigins: config.http.cors.origins,
      },
    );
    server = await listen({ app, coordinator, ...basics }, { ...config.listen, secrets });
    await coordinator.start();
  } catch (error) {
    await close();
    throw error;
  }
  let closing: Promise<void> | null = null;
  const url = listenAddress(config.listen.host, server.port, tls === null ? "http" : "https");
  return { coordinator, url, reload, backup, close: () => (closing ??= close()) };
}

/** The coordinator and what it works through. When one of them cannot be had, those before it are closed again. */
async function assemble(
  basics: Basics,
  config: Config,
  secrets: EngineSecrets,
  { plugIns, recorder }: { readonly plugIns: HostOptions; readonly recorder: Recorder },
): Promise<{
  readonly coordinator: Coordinator;
  readonly peerChannel: WsPeerChannel;
  readonly store: SqliteStore;
}> {
  const opened: { close(): unknown }[] = [];
  const keep = <Port extends { close(): unknown }>(port: Port): Port => {
    opened.push(port);
    return port;
  };
  const { engine: ownEngine, witness: ownWitness, sinks: ownSinks = [], links: ownLinks = [] } = plugIns;
  try {
    for (const port of [ownEngine, ownWitness, ...ownSinks, ...ownLinks]) if (port !== undefined) keep(port);
    requireFittingPlugIns(config, plugIns);
    const store = keep(openStore(basics, config));
    const witness = ownWitness ?? keep(await makeWitness(basics, config, secrets));
    const key = engineKey(resolve(config.dataDir));
    const signatures = new Ed25519Signatures(key);
    const peerChannel = keep(makePeerChannel(basics, signatures, config, secrets, ownLinks));
    const peerProbe = new HttpPeerProbe(basics, { links: config.peer.links });
    const engine = ownEngine ?? keep(makeEngine(basics, config, secrets));
    const clockSource = makeClockSource(basics, config);
    if (clockSource !== null) keep(clockSource);
    const changeoverSwitches = config.changeover.map((target) => keep(makeChangeoverSwitch(basics, target)));
    const hub = makeHubTransport(basics, config, secrets, store);
    if (hub !== null) keep(hub);
    const federation = federationPeers(basics, config, secrets, store);
    for (const { transport } of federation) keep(transport);
    const configured = await makeSink(basics, config, secrets);
    if (configured !== null) keep(configured);
    const sink = joinSinks(configured === null ? ownSinks : [configured, ...ownSinks]);
    const own = { digest: new NodeDigest(), signatures };
    const stallWatch = keep(makeStallWatch(basics, key, config, secrets));
    const outside = {
      witness,
      peerChannel,
      peerProbe,
      clockSource,
      changeoverSwitches,
      hub,
      federation,
      sink,
      stallWatch,
    };
    const coordinator = createCoordinator(
      { ...basics, ...own, ...outside, store, engine },
      { ...optionsFor(config, ownSinks.length > 0), inspect: recorder.inspect },
    );
    return { coordinator, peerChannel, store };
  } catch (error) {
    await Promise.all(opened.map((port) => port.close()));
    throw error;
  }
}

function joinSinks([first, ...others]: readonly FeedSink[]): FeedSink | null {
  if (first === undefined) return null;
  return others.length === 0 ? first : new FanOutSink({ first, others });
}

/** What the configuration and the plug-ins say together must make sense. */
function requireFittingPlugIns(config: Config, { witness, links = [] }: HostOptions): void {
  const names = [...config.peer.links, ...links].map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  // A hello names its link, so two of one name could not be told apart.
  if (twice !== undefined) throw misfit("links", `two links are named "${twice}"; give each its own name`);
  // The failover settings were derived from the configured kind: without a witness, silence alone promotes.
  if (witness !== undefined && config.witness.kind === "none") {
    throw misfit("witness", `witness.kind is "none" and a witness was given; leave witness out of the configuration`);
  }
}

function misfit(field: string, why: string): ChangeoverError {
  return new ChangeoverError("invalid_configuration", `${field}: ${why}`, { details: { field } });
}

function optionsFor(config: Config, hasOwnSinks: boolean): CoordinatorOptions {
  const { pair, label, failover, commands } = config;
  const { mode, signatures, intervalMs: federationIntervalMs } = config.federation;
  const { hub, maxOriginsPerToken } = config.replication;
  const hubIntervalMs = hub?.intervalMs ?? 0;
  const replication = { mode, signatures, federationIntervalMs, hubIntervalMs, maxOriginsPerToken };
  const { sink, maxAttempts, retentionMs } = config.outbox;
  const outbox = { sink: sink === "nop" && hasOwnSinks ? "plug-in" : sink, maxAttempts, retentionMs };
  const version = packageVersion();
  const { restoreLimit } = config.engine;
  const engine = restoreLimit === undefined ? {} : { restoreLimit };
  return { pair, label, failover, commands, replication, outbox, version, peerUrl: peerAddress(config), ...engine };
}

function definitions(): MachineDefinition[] {
  const plain = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;
  return Object.entries(machines).map(([name, { definition }]) => ({ name, definition: plain(definition) }));
}
