/**
 * RP1–RP3: a data folder that was restored or copied is told on both sides with the first exchange, whichever side it is
 * and whoever asks; also when the restored place wrote nothing since, and when its token is part of its name at the hub.
 * The folders are real SQLite stores, copied as a person would copy them; the places around them are in this process.
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SqliteStore } from "../../src/adapters/sqlite-store.ts";
import type { Store } from "../../src/ports/store.ts";
import type { SyncTransport } from "../../src/ports/sync-transport.ts";
import { peerPort, poll } from "../support/federation.ts";
import { makePlace, NamedIds, originOf, type Place } from "../support/replication-node.ts";

/** A place over a folder; closed and opened again while others keep their way to it. */
interface Machine {
  readonly name: string;
  place: Place;
  store: Store;
  alarms: string[];
}

type Asks = (name: string) => { readonly hub?: SyncTransport; readonly federation?: ReturnType<typeof peerPort>[] };

let root: string;
let machines: Machine[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "changeover-contact-"));
  machines = [];
});
afterEach(() => {
  machines.forEach(stop);
  rmSync(root, { recursive: true, force: true });
});

function stop({ place, store }: Machine): void {
  place.replication.stop();
  store.close();
}

function start(machine: Machine, folder: string, asks: Asks): void {
  const alarms: string[] = [];
  machine.store = new SqliteStore({ ids: new NamedIds(machine.name) }, { dataDir: join(root, folder) });
  machine.alarms = alarms;
  const joint = { alarm: (code: string) => void alarms.push(code) };
  machine.place = makePlace({ name: machine.name, store: machine.store, joint, ...asks(machine.name) });
  machine.place.replication.federation.start();
}

function machineOf(name: string, asks: Asks): Machine {
  const machine = { name } as Machine;
  start(machine, name, asks);
  machines.push(machine);
  return machine;
}

/** The way from a place to whatever runs there now, as a caller with a token of its own. */
function way(from: string, to: () => Machine): SyncTransport {
  const end = (): SyncTransport => to().place.wayFor(originOf(from), "token-of-" + from);
  return {
    identity: (challenge) => end().identity(challenge),
    compare: async (heads) => (await end().compare?.(heads)) ?? { outcome: "refused", status: 404, code: "not_found" },
    pull: (request) => end().pull(request),
    push: (ops, snapshot) => end().push(ops, snapshot),
    close: () => undefined,
  };
}

const set = (at: Machine, field: string) => at.place.replication.records.set("macros", field, at.name);
const exchange = async ({ place }: Machine) => place.replication.spoke?.exchangeNow();

/** Two places that know each other, and how one of them asks the other. */
interface Two {
  readonly asker: Machine;
  readonly asked: Machine;
  meet(): Promise<unknown>;
}

const RELATIONS: Readonly<Record<string, () => Two>> = {
  "a spoke and its hub": () => {
    const asked = machineOf("asked", () => ({}));
    const asker = machineOf("asker", () => ({ hub: way("asker", () => asked) }));
    return { asker, asked, meet: async () => exchange(asker) };
  },
  "a site and the site that it asks": () => {
    const asked = machineOf("asked", () => ({}));
    const asker = machineOf("asker", () => ({
      federation: [
        peerPort(
          "there",
          way("asker", () => asked),
        ),
      ],
    }));
    return { asker, asked, meet: async () => poll(asker.place, "there") };
  },
};

describe.each(Object.keys(RELATIONS))("%s", (relation) => {
  describe.each(["asker", "asked"] as const)("RP1 RP2: the folder of the %s was restored", (which) => {
    it.each([0, 2])("and it wrote %i records since: both tell at the first contact", async (written) => {
      const two = RELATIONS[relation]?.();
      if (two === undefined) throw new Error("no such relation");
      const restored = two[which];
      const asks: Asks = () => asksOf(restored, two);
      // What each has, the other has too, so that both can lose something that the other holds.
      const both = async (): Promise<void> => {
        for (let turn = 0; turn < 2; turn += 1) await two.meet();
      };
      set(two.asker, "asker 1");
      set(two.asked, "asked 1");
      await both();
      stop(restored);
      cpSync(join(root, which), join(root, "backup"), { recursive: true });
      start(restored, which, asks);
      set(restored, "lost 1");
      set(restored, "lost 2");
      await both();
      // A site that only asks gives nothing away: who asks it learns what it wrote.
      if (relation.includes("site") && which === "asker") await give(two.asker, two.asked);
      stop(restored);
      start(restored, "backup", asks);
      for (let n = 1; n <= written; n += 1) set(restored, `new ${n}`);
      two.asker.alarms.length = 0;
      two.asked.alarms.length = 0;
      await two.meet();
      expect(two.asker.alarms, "who asked").toContain("history-forked");
      expect(two.asked.alarms, "who was asked").toContain("history-forked");
    });
  });
});

/** As when the other site asks too: it takes what this one has. */
async function give(from: Machine, to: Machine): Promise<void> {
  const page = from.place.replication.hub.pull({
    caller: { origin: originOf(to.name), token: null },
    ...{ after: "", limit: 1_000, maxBytes: 1_000_000 },
  });
  to.place.replication.intake.take({ via: originOf(from.name), ops: page.ops, base: null });
  await Promise.resolve();
}

function asksOf(restored: Machine, { asker, asked }: Two): ReturnType<Asks> {
  if (restored !== asker) return {};
  const to = way(asker.name, () => asked);
  return asker.place.replication.spoke === null ? { federation: [peerPort("there", to)] } : { hub: to };
}

it("RP2: what a restored spoke writes while it meets its hub is not taken for what it wrote before", async () => {
  let onCompare = (): void => undefined;
  const hub = machineOf("hub", () => ({}));
  const asks = (): ReturnType<Asks> => {
    const to = way("spoke", () => hub);
    return { hub: { ...to, compare: async (heads) => (onCompare(), to.compare?.(heads) as never) } };
  };
  const spoke = machineOf("spoke", asks);
  set(spoke, "before");
  await exchange(spoke);
  stop(spoke);
  cpSync(join(root, "spoke"), join(root, "backup"), { recursive: true });
  start(spoke, "spoke", asks);
  set(spoke, "old 1");
  set(spoke, "old 2");
  await exchange(spoke);
  stop(spoke);
  start(spoke, "backup", asks);
  let written = 0;
  onCompare = () => {
    if (written < 3) set(spoke, `new ${(written += 1)}`);
  };
  for (let turn = 0; turn < 3; turn += 1) await exchange(spoke);
  const fields = ["before", "old 1", "old 2", ...Array.from({ length: written }, (_, n) => `new ${n + 1}`)];
  expect(written).toBeGreaterThan(0);
  for (const { place } of [hub, spoke]) {
    const values = fields.map((field) => place.replication.records.get("macros", field)?.value);
    expect(values).toEqual(fields.map(() => "spoke"));
    expect(place.replication.records.quarantined(10)).toEqual([]);
  }
});

it("makes no noise where nothing was lost: writing goes on beside every exchange", async () => {
  for (const relation of Object.keys(RELATIONS)) {
    machines.forEach(stop);
    machines = [];
    rmSync(root, { recursive: true, force: true });
    const two = RELATIONS[relation]?.();
    for (let turn = 1; turn <= 5; turn += 1) {
      set(two?.asker as Machine, `asker ${turn}`);
      set(two?.asked as Machine, `asked ${turn}`);
      await Promise.all([two?.meet(), Promise.resolve().then(() => set(two?.asked as Machine, `beside ${turn}`))]);
    }
    expect([two?.asker.alarms, two?.asked.alarms]).toEqual([[], []]);
  }
});

it.each(Object.keys(RELATIONS))("RP2: %s run on copies of one folder: both tell", async (relation) => {
  const two = RELATIONS[relation]?.() as Two;
  set(two.asked, "before");
  stop(two.asker);
  stop(two.asked);
  cpSync(join(root, "asked"), join(root, "copy"), { recursive: true });
  start(two.asked, "asked", () => ({}));
  start(two.asker, "copy", () => asksOf(two.asker, two));
  await two.meet();
  expect(two.asker.alarms, "who asked").toContain("history-forked");
  expect(two.asked.alarms, "who was asked").toContain("history-forked");
});
