/**
 * However changes travel: places that hold the same operations show the same. Random changes on several places, exchanges
 * with a hub that come in any order, doubled, broken off in between, between places whose clocks differ and that start anew.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryDisk } from "../../src/adapters/memory-disk.ts";
import type { Json } from "../../src/core/canonical-json.ts";
import type { SyncAnswer, SyncTransport } from "../../src/ports/sync-transport.ts";
import { makePlace, originOf, shown, type Place, SetClock } from "../support/replication-node.ts";

const SPOKES = ["s1", "s2", "s3"] as const;
const FIELDS = ["f1", "f2"] as const;

type Act =
  | { readonly kind: "set"; readonly at: number; readonly field: number; readonly value: number }
  | { readonly kind: "delete"; readonly at: number; readonly field: number }
  | { readonly kind: "sync"; readonly at: number; readonly breaksAfter: number }
  | { readonly kind: "restart"; readonly at: number }
  | { readonly kind: "skew"; readonly at: number; readonly ms: number }
  | { readonly kind: "repeat"; readonly which: number }
  | { readonly kind: "compact" };

const at = fc.nat(SPOKES.length);
const spoke = fc.nat(SPOKES.length - 1);
const field = fc.nat(FIELDS.length - 1);
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("set"), at, field, value: fc.nat(3) } as const) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("delete"), at, field } as const) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("sync"), at: spoke, breaksAfter: fc.nat(6) } as const) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart"), at } as const) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("skew"), at, ms: fc.integer({ min: -200, max: 200 }) } as const),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("repeat"), which: fc.nat(50) } as const) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("compact") } as const) },
);

/**
 * A way that is cut after so many calls; the last one before may have been carried out without an answer. Every push is
 * kept, so that it can come again at any later time.
 */
function cutAfter(way: () => SyncTransport, calls: { left: number }, pushes: (() => void)[]): SyncTransport {
  const reset: SyncAnswer<Json> = {
    outcome: "failed",
    error: Object.assign(new Error("cut"), { code: "ECONNRESET", syscall: "read" }),
  };
  const through = async (call: () => Promise<SyncAnswer<Json>>): Promise<SyncAnswer<Json>> => {
    calls.left -= 1;
    if (calls.left < 0) return reset;
    const answer = await call();
    return calls.left === 0 ? reset : answer;
  };
  return {
    identity: () => through(() => way().identity()),
    pull: (request) => through(() => way().pull({ ...request, limit: 2 })),
    push: (ops, snapshot) => {
      pushes.push(() => void way().push(ops, snapshot));
      return through(() => way().push(ops, snapshot));
    },
    close: () => undefined,
  };
}

/** A hub and three spokes that can die and start anew. */
class Plant {
  readonly #disks = [new MemoryDisk(), ...SPOKES.map(() => new MemoryDisk())];
  readonly #clocks = [new SetClock(), ...SPOKES.map(() => new SetClock())];
  readonly #calls = SPOKES.map(() => ({ left: Infinity }));
  readonly #pushes: (() => void)[] = [];
  readonly places: Place[] = [];

  constructor() {
    this.#disks.forEach((_disk, index) => this.#open(index));
  }

  #open(index: number): void {
    const disk = this.#disks[index] as MemoryDisk;
    disk.ownerDied();
    const clock = this.#clocks[index] as SetClock;
    const name = index === 0 ? "hub" : (SPOKES[index - 1] as string);
    const calls = this.#calls[index - 1];
    const hub =
      calls === undefined ? {} : { hub: cutAfter(() => this.#hub.wayFor(originOf(name)), calls, this.#pushes) };
    this.places[index] = makePlace({ name, disk, clock, ...hub });
  }

  get #hub(): Place {
    return this.places[0] as Place;
  }

  async do(act: Act): Promise<void> {
    for (const clock of this.#clocks) clock.nowMs += 7;
    switch (act.kind) {
      case "set":
        this.places[act.at]?.replication.records.set("e", FIELDS[act.field] as string, act.value);
        return;
      case "delete":
        this.places[act.at]?.replication.records.delete("e", FIELDS[act.field] as string);
        return;
      case "sync":
        return this.sync(act.at, act.breaksAfter === 0 ? Infinity : act.breaksAfter);
      case "restart":
        this.places[act.at]?.replication.stop();
        return this.#open(act.at);
      case "skew":
        (this.#clocks[act.at] as SetClock).nowMs += act.ms;
        return;
      case "repeat":
        return this.#pushes[act.which % this.#pushes.length]?.();
      case "compact":
        this.#hub.replication.hub.compact();
    }
  }

  async sync(index: number, calls = Infinity): Promise<void> {
    (this.#calls[index] as { left: number }).left = calls;
    await this.places[index + 1]?.replication.spoke?.exchangeNow();
  }

  /** All clocks agree again, and everybody exchanges until nothing moves. */
  async heal(): Promise<void> {
    const latest = Math.max(...this.#clocks.map(({ nowMs }) => nowMs)) + 1_000;
    for (const clock of this.#clocks) clock.nowMs = latest;
    for (let round = 0; round < 3; round += 1) for (const index of SPOKES.keys()) await this.sync(index);
  }

  stop(): void {
    for (const place of this.places) place.replication.stop();
  }
}

describe("hub and spokes", () => {
  it("converge to equal records, equal vectors and equal open conflicts", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 60 }), async (acts) => {
        const plant = new Plant();
        try {
          for (const one of acts) await plant.do(one);
          await plant.heal();
          const [hub, ...spokes] = plant.places.map(shown);
          for (const spokeShows of spokes) expect(spokeShows).toEqual(hub);
        } finally {
          plant.stop();
        }
      }),
      { numRuns: Number(process.env["CONVERGENCE_RUNS"] ?? 300) },
    );
  });
});
