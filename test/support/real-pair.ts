/**
 * Two engines as two real processes, each behind links and a way to the witness that a test can cut.
 * Keeps true: whatever becomes of the test, no process, port or folder is left, and a failure carries the last words of
 * both engines.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isSettled } from "../../src/cli/demo/account.ts";
import { LinkProxy } from "../../src/cli/demo/link-proxy.ts";
import { leads, stateOf, until } from "../../src/cli/demo/observe.ts";
import { EngineProcess } from "../../src/cli/demo/processes.ts";
import { redisGate, sqliteGate, type WitnessGate } from "../../src/cli/demo/witness-gate.ts";
import type { WitnessConfig } from "../../src/config/types.ts";
import type { CoordinatorState } from "../../src/coordinator/types.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { freePort } from "./free-port.ts";

const CLI = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
/** A test moves the role more often than any fault does. */
const MAX_FAILOVERS = 1_000;
const PATIENT_STALL_MS = 5_000;
const LAST_WORDS = 25;
const LABELS = ["a", "b"] as const;

export interface RealPairOptions {
  readonly policy?: "on-air" | "consistency";
  /** URL of a Redis; without it the witness is a SQLite file. */
  readonly redis?: string | undefined;
  /** A witness of another kind, which cannot be cut off. */
  readonly witnessConfig?: WitnessConfig;
  /** `none`: the engines have only each other. */
  readonly witness?: "none";
  readonly failover?: Readonly<Record<string, unknown>>;
  readonly commands?: Readonly<Record<string, unknown>>;
  /** The section `auth`, secrets in files. */
  readonly auth?: Readonly<Record<string, unknown>>;
  /** The section `outbox`; the folder of a feed in files is made within the pair's own. */
  readonly outbox?: Readonly<Record<string, unknown>>;
  /** The section `changeover` of each engine. */
  readonly changeover?: readonly Readonly<Record<string, unknown>>[];
  /** Where engine b keeps its data, instead of beside everything else. */
  readonly dataDirOfB?: string;
  /** The name of the pair, instead of one that no other pair has. */
  readonly pair?: string;
  /** A program that takes the arguments of `changeover engine`. */
  readonly launcher?: string;
  /** How long a leader's loop may stand still: long unless given, so that a machine that stands still moves no role. */
  readonly stallMs?: number;
  /** The section `engine` of each. */
  readonly engine?: Readonly<Record<Label, object>>;
}

export class RealPair {
  readonly folder = mkdtempSync(join(tmpdir(), "changeover-pair-"));
  readonly engines: Readonly<Record<Label, EngineProcess>>;
  readonly witness: WitnessGate;
  readonly #links: Readonly<Record<Label, LinkProxy>>;

  /** Where the feed lies, with the sink `file`. */
  get feed(): string {
    return join(this.folder, "feed");
  }

  private constructor(
    options: RealPairOptions,
    ports: Record<Label, number>,
    links: Record<Label, LinkProxy>,
    gate: (folder: string) => WitnessGate,
  ) {
    this.#links = links;
    this.witness = gate(this.folder);
    this.engines = { a: this.#engine("a", options, ports), b: this.#engine("b", options, ports) };
  }

  /** Everything in its place, no engine started. */
  static async prepare(options: RealPairOptions = {}): Promise<RealPair> {
    const ports = { a: await freePort(), b: await freePort() };
    // The link of a leads to b, and the other way round.
    const links = { a: new LinkProxy(ports.b), b: new LinkProxy(ports.a) };
    await Promise.all([links.a.open(), links.b.open()]);
    const redis = options.redis === undefined ? null : await redisGate(options.redis);
    const { witnessConfig } = options;
    const gate = witnessConfig === undefined ? redis : openGate(witnessConfig);
    return new RealPair(options, ports, links, (folder) => gate ?? sqliteGate(folder));
  }

  /** Starts what does not run, and waits until one leads, the other is ready, and both are equal. */
  async start(): Promise<Label> {
    await Promise.all([this.engines.a.start(), this.engines.b.start()]);
    return this.settled();
  }

  /** Waits until one leads, the other is ready, both are equal; says who leads. */
  async settled(withinMs = 30_000): Promise<Label> {
    await until("one leader and a ready follower, equal", async () => isSettled(this), { withinMs });
    return this.leader();
  }

  /** Waits until one leads and the other could take over, also while commands keep coming; says who leads. */
  async ready(withinMs = 30_000): Promise<Label> {
    let leader: Label | null = null;
    const isReady = async (): Promise<boolean> => {
      const states = await Promise.all(LABELS.map(async (label) => stateOf(this.engines[label].url)));
      const leaders = states.flatMap((state) => (state?.mayAct === true ? [state.engineLabel] : []));
      leader = leaders[0] ?? null;
      // The old leader of a handover may not act any more before it knows who does.
      const roles = states.map((state) => state?.role).sort();
      return leaders.length === 1 && roles.join() === "follower,leader" && states.every(bothReady);
    };
    await until("one leader and a ready follower", isReady, { withinMs });
    return leader ?? "a";
  }

  /** Who may act now, once one does. */
  async leader(): Promise<Label> {
    let leader: Label | null = null;
    await until("one engine leads", async () => {
      for (const label of LABELS) if (await leads(this.engines[label].url)) leader = label;
      return leader !== null;
    });
    return leader ?? "a";
  }

  /** Waits until `label` may act; returns how long that took, ms. */
  async untilLeads(label: Label, withinMs = 10_000): Promise<number> {
    return until(`${label} leads`, async () => leads(this.engines[label].url), { pollMs: 1, withinMs });
  }

  /** Waits until the state of `label` is as `holds` wants it. */
  async untilState(label: Label, what: string, holds: (state: CoordinatorState) => boolean): Promise<void> {
    await until(`${label}: ${what}`, async () => {
      const state = await stateOf(this.engines[label].url);
      return state !== null && holds(state);
    });
  }

  async state(label: Label): Promise<CoordinatorState> {
    await this.untilState(label, "answers", () => true);
    return (await stateOf(this.engines[label].url)) ?? this.state(label);
  }

  /** Nothing passes between the engines, and nobody is told. */
  cutLink(): void {
    LABELS.forEach((label) => this.#links[label].cut());
  }

  /** What `from` says does not reach the other any more. */
  cutFrom(from: Label): void {
    this.#links[from].cut("to-target");
    this.#links[otherLabel(from)].cut("to-caller");
  }

  healLink(): void {
    LABELS.forEach((label) => this.#links[label].heal());
  }

  healAll(): void {
    this.healLink();
    LABELS.forEach((label) => this.witness.heal(label));
    LABELS.forEach((label) => this.engines[label].thaw());
  }

  async kill(label: Label): Promise<void> {
    const gone = this.engines[label].gone();
    this.engines[label].kill();
    await gone;
  }

  /** The last lines of both logs. */
  lastWords(): string {
    const words = LABELS.map((label) => `--- engine ${label}\n${tailOf(this.#logFile(label))}`);
    return words.join("\n");
  }

  async close(): Promise<void> {
    await Promise.all(LABELS.map((label) => this.kill(label)));
    await Promise.all([...LABELS.map((label) => this.#links[label].close()), this.witness.close()]);
    if (process.env["KEEP_PAIRS"] === undefined) rmSync(this.folder, { recursive: true, force: true });
  }

  #engine(label: Label, options: RealPairOptions, ports: Readonly<Record<Label, number>>): EngineProcess {
    const { policy = "on-air", failover, commands = {}, auth = {}, outbox = {}, launcher = CLI } = options;
    const configFile = join(this.folder, `engine-${label}.yaml`);
    const config = {
      // A pair of its own in a Redis that several tests use.
      pair: options.pair ?? `test-${process.pid}-${ports.a}`,
      label,
      listen: { host: "127.0.0.1", port: ports[label] },
      dataDir: (label === "b" ? options.dataDirOfB : undefined) ?? join(this.folder, label),
      peer: {
        links: [{ name: "red", url: `ws://127.0.0.1:${this.#links[label].port}` }],
        url: `http://127.0.0.1:${ports[otherLabel(label)]}`,
      },
      witness: options.witness === "none" ? { kind: "none" } : this.witness.configFor(label),
      failover: { policy, maxAutomaticFailovers: MAX_FAILOVERS, ...failover },
      commands,
      auth,
      changeover: options.changeover ?? [],
      engine: { ...(options.engine?.[label] ?? { kind: "reference" }), stallMs: options.stallMs ?? PATIENT_STALL_MS },
      outbox: outbox["sink"] === "file" ? { ...outbox, dir: this.feed } : outbox,
    };
    // JSON is YAML.
    writeFileSync(configFile, JSON.stringify(config, null, 2));
    const url = `http://127.0.0.1:${ports[label]}`;
    return new EngineProcess({ label, url, configFile, launcher, logFile: this.#logFile(label) });
  }

  #logFile(label: Label): string {
    return join(this.folder, `engine-${label}.log`);
  }
}

/** Each must know it of the other, too: what it offers and hands over rests on that. */
function bothReady(state: CoordinatorState | null): boolean {
  if (state === null) return false;
  const { syncState, peer } = state;
  return syncState === "ready" && peer.syncState === "ready" && peer.state === "alive";
}

function tailOf(file: string): string {
  try {
    return readFileSync(file, "utf8").trim().split("\n").slice(-LAST_WORDS).join("\n");
  } catch {
    return "it was not started";
  }
}

function openGate(witness: WitnessConfig): WitnessGate {
  const never = (): never => {
    throw new Error("this witness has no gate");
  };
  return { configFor: () => witness, cut: never, heal: never, close: async () => {} };
}
