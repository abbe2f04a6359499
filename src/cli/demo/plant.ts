/**
 * The whole demonstration pair: two engines, the link between them, the witness, all in one temporary folder.
 * Closing it leaves no process and no port behind, and no folder unless that is asked for.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Label, otherLabel } from "../../core/ids.ts";
import { LinkProxy } from "./link-proxy.ts";
import { EngineProcess, freePort, goesAtExit } from "./processes.ts";
import { redisGate, sqliteGate, type WitnessGate } from "./witness-gate.ts";

export interface PlantInit {
  /** Path of the launcher. */
  readonly launcher: string;
  /** A running Redis; null: the embedded witness. */
  readonly redis: string | null;
  /** Each switcher is a process of its own beside its coordinator; otherwise it is inside. */
  readonly apart?: boolean;
}

/** Twice as patient as usual: the demonstration shares its host with everything else that runs there. */
const LIFELINE = { intervalMs: 20, missLimit: 10 };

const SWITCHER = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "./switcher.ts" : "./switcher.js", import.meta.url),
);

/** A person who tries things out moves the role more often than any fault does. */
const MAX_FAILOVERS = 1_000;

export class Plant {
  readonly folder: string;
  readonly engines: Readonly<Record<Label, EngineProcess>>;
  /** The switchers beside the coordinators; null: they are inside. */
  readonly switchers: Readonly<Record<Label, EngineProcess>> | null;
  readonly witness: WitnessGate;
  linkCut = false;
  witnessCut = false;
  readonly #links: Readonly<Record<Label, LinkProxy>>;

  private constructor(
    folder: string,
    engines: Record<Label, EngineProcess>,
    links: Record<Label, LinkProxy>,
    witness: WitnessGate,
    switchers: Record<Label, EngineProcess> | null,
  ) {
    this.folder = folder;
    this.engines = engines;
    this.switchers = switchers;
    this.witness = witness;
    this.#links = links;
  }

  /** Builds everything and starts both engines. */
  static async start({ launcher, redis, apart = false }: PlantInit): Promise<Plant> {
    const distant = redis === null ? null : await redisGate(redis);
    const folder = mkdtempSync(join(tmpdir(), "changeover-demo-"));
    const keep = goesAtExit(folder);
    const witness = distant ?? sqliteGate(folder);
    const ports = { a: await freePort(), b: await freePort() };
    // The link of a leads to b, and the other way round.
    const links = { a: new LinkProxy(ports.b), b: new LinkProxy(ports.a) };
    await Promise.all([links.a.open(), links.b.open()]);
    const switcherPorts = apart ? { a: await freePort(), b: await freePort() } : null;
    const switcherOf = (label: Label, port: number): EngineProcess =>
      new EngineProcess({
        ...{ label, url: `http://127.0.0.1:${port}`, configFile: "", launcher: SWITCHER, args: [String(port)] },
        ...{ logFile: join(folder, `switcher-${label}.log`), name: `switcher ${label}` },
      });
    const engineOf = (label: Label): EngineProcess => {
      const configFile = join(folder, `engine-${label}.json`);
      const config = {
        // A pair of its own in a Redis that others may use.
        pair: `demo-${process.pid}`,
        label,
        listen: { host: "127.0.0.1", port: ports[label] },
        dataDir: join(folder, label),
        peer: {
          links: [{ name: "red", url: `ws://127.0.0.1:${links[label].port}` }],
          url: `http://127.0.0.1:${ports[otherLabel(label)]}`,
        },
        witness: witness.configFor(label),
        failover: { maxAutomaticFailovers: MAX_FAILOVERS },
        ...(switcherPorts === null
          ? {}
          : { engine: { kind: "http", baseUrl: `http://127.0.0.1:${switcherPorts[label]}`, lifeline: LIFELINE } }),
      };
      writeFileSync(configFile, JSON.stringify(config, null, 2));
      const url = `http://127.0.0.1:${ports[label]}`;
      return new EngineProcess({ label, url, configFile, launcher, logFile: join(folder, `engine-${label}.log`) });
    };
    const switchers =
      switcherPorts === null ? null : { a: switcherOf("a", switcherPorts.a), b: switcherOf("b", switcherPorts.b) };
    const plant = new Plant(folder, { a: engineOf("a"), b: engineOf("b") }, links, witness, switchers);
    try {
      if (switchers !== null) await Promise.all([switchers.a.start(), switchers.b.start()]);
      await Promise.all([plant.engines.a.start(), plant.engines.b.start()]);
    } catch (error) {
      await plant.close();
      throw error;
    } finally {
      keep();
    }
    return plant;
  }

  /** Cuts the peer link in both directions, in silence. */
  cutLink(): void {
    this.linkCut = true;
    this.#links.a.cut();
    this.#links.b.cut();
  }

  healLink(): void {
    this.linkCut = false;
    this.#links.a.heal();
    this.#links.b.heal();
  }

  /** @param keepFolder leaves logs and stores for anyone who wants to know what went wrong */
  async close(keepFolder = false): Promise<void> {
    await Promise.all([this.engines.a.stop(), this.engines.b.stop()]);
    await Promise.all([this.switchers?.a.stop(), this.switchers?.b.stop()]);
    await Promise.all([this.#links.a.close(), this.#links.b.close(), this.witness.close()]);
    if (!keepFolder) rmSync(this.folder, { recursive: true, force: true });
  }
}
