/** A pair whose witness, second sink and second link are plug-ins, as an embedding program brings them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { MemoryFeed, MemorySink } from "../../src/adapters/memory-sink.ts";
import { MemoryWitness, MemoryWitnessServer } from "../../src/adapters/memory-witness.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import { resolveConfig } from "../../src/config/load.ts";
import type { Label } from "../../src/core/ids.ts";
import { type Host, type HostOptions, startHost } from "../../src/host/start-host.ts";
import type { Link, LinkConnection, LinkEvents } from "../../src/ports/link.ts";
import { freePort } from "../support/free-port.ts";

const folder = mkdtempSync(join(tmpdir(), "changeover-plug-ins-"));
const hosts: Host[] = [];
const clock = new SystemClock();
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

afterEach(async () => {
  await Promise.all(hosts.splice(0).map(async (host) => host.close()));
  rmSync(folder, { recursive: true, force: true });
});

/** Both ends of a link within this process. */
class Patch implements Link {
  readonly name = "patch";
  other: Patch | null = null;
  #onConnection: ((connection: LinkConnection) => void) | null = null;
  closed = 0;

  accept(onConnection: (connection: LinkConnection) => void): void {
    this.#onConnection = onConnection;
  }

  dial(): LinkConnection {
    const near = new PatchConnection();
    const far = new PatchConnection();
    near.other = far;
    far.other = near;
    setImmediate(() => {
      const taker = this.other === null ? null : this.other.#onConnection;
      if (taker === null) return near.drop();
      taker(far);
      for (const end of [near, far]) end.events?.onOpen(true);
    });
    return near;
  }

  async close(): Promise<void> {
    this.closed += 1;
    this.#onConnection = null;
  }
}

class PatchConnection implements LinkConnection {
  readonly remote = "the other end of the patch";
  readonly bufferedBytes = 0;
  other: PatchConnection | null = null;
  events: LinkEvents | null = null;

  listen(events: LinkEvents): void {
    this.events = events;
  }

  send(frame: string): void {
    setImmediate(() => this.other?.events?.onFrame(frame));
  }

  ping(): void {
    setImmediate(() => this.events?.onSignOfLife());
  }

  close(code: number, reason: string): void {
    setImmediate(() => this.#end(code, reason));
  }

  drop(): void {
    setImmediate(() => this.#end(1006, ""));
  }

  #end(code: number, reason: string): void {
    for (const end of [this, this.other]) {
      const events = end?.events;
      if (end) end.events = null;
      events?.onEnd(code, reason);
    }
  }
}

async function start(label: Label, ports: readonly [number, number], plugIns: HostOptions, more = {}): Promise<Host> {
  const [own, peer] = label === "a" ? ports : ([ports[1], ports[0]] as const);
  const config = resolveConfig({
    pair: "studio-1",
    label,
    listen: { port: own },
    dataDir: join(folder, label),
    peer: { links: [{ name: "red", url: `ws://127.0.0.1:${peer}` }] },
    ...more,
  });
  const host = await startHost(config, { logger: silent, ...plugIns });
  hosts.push(host);
  return host;
}

test("the pair elects by the given witness, talks over the given link, and publishes to the given sinks", async () => {
  const ports = [await freePort(), await freePort()] as const;
  const server = new MemoryWitnessServer({ clock });
  const feeds = [new MemoryFeed(), new MemoryFeed()];
  const patches = [new Patch(), new Patch()] as const;
  patches[0].other = patches[1];
  patches[1].other = patches[0];
  const plugIns = (at: 0 | 1): HostOptions => ({
    witness: new MemoryWitness({ server }),
    sinks: feeds.map((feed) => new MemorySink({ clock, feed })),
    links: [patches[at]],
  });
  const a = await start("a", ports, plugIns(0));
  const b = await start("b", ports, plugIns(1));
  const leader = await expect
    .poll(() => [a, b].find(({ coordinator }) => coordinator.state().role === "leader"), { timeout: 15_000 })
    .toBeDefined()
    .then(() => ([a, b].find(({ coordinator }) => coordinator.state().role === "leader") as Host).coordinator);
  expect(leader.state().witness.kind).toBe("memory");
  for (const { coordinator } of [a, b]) {
    await expect
      .poll(() => coordinator.state().peer.links.map(({ name, up }) => [name, up]), { timeout: 15_000 })
      .toEqual([
        ["red", true],
        ["patch", true],
      ]);
  }
  const submitted = await leader.submit({ kind: "POST /api/switch/cut", payload: { source: "cam1" } });
  expect(submitted).toMatchObject({ outcome: "accepted" });
  for (const feed of feeds) {
    await expect
      .poll(() => feed.entries.map(({ event }) => event.eventType), { timeout: 15_000 })
      .toContain("command.accepted");
  }
  await Promise.all(hosts.splice(0).map(async (host) => host.close()));
  expect(patches.every(({ closed }) => closed > 0)).toBe(true);
}, 60_000);

test("plug-ins that do not fit the configuration are refused by name, and closed", async () => {
  const ports = [await freePort(), await freePort()] as const;
  const link = Object.assign(new Patch(), { name: "red" });
  await expect(start("a", ports, { links: [link] })).rejects.toMatchObject({
    code: "invalid_configuration",
    message: 'links: two links are named "red"; give each its own name',
  });
  expect(link.closed).toBe(1);
  const witness = new MemoryWitness({ server: new MemoryWitnessServer({ clock }) });
  await expect(start("a", ports, { witness }, { witness: { kind: "none" } })).rejects.toMatchObject({
    code: "invalid_configuration",
    message: 'witness: witness.kind is "none" and a witness was given; leave witness out of the configuration',
  });
});
