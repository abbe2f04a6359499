/**
 * The single examinations of `doctor`: each reaches one thing, says how it is and what to do about it, in the runbook's
 * words. Each ends within its time, never throws, and changes nothing that stays.
 */
import { X509Certificate } from "node:crypto";
import { accessSync, constants, existsSync, mkdtempSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { createServer } from "node:net";
import { delimiter, dirname, join, resolve } from "node:path";
import { readSecrets, type EngineSecrets } from "../../config/secrets.ts";
import type { ClientTlsConfig, Config } from "../../config/types.ts";
import type { CoordinatorState, PeerHealthReport } from "../../coordinator/types.ts";
import { startFastDeath } from "../../adapters/fast-death.ts";
import { isLoopback } from "../../core/loopback.ts";
import { REMEDIES } from "../../core/remedies.ts";
import { httpAddress, listenAddress } from "../../host/adapters.ts";
import { foreignOwner } from "../../host/data-folder.ts";
import { nativePart, packageVersion } from "../../host/package-root.ts";
import { checkTlsFiles, clientTls, peerAuthorities, serverTls } from "../../host/tls-files.ts";
import { type Client, strangeAnswer } from "../client.ts";
import { CliError, EXIT, messageOf } from "../exit.ts";
import { duration } from "../output.ts";

export interface Finding {
  readonly name: string;
  /** `doubtful`: it works, or may be meant so, but look at it. */
  readonly state: "good" | "doubtful" | "bad";
  readonly detail: string;
  /** What to do; empty when there is nothing. */
  readonly remedy: string;
}

/** Below this there is no room for a show's commands and checkpoints. */
const LITTLE_SPACE_BYTES = 1_073_741_824;
/** What the trial write needs: less is a full disk. */
const TRIAL_BYTES = 65_536;
/** Beyond this, stamps of the two engines no longer tell which came first. */
const FAR_APART_MS = 1_000;
const ANSWER_WITHIN_MS = 5_000;
const DAY_MS = 86_400_000;
/** A certificate that ends sooner is told of. */
const CERTIFICATE_LEFT_MS = 14 * DAY_MS;

const NOT_THERE = "start it with: changeover engine -c FILE; --url says where it is";
const ANSWERS_OTHERWISE = "it runs: look at --url, and at the token in CHANGEOVER_TOKEN or --token-file";

/** A running engine, by its own word: how it is, and every alarm with its remedy. */
export async function checkEngine(client: Client): Promise<Finding[]> {
  try {
    return stateFindings(await client.state());
  } catch (error) {
    const told = messageOf(strangeAnswer(error) ?? error);
    const isGone = error instanceof CliError && error.exitCode === EXIT.unreachable;
    return [bad("engine", told, isGone ? NOT_THERE : ANSWERS_OTHERWISE)];
  }
}

function stateFindings(state: CoordinatorState): Finding[] {
  const detail = `${state.pair} engine ${state.engineLabel}, ${state.role}, epoch ${state.epoch}, ${state.syncState}`;
  const { maintenance } = state;
  const held =
    maintenance?.on === true
      ? [
          doubtful(
            "maintenance",
            `on, by ${maintenance.by}: ${maintenance.reason || "no reason given"}; nothing fails over by itself`,
            "when the work is done: changeover maintenance off",
          ),
        ]
      : [];
  const alarms = state.alarms.map(({ code, detail: told, remedy }) =>
    // An engine of an older version says no remedy.
    bad(`alarm ${code}`, told, remedy ?? REMEDIES[code] ?? "see docs/runbook.md"),
  );
  return [good("engine", detail), ...held, ...alarms];
}

/** The secrets, or what is wrong with them. */
export async function checkSecrets(config: Config): Promise<Finding> {
  const name = "secrets";
  try {
    const { tokens, controlPlaneSecret } = readSecrets(config, process.env);
    const control = controlPlaneSecret === null ? "no control plane secret" : "control plane secret set";
    const detail = `${tokens.length} tokens, ${control}`;
    if (tokens.length > 0 && !tokens.some(({ role }) => role === "peer")) {
      return bad(name, `${detail}, none of role peer`, "add a token of role peer to auth.tokens of both engines");
    }
    if (controlPlaneSecret !== null) return good(name, detail);
    return doubtful(name, detail, "force-leader answers 501 until auth.controlPlaneSecret is set");
  } catch (error) {
    return bad(name, messageOf(error), "set what is named");
  }
}

/** Every file of TLS that is named, and how long this engine's certificate is valid; nothing where all is well over HTTP. */
export async function checkCertificates(config: Config): Promise<Finding[]> {
  const name = "certificate";
  const { listen } = config;
  try {
    checkTlsFiles(config);
    if (listen.tls === null) return [];
    const { cert } = serverTls(listen.tls) ?? { cert: "" };
    const until = new Date(new X509Certificate(cert).validTo).getTime();
    const leftMs = until - Date.now();
    const detail = `${listen.tls.cert} is valid until ${new Date(until).toISOString().slice(0, 10)}`;
    if (leftMs <= 0) return [bad(name, `${listen.tls.cert} has expired`, "renew it, then run changeover reload")];
    if (leftMs < CERTIFICATE_LEFT_MS) return [doubtful(name, detail, "renew it, then run changeover reload")];
    return [good(name, detail)];
  } catch (error) {
    return [bad(name, messageOf(error), "name files that this user can read and that belong together")];
  }
}

/** Tries to write where the data folder is, or will be. */
export async function checkDisk({ dataDir, pair, label }: Config): Promise<Finding> {
  const name = "disk";
  const wanted = resolve(dataDir);
  const folder = nearestFolder(wanted);
  const remedy = `dataDir must name a folder that this user can write to: make ${wanted} writable, or move dataDir`;
  try {
    if (!statSync(folder).isDirectory()) return bad(name, `dataDir ${wanted}: ${folder} is not a folder`, remedy);
    const foreign = foreignOwner(wanted, { pair, label });
    if (foreign !== null) return bad(name, foreign.message, "give each engine its own dataDir");
    const { bavail, bsize } = statfsSync(folder);
    const free = bavail * bsize;
    const trial = mkdtempSync(join(folder, ".changeover-doctor-"));
    try {
      writeFileSync(join(trial, "trial"), Buffer.alloc(TRIAL_BYTES), { flush: true });
    } finally {
      rmSync(trial, { recursive: true, force: true });
    }
    const detail = `${wanted}, ${(free / 1e9).toFixed(1)} GB free`;
    if (free >= LITTLE_SPACE_BYTES) return good(name, detail);
    return doubtful(name, detail, "free at least 1 GB (df -h shows the disks), or move dataDir");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isFull = code === "ENOSPC" || code === "EDQUOT";
    return bad(name, `dataDir ${wanted}: ${messageOf(error)}`, isFull ? REMEDIES["store-failed"] : remedy);
  }
}

/** The port is free, or an engine of this pair and label has it; then also what that engine says of itself. */
export async function checkListener(config: Config): Promise<Finding[]> {
  const { listen, label } = config;
  const name = "listener";
  const where = `${listen.host}:${listen.port}`;
  const error = await tryListen(listen.host, listen.port);
  if (error === null) return [good(name, `${where} is free; the engine does not run`)];
  if (error !== "EADDRINUSE") {
    return [bad(name, `${where}: ${error}`, "listen.host must be an address of this host; correct it, or listen.port")];
  }
  const tls = ownTls(config);
  const at = listenAddress(listen.host, listen.port, listen.tls === null ? "http" : "https");
  const health = await ask(`${at}/api/peer/health`, { tls });
  if (!isHealth(health) || health.body.engineLabel !== label) {
    return [bad(name, `${where} is taken by another program`, "end that program, or change listen.port")];
  }
  const runs = good(name, `${where}: the engine runs, ${health.body.role}`);
  const secrets = secretsOf(config);
  if (secrets === null) return [runs];
  const reader = secrets.tokens.find(({ role }) => role === "operator" || role === "viewer");
  if (secrets.tokens.length > 0 && reader === undefined) return [runs];
  const state = await ask(`${at}/api/state`, { tls, token: reader?.value ?? null });
  if (state.status === 200) return [runs, ...stateFindings(state.body as CoordinatorState)];
  if (state.status !== 401 && state.status !== 403) return [runs];
  const detail = `the running engine does not take the token "${reader?.name ?? "none"}" of this configuration`;
  return [
    runs,
    bad("tokens", detail, "correct the token's value, or give the running engine the new one: changeover reload"),
  ];
}

export async function checkWitness(config: Config): Promise<Finding> {
  const name = "witness";
  const { witness } = config;
  if (witness.kind === "none") {
    return doubtful(name, "none", "without a witness a cut link stops failover, or makes two leaders");
  }
  const far = config.peer.links.find(({ url }) => !isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, "")));
  if (witness.kind === "sqlite" && far !== undefined) {
    const detail = `sqlite is for two engines on one host, and link ${far.name} leads to ${far.url}`;
    return bad(name, detail, "use witness.kind redis on two hosts, see docs/deployment-redis.md");
  }
  if (witness.kind === "sqlite" && !existsSync(witness.file)) {
    return doubtful(name, `${witness.file} is not there yet`, "the first engine makes it; both must share it");
  }
  const { SystemClock } = await import("../../adapters/basics.ts");
  const { makeWitness } = await import("../../host/adapters.ts");
  try {
    const reached = await makeWitness({ clock: new SystemClock() }, config, readSecrets(config, process.env));
    const startedMs = performance.now();
    let answer = await reached.read();
    // A fresh connection needs longer than the one that an engine keeps.
    while (answer.outcome === "unreachable" && performance.now() - startedMs < ANSWER_WITHIN_MS) {
      await new Promise((wake) => setTimeout(wake, 50));
      answer = await reached.read();
    }
    await reached.close();
    if (answer.outcome === "unreachable") {
      return bad(name, `${witness.kind}: ${answer.reason}`, REMEDY_WITNESS);
    }
    if (answer.outcome === "corrupt") {
      return bad(name, `${witness.kind}: what stands there is no record`, REMEDIES["witness-corrupt"]);
    }
    const { record } = answer;
    if (record === null) return good(name, "reachable, no record yet");
    const known = await knownEngines(config);
    if (known !== null && !known.includes(record.engineId)) {
      const detail = `the record is of engine ${record.engineId}, which is neither this one nor its peer`;
      return bad(name, detail, REMEDIES["witness-foreign"]);
    }
    return good(name, `reachable, epoch ${record.epoch} of ${record.holder}`);
  } catch (error) {
    return bad(name, messageOf(error), REMEDY_WITNESS);
  }
}

const REMEDY_WITNESS = "start the witness, open the way to it, or correct witness in the configuration";

/** This engine and its pinned peer, as the store knows them; null where there is no store, or no peer was ever met. */
async function knownEngines({ dataDir }: Config): Promise<readonly string[] | null> {
  const { openDatabase } = await import("../../adapters/local-lock.ts");
  const { STORE_FILE } = await import("../../adapters/sqlite-store/open.ts");
  try {
    const db = openDatabase(join(resolve(dataDir), STORE_FILE), {
      readonly: true,
      fileMustExist: true,
      // A running engine has the file for itself; it says of strangers by its own alarm.
      timeout: 0,
    });
    try {
      const row = db.prepare<[], { engine_id: string; pinned_peer: string | null }>(
        "SELECT engine_id, pinned_peer FROM state",
      );
      const found = row.get();
      return found === undefined || found.pinned_peer === null ? null : [found.engine_id, found.pinned_peer];
    } finally {
      db.close();
    }
  } catch {
    return null;
  }
}

/** Every link leads to the other engine of this pair, and that engine takes this engine's token. */
export async function checkPeer(config: Config): Promise<Finding> {
  const { peer, label, pair } = config;
  const name = "peer";
  const tls = authoritiesOf(config);
  const results = await Promise.all(
    peer.links.map(async (link) => ({ link, health: await ask(`${httpAddress(link.url)}/api/peer/health`, { tls }) })),
  );
  const silent = results.filter(({ health }) => !isHealth(health));
  const links = silent.map(({ link, health }) => `${link.name} (${link.url}): ${health.told}`).join(", ");
  const first = results.find(({ health }) => isHealth(health));
  if (first === undefined || !isHealth(first.health)) {
    return bad(
      name,
      `no engine answers over ${links}`,
      "start the other engine, open the way to it, or correct peer.links",
    );
  }
  const own = results.find(({ health }) => isHealth(health) && health.body.engineLabel === label);
  if (own !== undefined) {
    return bad(name, `link ${own.link.name} leads to an engine ${label} too`, "the other engine needs the other label");
  }
  const secrets = secretsOf(config);
  const shown = secrets?.tokens.find(({ role }) => role === "peer") ?? null;
  const at = httpAddress(first.link.url);
  const entered = await ask(`${at}/api/sync/health`, { tls, token: shown?.value ?? null });
  if (secrets !== null && (entered.status === 401 || entered.status === 403)) {
    const why =
      shown === null ? "wants a token, and this engine has none of role peer" : `refuses the token "${shown.name}"`;
    return bad(
      name,
      `the peer ${why} (${entered.status})`,
      "give both engines the same token of role peer, then: changeover reload",
    );
  }
  const identity = await ask(`${at}/sync/identity`, { tls, token: shown?.value ?? null });
  const { hubId, version } = (identity.status === 200 ? identity.body : {}) as { hubId?: string; version?: string };
  if (hubId !== undefined && hubId !== pair) {
    return bad(
      name,
      `link ${first.link.name} leads to an engine of the pair "${hubId}"`,
      "correct peer.links, or pair",
    );
  }
  const { body } = first.health;
  const detail = `engine ${body.engineLabel}, ${body.role}, epoch ${body.epoch}, ${body.status}`;
  if (silent.length > 0) return bad(name, `${detail}; no answer over ${links}`, REMEDIES["peer-link-lost"]);
  const here = packageVersion();
  if (version !== undefined && version !== here) {
    return doubtful(name, `${detail}, version ${version}, and ${here} here`, REMEDIES["version-skew"]);
  }
  return good(name, detail);
}

/** Compares with the peer's Date header, which is exact to a second. */
export async function checkClock(config: Config): Promise<Finding> {
  const name = "clock";
  const [first] = config.peer.links;
  const url = first === undefined ? "" : httpAddress(first.url);
  const { date, status } = await ask(`${url}/live`, { tls: authoritiesOf(config) });
  if (status === 0)
    return doubtful(name, "cannot be compared: the peer does not answer", "examine again when the peer runs");
  const peerMs = Date.parse(date ?? "");
  if (Number.isNaN(peerMs)) return doubtful(name, "the peer does not say its time", "compare both clocks by hand");
  // The header is cut to the second: what lies within it is no difference.
  const apartMs = Math.max(0, Math.abs(Date.now() - (peerMs + 500)) - 500);
  if (apartMs <= FAR_APART_MS) return good(name, `at most ${duration(apartMs + 1_000)} from the peer's`);
  return bad(name, `${duration(apartMs)} from the peer's`, REMEDIES["clocks-far-apart"]);
}

/** The hub and the federation peers, where some are configured. */
export async function checkSites(config: Config): Promise<Finding[]> {
  const secrets = secretsOf(config);
  const { hub } = config.replication;
  const sites = [
    ...(hub === null ? [] : [{ name: "hub", url: hub.url, token: secrets?.hubToken ?? null, tls: hub }]),
    ...config.federation.peers.map((peer) => ({
      name: `federation peer ${peer.name}`,
      url: peer.endpoint,
      token: secrets?.federationTokens.get(peer.name) ?? null,
      tls: peer,
    })),
  ];
  return Promise.all(sites.map((site) => checkSite(site)));
}

interface Site {
  readonly name: string;
  readonly url: string;
  readonly token: string | null;
  readonly tls: ClientTlsConfig;
}

async function checkSite({ name, url, token, tls: files }: Site): Promise<Finding> {
  try {
    const { ca, cert, key } = files;
    const tls = clientTls(name, { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) });
    const answer = await ask(`${url.replace(/\/+$/, "")}/sync/identity`, { token, tls });
    if (answer.status === 200) return good(name, `${url} answers`);
    if (answer.status === 401 || answer.status === 403) {
      const code = (answer.body as { code?: string } | null)?.code;
      if (code === "certificate_required")
        return bad(name, `${url} wants a certificate`, "set cert and key of this entry");
      return bad(
        name,
        `${url} refuses the token (${answer.status})`,
        "set token of this entry to one that the other side knows",
      );
    }
    const remedy = name === "hub" ? REMEDIES["hub-unreachable"] : REMEDIES["federation-failing"];
    return bad(name, `${url}: ${answer.told}`, remedy);
  } catch (error) {
    return bad(name, messageOf(error), "name files that this user can read and that belong together");
  }
}

/** The programs that the configuration names can be run, and an engine beside this process answers. */
export async function checkPrograms({ engine, changeover }: Config): Promise<Finding[]> {
  const commands = changeover.flatMap((target) =>
    target.kind === "exec" ? [[target.name, target.command] as const] : [],
  );
  const hooks =
    engine.kind === "exec"
      ? (["notify", "notifyLeader", "notifyFollower", "execute", "snapshot", "restore", "health"] as const)
      : [];
  for (const hook of hooks) {
    const command = engine.kind === "exec" ? engine[hook] : undefined;
    if (command !== undefined) commands.push([`engine.${hook}`, command]);
  }
  const missing = commands.flatMap(([name, [program = ""]]) => {
    return isProgram(program)
      ? []
      : [bad(name, `${program} cannot be run`, `install it, make it executable (chmod +x), or correct ${name}`)];
  });
  if (engine.kind !== "http") return missing;
  const { status, told } = await ask(`${engine.baseUrl.replace(/\/+$/, "")}/health`, {});
  if (status !== 0) return [good("engine hooks", `${engine.baseUrl} answers`), ...missing];
  return [bad("engine hooks", `${engine.baseUrl}: ${told}`, "start the engine, or correct engine.baseUrl"), ...missing];
}

/** Tries the native part in this process, as the engine would in its own. */
export async function checkFastDeath({ failover }: Config): Promise<Finding> {
  const name = "fast death";
  if (failover.fastDeath === "off") return good(name, "failover.fastDeath is off");
  if (process.platform !== "linux") return good(name, `left out on ${process.platform}: it is for Linux only`);
  const found = startFastDeath(nativePart());
  if (found.state === "works") return good(name, "the sockets of a killed engine close before its memory is freed");
  const slower = "the death of an engine that holds 1 GiB is seen 100 ms later";
  const leave = "or set failover.fastDeath: off";
  if (found.state === "not-built") {
    return doubtful(name, `not built; ${slower}`, `install a C compiler, then run npm rebuild changeover; ${leave}`);
  }
  return doubtful(name, `refused: ${found.why}; ${slower}`, `Linux 5.9 or later is needed, and clone(2); ${leave}`);
}

function isProgram(program: string): boolean {
  const folders = program.includes("/") ? [""] : (process.env["PATH"] ?? "").split(delimiter);
  return folders.some((folder) => {
    try {
      const file = folder === "" ? resolve(program) : join(folder, program);
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  });
}

/** null: they cannot be read, which is a finding of its own. */
function secretsOf(config: Config): EngineSecrets | null {
  try {
    return readSecrets(config, process.env);
  } catch {
    return null;
  }
}

function authoritiesOf(config: Config): RequestOptions {
  try {
    return peerAuthorities(config);
  } catch {
    return {};
  }
}

/** Trusts nothing but this engine's own certificate, for whatever name that is. */
function ownTls({ listen }: Config): RequestOptions {
  try {
    const cert = listen.tls === null ? null : serverTls(listen.tls)?.cert;
    if (typeof cert !== "string") return {};
    return { ca: cert, allowPartialTrustChain: true, checkServerIdentity: () => undefined };
  } catch {
    return {};
  }
}

interface Answer {
  /** 0: there was none. */
  readonly status: number;
  readonly body: unknown;
  readonly date: string | null;
  /** Why there was none, or the status. */
  readonly told: string;
}

interface Asking {
  readonly token?: string | null;
  readonly tls?: RequestOptions | undefined;
}

function isHealth(answer: Answer): answer is Answer & { readonly body: PeerHealthReport } {
  return answer.status === 200 && typeof (answer.body as Partial<PeerHealthReport> | null)?.engineLabel === "string";
}

/** One GET. Never throws. */
function ask(url: string, { token = null, tls = {} }: Asking): Promise<Answer> {
  return new Promise((done) => {
    const none = (told: string): void => done({ status: 0, body: null, date: null, told });
    try {
      const headers = token === null ? {} : { authorization: `Bearer ${token}` };
      const options = { headers, agent: false as const, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) };
      const onAnswer = (response: IncomingMessage): void => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (piece: string) => (text = (text + piece).slice(0, 4_194_304)));
        response.on("error", (error) => none(error.message));
        response.on("end", () => {
          const status = response.statusCode ?? 0;
          done({ status, body: parse(text), date: response.headers.date ?? null, told: `status ${status}` });
        });
      };
      const asked = url.startsWith("https:")
        ? httpsRequest(url, { ...options, ...tls }, onAnswer)
        : httpRequest(url, options, onAnswer);
      asked.on("error", (error: NodeJS.ErrnoException) => {
        none(error.name === "AbortError" ? `no answer within ${ANSWER_WITHIN_MS} ms` : (error.code ?? error.message));
      });
      asked.end();
    } catch (error) {
      none(messageOf(error));
    }
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function tryListen(host: string, port: number): Promise<string | null> {
  return new Promise((done) => {
    const server = createServer().listen(port, host);
    server.once("error", (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    server.once("listening", () => server.close(() => done(null)));
  });
}

function nearestFolder(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : nearestFolder(dirname(folder));
}

function good(name: string, detail: string): Finding {
  return { name, state: "good", detail, remedy: "" };
}

function doubtful(name: string, detail: string, remedy: string): Finding {
  return { name, state: "doubtful", detail, remedy };
}

function bad(name: string, detail: string, remedy: string): Finding {
  return { name, state: "bad", detail, remedy };
}
