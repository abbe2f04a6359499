/**
 * Purpose: the single examinations of `doctor`: each reaches one thing and says how it is and what to do about it.
 * Keeps true: every examination ends within its time and never throws.
 */
import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, resolve } from "node:path";
import { readSecrets } from "../../config/secrets.ts";
import type { Config } from "../../config/types.ts";
import type { CoordinatorState, PeerHealthReport } from "../../coordinator/types.ts";
import { httpAddress, listenAddress } from "../../host/addresses.ts";
import { Client } from "../client.ts";
import { messageOf } from "../exit.ts";
import { duration } from "../output.ts";

export interface Finding {
  readonly name: string;
  /** `doubtful`: it works, or may be meant so, but look at it. */
  readonly state: "good" | "doubtful" | "bad";
  readonly detail: string;
  /** What to do; empty when there is nothing. */
  readonly mend: string;
}

/** Below this there is no room for a show's commands and checkpoints. */
const LITTLE_SPACE_BYTES = 1_073_741_824;
/** Beyond this, stamps of the two engines no longer tell which came first. */
const FAR_APART_MS = 1_000;
const ANSWER_WITHIN_MS = 2_000;

/** A running engine, by its own word. */
export async function checkEngine(client: Client): Promise<Finding> {
  const name = "engine";
  try {
    const state = await client.get<CoordinatorState>("/api/state");
    const detail = `${state.pair} engine ${state.engineLabel}, ${state.role}, epoch ${state.epoch}, ${state.syncState}`;
    const [alarm] = state.alarms;
    if (alarm === undefined) return good(name, detail);
    return doubtful(name, detail, `alarm ${alarm.code}: ${alarm.detail}`);
  } catch (error) {
    return bad(name, messageOf(error), "start it with: changeover engine -c FILE");
  }
}

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

export async function checkDisk({ dataDir }: Config): Promise<Finding> {
  const name = "disk";
  const folder = nearestFolder(resolve(dataDir));
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bsize } = statfsSync(folder);
    const free = bavail * bsize;
    const detail = `${resolve(dataDir)}, ${(free / 1e9).toFixed(1)} GB free`;
    if (free >= LITTLE_SPACE_BYTES) return good(name, detail);
    return doubtful(name, detail, "free at least 1 GB, or move dataDir");
  } catch (error) {
    return bad(name, messageOf(error), `give this user the right to write to ${folder}, or move dataDir`);
  }
}

/** The port is free, or an engine of this pair and label has it. */
export async function checkListener({ listen, label }: Config): Promise<Finding> {
  const name = "listener";
  const where = `${listen.host}:${listen.port}`;
  const error = await tryListen(listen.host, listen.port);
  if (error === null) return good(name, `${where} is free; the engine does not run`);
  if (error !== "EADDRINUSE") return bad(name, `${where}: ${error}`, "listen.host must be an address of this host");
  const health = await peerHealth(listenAddress(listen.host, listen.port, listen.tls === null ? "http" : "https"));
  if (health?.engineLabel === label) return good(name, `${where}: the engine runs, ${health.role}`);
  return bad(name, `${where} is taken by another program`, "end that program, or change listen.port");
}

export async function checkWitness(config: Config): Promise<Finding> {
  const name = "witness";
  if (config.witness.kind === "none") {
    return doubtful(name, "none", "without a witness a cut link stops failover, or makes two leaders");
  }
  if (config.witness.kind === "sqlite" && !existsSync(config.witness.file)) {
    return doubtful(name, `${config.witness.file} is not there yet`, "the first engine makes it; both must share it");
  }
  const { SystemClock } = await import("../../adapters/system-clock.ts");
  const { makeWitness } = await import("../../host/adapters.ts");
  try {
    const witness = await makeWitness({ clock: new SystemClock() }, config, readSecrets(config, process.env));
    const startedMs = performance.now();
    let answer = await witness.read();
    // A fresh connection needs longer than the one that an engine keeps.
    while (answer.outcome === "unreachable" && performance.now() - startedMs < ANSWER_WITHIN_MS) {
      await new Promise((wake) => setTimeout(wake, 50));
      answer = await witness.read();
    }
    await witness.close();
    if (answer.outcome === "unreachable") return bad(name, `${config.witness.kind}: ${answer.reason}`, MEND_WITNESS);
    if (answer.outcome === "corrupt") {
      const remedy = "changeover witness adopt, at the engine that leads";
      return bad(name, `${config.witness.kind}: what stands there is no record`, remedy);
    }
    const { record } = answer;
    return good(
      name,
      record === null ? "reachable, no record yet" : `reachable, epoch ${record.epoch} of ${record.holder}`,
    );
  } catch (error) {
    return bad(name, messageOf(error), MEND_WITNESS);
  }
}

const MEND_WITNESS = "start it, open the way to it, or correct witness in the configuration";

export async function checkPeer({ peer, label }: Config): Promise<Finding> {
  const name = "peer";
  const results = await Promise.all(
    peer.links.map(async (link) => ({ link, health: await peerHealth(httpAddress(link.url)) })),
  );
  const silent = results.filter(({ health }) => health === null);
  const own = results.find(({ health }) => health?.engineLabel === label);
  if (own !== undefined) {
    return bad(name, `link ${own.link.name} leads to an engine ${label} too`, "the other engine needs the other label");
  }
  const links = silent.map(({ link }) => `${link.name} (${link.url})`).join(", ");
  const first = results.find(({ health }) => health !== null)?.health;
  if (first === undefined || first === null) {
    return bad(name, `no answer over ${links}`, "start the other engine, or open the way to it");
  }
  const detail = `engine ${first.engineLabel}, ${first.role}, epoch ${first.epoch}, ${first.status}`;
  return silent.length === 0 ? good(name, detail) : doubtful(name, detail, `no answer over ${links}`);
}

/** Compares with the peer's Date header, which is exact to a second. */
export async function checkClock({ peer }: Config): Promise<Finding> {
  const name = "clock";
  const [first] = peer.links;
  const url = first === undefined ? "" : httpAddress(first.url);
  try {
    const response = await fetch(`${url}/live`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    const peerMs = Date.parse(response.headers.get("date") ?? "");
    if (Number.isNaN(peerMs)) return doubtful(name, "the peer does not say its time", "compare both clocks by hand");
    // The header is cut to the second: what lies within it is no difference.
    const apartMs = Math.max(0, Math.abs(Date.now() - (peerMs + 500)) - 500);
    const detail = `at most ${duration(apartMs + 1_000)} from the peer's`;
    if (apartMs <= FAR_APART_MS) return good(name, detail);
    return bad(name, `${duration(apartMs)} from the peer's`, "let NTP or PTP discipline the clocks of both hosts");
  } catch {
    return doubtful(name, "cannot be compared: the peer does not answer", "examine again when the peer runs");
  }
}

async function peerHealth(url: string): Promise<PeerHealthReport | null> {
  try {
    return await new Client({ url, token: null, timeoutMs: ANSWER_WITHIN_MS }).get<PeerHealthReport>(
      "/api/peer/health",
    );
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
  return { name, state: "good", detail, mend: "" };
}

function doubtful(name: string, detail: string, mend: string): Finding {
  return { name, state: "doubtful", detail, mend };
}

function bad(name: string, detail: string, mend: string): Finding {
  return { name, state: "bad", detail, mend };
}
