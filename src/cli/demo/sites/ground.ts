/**
 * The ground of the demonstration of several sites, all on this host: a pair and three spokes around a hub, and
 * a second site that federates with the hub.
 * Closing it leaves no process, no port and, unless that is asked for, no folder behind.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Label } from "../../../core/ids.ts";
import { until } from "../observe.ts";
import { EngineProcess, freePort, goesAtExit } from "../processes.ts";
import { EnginePlace, type Place, SpokePlace } from "./places.ts";

const HANDOVER = { method: "POST", body: { reason: "demonstration" } };
/** The shortest that the configuration allows. */
const INTERVAL_MS = 1_000;

/** One engine: which of its pair it is, where it listens, whom it knows. */
interface Seat {
  readonly pair: string;
  readonly label: Label;
  readonly port: number;
  readonly peerPort: number;
  readonly more: Readonly<Record<string, unknown>>;
}

export class Ground {
  readonly folder = mkdtempSync(join(tmpdir(), "changeover-sites-"));
  /** Where the pair publishes what it does. */
  readonly feed = join(this.folder, "feed");
  readonly #keep = goesAtExit(this.folder);
  readonly #processes: EngineProcess[] = [];
  readonly #spokes: SpokePlace[] = [];
  readonly #engines: EnginePlace[] = [];

  /** Builds and starts everything. */
  static async start(launcher: string): Promise<Ground> {
    const ground = new Ground();
    try {
      await ground.#build(launcher);
    } catch (error) {
      await ground.close(true);
      throw error;
    }
    return ground;
  }

  get places(): readonly Place[] {
    const engines = this.#engines.toSorted((one, other) => one.name.localeCompare(other.name));
    return [...engines, ...this.#spokes];
  }

  engine(name: "studio a" | "studio b" | "hub" | "south"): EnginePlace {
    return named(this.#engines, name);
  }

  spoke(name: "ob van" | "graphics" | "archive"): SpokePlace {
    return named(this.#spokes, name);
  }

  /** One exchange of every spoke that can; the engines do it by themselves. */
  async exchange(): Promise<void> {
    for (const spoke of this.#spokes) await spoke.exchange();
  }

  /** The role of the pair moves, once the other engine is ready for it. */
  async handOver(): Promise<void> {
    const [a, b] = [this.engine("studio a").client, this.engine("studio b").client];
    await until("the pair hands over", async () => {
      const answers = await Promise.all([a, b].map(async (one) => one.call("/api/handover", HANDOVER)));
      return answers.some(({ status }) => status === 200);
    });
  }

  /** @param keepFolder leaves logs and stores for anyone who wants to know what went wrong */
  async close(keepFolder = false): Promise<void> {
    await Promise.all(this.#spokes.map(async (spoke) => spoke.close()));
    await Promise.all(this.#processes.map(async (engine) => engine.stop()));
    this.#keep();
    if (!keepFolder) rmSync(this.folder, { recursive: true, force: true });
  }

  async #build(launcher: string): Promise<void> {
    const [a, b, hub, south, nobody] = await Promise.all([freePort(), freePort(), freePort(), freePort(), freePort()]);
    const address = (port: number): string => `http://127.0.0.1:${port}`;
    const studio = {
      replication: { hub: { url: address(hub), intervalMs: INTERVAL_MS } },
      outbox: { sink: "file", dir: this.feed },
    };
    const federated = (name: string, port: number) => ({
      federation: { intervalMs: INTERVAL_MS, peers: [{ name, endpoint: address(port) }] },
    });
    // Who finds nobody asks again later and later: those who ask each other start together.
    await Promise.all([
      this.#seat(launcher, "hub", {
        pair: "hub",
        label: "a",
        port: hub,
        peerPort: nobody,
        more: federated("south", south),
      }),
      this.#seat(launcher, "south", {
        pair: "south",
        label: "a",
        port: south,
        peerPort: nobody,
        more: federated("north", hub),
      }),
    ]);
    await Promise.all([
      this.#seat(launcher, "studio a", { pair: "studio", label: "a", port: a, peerPort: b, more: studio }),
      this.#seat(launcher, "studio b", { pair: "studio", label: "b", port: b, peerPort: a, more: studio }),
    ]);
    for (const name of ["ob van", "graphics", "archive"]) {
      this.#spokes.push(await SpokePlace.open(name, { dataDir: join(this.folder, name), hubPort: hub }));
    }
  }

  async #seat(launcher: string, name: string, { pair, label, port, peerPort, more }: Seat): Promise<void> {
    const config = {
      pair,
      label,
      listen: { host: "127.0.0.1", port },
      dataDir: join(this.folder, name),
      peer: { links: [{ name: "red", url: `ws://127.0.0.1:${peerPort}` }] },
      witness: { kind: "sqlite", file: join(this.folder, `witness-${pair}.db`) },
      ...more,
    };
    const configFile = join(this.folder, `${name}.json`);
    writeFileSync(configFile, JSON.stringify(config, null, 2));
    const url = `http://127.0.0.1:${port}`;
    const process = new EngineProcess({ label, url, configFile, launcher, logFile: join(this.folder, `${name}.log`) });
    this.#processes.push(process);
    await process.start();
    this.#engines.push(new EnginePlace(name, url));
  }
}

function named<Kind extends Place>(places: readonly Kind[], name: string): Kind {
  const found = places.find((place) => place.name === name);
  if (found === undefined) throw new RangeError(`no place is called ${name}`);
  return found;
}
