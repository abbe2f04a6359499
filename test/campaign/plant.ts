/**
 * Everything of one round: two hosts, two networks, the witness, and what the round's faults need besides. The network
 * is used again by the next round of the same lane; the rest is fresh.
 */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { SmallDisk } from "../support/small-disk.ts";
import { ENGINE_PORT, Host } from "./host.ts";
import type { Color, PlantNetwork, Undo } from "./network.ts";
import type { Schedule } from "./schedule.ts";
import { SlowLink } from "./slow-link.ts";
import { RedisWitness, SqliteWitness, type Witness } from "./witness.ts";

const CLI = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const PORT = 7401;
const DISK_MEGABYTES = 24;
/** A round moves the role more often in a minute than any plant: the hold-down would end it. */
const MAX_FAILOVERS = 1_000;
const COLORS = ["red", "blue"] as const;
export const LABELS = ["a", "b"] as const;

const SECRETS = {
  operator: "campaign-operator-token",
  peer: "campaign-peer-token-0001",
  control: "campaign-control-secret",
} as const;
export const AS_OPERATOR = { authorization: `Bearer ${SECRETS.operator}` } as const;
export const AS_CONTROL = { "x-control-plane-secret": SECRETS.control } as const;

type PerLabel<Value> = Readonly<Record<Label, Value>>;

interface Parts {
  readonly folder: string;
  readonly hosts: PerLabel<Host>;
  readonly witness: Witness;
  /** By the engine that dials; empty where the links are direct. */
  readonly proxies: ReadonlyMap<string, SlowLink>;
  readonly disks: ReadonlyMap<Label, SmallDisk>;
}

interface PlantOptions {
  /** `main.ts` or `main.js` of the command line; this clone's unless given. */
  readonly program?: string | null;
  /** Sections that take the place of those of a round. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly diskMegabytes?: number;
}

export class Plant {
  readonly folder: string;
  readonly hosts: PerLabel<Host>;
  readonly witness: Witness;
  readonly #network: PlantNetwork;
  readonly #proxies: ReadonlyMap<string, SlowLink>;
  readonly #disks: ReadonlyMap<Label, SmallDisk>;

  private constructor(network: PlantNetwork, parts: Parts) {
    this.#network = network;
    this.folder = parts.folder;
    this.hosts = parts.hosts;
    this.witness = parts.witness;
    this.#proxies = parts.proxies;
    this.#disks = parts.disks;
  }

  /** Everything in its place; no engine runs yet. */
  static async prepare(
    network: PlantNetwork,
    schedule: Schedule,
    { program = null, config: more = {}, diskMegabytes = DISK_MEGABYTES }: PlantOptions = {},
  ): Promise<Plant> {
    const { plan } = schedule;
    const folder = mkdtempSync(join(tmpdir(), `changeover-campaign-${plan.seed}-`));
    const witness = plan.witness === "redis" ? await RedisWitness.start(network) : new SqliteWitness(folder);
    const proxies = new Map<string, SlowLink>();
    const disks = new Map<Label, SmallDisk>();
    for (const label of LABELS) {
      const other = network.address.bind(network, otherLabel(label));
      if (schedule.proxied) {
        for (const color of COLORS) {
          const link = await SlowLink.open(network.address("here", color), { host: other(color), port: PORT });
          proxies.set(`${label} ${color}`, link);
        }
      }
      const disk = schedule.smallDisk ? SmallDisk.mount(diskMegabytes) : null;
      if (disk !== null) disks.set(label, disk);
    }
    const host = (label: Label): Host => {
      const dataDir = join(disks.get(label)?.folder ?? folder, `data-${label}`);
      const config = { ...configOf({ network, schedule, proxies, folder, dataDir, witness }, label), ...more };
      // JSON is YAML.
      writeFileSync(join(folder, `engine-${label}.yaml`), JSON.stringify(config, null, 2));
      return new Host({
        label,
        url: `http://${network.address(label, "red")}:${PORT}`,
        folder,
        dataDir,
        program: program ?? CLI,
        on: (command) => network.on(label, command),
        hasEngine: plan.engine === "http",
        fakeClock: schedule.fakeClock,
        compileCache: join(tmpdir(), "changeover-campaign-compiled"),
      });
    };
    return new Plant(network, { folder, witness, proxies, disks, hosts: { a: host("a"), b: host("b") } });
  }

  async start(): Promise<void> {
    await Promise.all(LABELS.map(async (label) => this.hosts[label].start()));
  }

  /** What `from` says on these networks no longer reaches the other engine. */
  async cut(from: Label, colors: readonly Color[]): Promise<Undo> {
    const undos: Undo[] = [];
    for (const color of colors) {
      const proxied = this.#proxies.size > 0;
      if (!proxied) undos.push(await this.#network.drop(from, otherLabel(from), color));
      const own = this.#proxies.get(`${from} ${color}`)?.hold("out");
      const others = this.#proxies.get(`${otherLabel(from)} ${color}`)?.hold("back");
      undos.push(async () => (own?.(), others?.()));
    }
    return async () => void (await Promise.all(undos.map(async (undo) => undo())));
  }

  /** Every byte on these networks takes so much longer; the round must have been prepared for it. */
  delay(colors: readonly Color[], delayMs: number): Undo {
    const links = this.#linksOf(colors);
    for (const link of links) link.delayBy(delayMs);
    return async () => links.forEach((link) => link.delayBy(0));
  }

  /** Nothing passes on these networks, and all of it comes later. */
  stall(colors: readonly Color[]): Undo {
    const releases = this.#linksOf(colors).flatMap((link) => [link.hold("out"), link.hold("back")]);
    return async () => releases.forEach((release) => release());
  }

  fillDisk(label: Label): Undo {
    const disk = this.#disks.get(label);
    if (disk === undefined) throw new Error("this round has no small disks");
    disk.fill();
    return async () => disk.free();
  }

  /** A copy of the data folder as it is on the disk at one instant: the coordinator stands still meanwhile. */
  copyFolder(label: Label): void {
    const { coordinator, dataDir } = this.hosts[label];
    coordinator.signal("SIGSTOP");
    try {
      rmSync(this.#copyOf(label), { recursive: true, force: true });
      cpSync(dataDir, this.#copyOf(label), { recursive: true });
    } finally {
      coordinator.signal("SIGCONT");
    }
  }

  /** Puts the copy back; the coordinator must not run. */
  restoreFolder(label: Label): void {
    const { dataDir } = this.hosts[label];
    rmSync(dataDir, { recursive: true });
    cpSync(this.#copyOf(label), dataDir, { recursive: true });
  }

  async close({ keep }: { readonly keep: boolean }): Promise<void> {
    await Promise.all(LABELS.map(async (label) => this.hosts[label].close()));
    await this.witness.close();
    await Promise.all([...this.#proxies.values()].map(async (link) => link.close()));
    for (const disk of this.#disks.values()) disk.unmount();
    if (!keep) rmSync(this.folder, { recursive: true, force: true });
  }

  #copyOf(label: Label): string {
    return join(this.folder, `copy-${label}`);
  }

  #linksOf(colors: readonly Color[]): readonly SlowLink[] {
    const links = colors.flatMap((color) => LABELS.map((label) => this.#proxies.get(`${label} ${color}`)));
    return links.filter((link) => link !== undefined);
  }
}

interface Surroundings {
  readonly network: PlantNetwork;
  readonly schedule: Schedule;
  readonly proxies: ReadonlyMap<string, SlowLink>;
  readonly folder: string;
  readonly dataDir: string;
  readonly witness: Witness;
}

function configOf({ network, schedule, proxies, folder, dataDir, witness }: Surroundings, label: Label): object {
  const { plan } = schedule;
  const peer = otherLabel(label);
  const linkOf = (color: Color): string => {
    const proxy = proxies.get(`${label} ${color}`);
    const at =
      proxy === undefined
        ? `${network.address(peer, color)}:${PORT}`
        : `${network.address("here", color)}:${proxy.port}`;
    return `ws://${at}`;
  };
  return {
    pair: "campaign",
    label,
    listen: { host: "0.0.0.0", port: PORT },
    dataDir,
    peer: {
      links: COLORS.map((color) => ({ name: color, url: linkOf(color) })),
      url: `http://${network.address(peer, "red")}:${PORT}`,
    },
    witness: witness.configFor(label),
    failover: { policy: plan.policy, maxAutomaticFailovers: MAX_FAILOVERS },
    engine:
      plan.engine === "http" ? { kind: "http", baseUrl: `http://127.0.0.1:${ENGINE_PORT}` } : { kind: "reference" },
    auth: {
      tokens: (["operator", "peer"] as const).map((role) => ({ name: role, role, file: secretFile(folder, role) })),
      controlPlaneSecret: { file: secretFile(folder, "control") },
    },
  };
}

function secretFile(folder: string, name: keyof typeof SECRETS): string {
  const file = join(folder, "secrets", name);
  mkdirSync(join(folder, "secrets"), { recursive: true, mode: 0o700 });
  writeFileSync(file, SECRETS[name], { mode: 0o600 });
  chmodSync(file, 0o600);
  return file;
}
