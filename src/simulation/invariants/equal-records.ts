/**
 * Purpose: R1: no change of a record is lost, and once faults have ended every engine, spoke and site has equal records,
 * equal vectors and equal open conflicts. A site that only publishes has given all that it wrote; one that only subscribes
 * has all that the pair has. Nobody is asked no more whom no person wants left alone.
 */
import type { DiskContent } from "../../adapters/memory-disk.ts";
import { recordOrigin } from "../../core/operation.ts";
import { announced } from "../../replication/own-origin.ts";
import type { Watch } from "../world/watch.ts";
import { federations } from "../people/peer-keeper.ts";
import type { World } from "../world/world.ts";

/** Whether the writer of an origin may have lost some of it. */
type IsRewritten = (origin: string) => boolean;

/** What keeps the places of a world from being equal; null when nothing does. */
export function unequalRecords(world: World): string | null {
  const first = world.contentOf("a");
  if (world.around.length === 0 || first === null) return null;
  const apart = world.sites.filter(({ init }) => init.mode !== "sync");
  const equal = world.around.filter((place) => !apart.some(({ name }) => name === place.name));
  const judged = [
    ...["b", ...equal.map(({ name }) => name)].map((name) => ({ name, judge: differences })),
    ...apart.map(({ name, init }) => ({ name, judge: init.mode === "publish" ? ungiven : untaken })),
  ];
  for (const { name, judge } of judged) {
    const content = world.contentOf(name);
    const why = content === null ? "it was never there" : judge(first, content, (origin) => world.isRewritten(origin));
    if (why !== null) return `${name} beside a: ${why}`;
  }
  return restingPeer(world);
}

/** Remembers what was written, and judges the end. */
export function equalRecords(world: World): Watch {
  const written = new Map<string, { readonly place: string; readonly originSeq: number }>();
  // Nobody else ever gets what one writes that only subscribes.
  const silent = world.sites.filter(({ init }) => init.mode === "subscribe").map(({ name }) => name);
  return {
    recorded: (place, op, via) => {
      const { origin, originSeq } = op;
      const notice = announced(op);
      const withdrawn = notice?.withdraws === true ? written.get(notice.before) : undefined;
      // It is issued again under the new origin, and counts as written there.
      if (via === "" && notice !== null && withdrawn !== undefined) {
        written.set(notice.before, { place, originSeq: Math.min(withdrawn.originSeq, op.clock[notice.before] ?? 0) });
      }
      if (via !== "" || silent.includes(place) || originSeq <= (written.get(origin)?.originSeq ?? 0)) return;
      written.set(origin, { place, originSeq });
    },
    // What had not left it is lost with its store.
    replaced: (site) => {
      for (const [origin, { place }] of written) if (place === site) written.delete(origin);
    },
    // The same, but for what others had of it.
    diskReplaced: (label) => {
      for (const [origin, { place }] of written) {
        if (place !== label) continue;
        const most = Math.max(...places(world).map((name) => world.contentOf(name)?.replica.vector.get(origin) ?? 0));
        written.set(origin, { place, originSeq: most });
      }
    },
    settled: () => {
      const vector = world.contentOf("a")?.replica.vector;
      for (const [origin, { originSeq }] of written) {
        if ((vector?.get(origin) ?? 0) === originSeq || world.isRewritten(origin)) continue;
        world.violate("R1", `${origin} has written ${originSeq}, of which ${vector?.get(origin) ?? 0} are held`);
      }
    },
  };
}

function places(world: World): readonly string[] {
  return ["a", "b", ...world.around.map(({ name }) => name)];
}

/** A peer that is asked no more although nobody wants it so; null when there is none. */
function restingPeer(world: World): string | null {
  for (const { name, federation } of federations(world)) {
    const resting = federation.status().peers.find(({ state }) => state === "paused" || state === "refused");
    if (resting !== undefined) return `${name} asks ${resting.name} no more: ${resting.state}`;
  }
  return null;
}

/** What the pair lacks of one that only publishes. */
function ungiven(pair: DiskContent, { engineId, replica }: DiskContent): string | null {
  const own = recordOrigin(engineId);
  const [wrote, held] = [replica.vector.get(own) ?? 0, pair.replica.vector.get(own) ?? 0];
  return wrote === held ? null : `it wrote ${wrote}, of which ${held} are held`;
}

/**
 * What one that only subscribes lacks of the pair. It serves nobody: what a restored engine has lost and only such a site
 * holds stays with it, and the engine goes on under another name.
 */
function untaken(pair: DiskContent, { engineId, replica }: DiskContent, isRewritten: IsRewritten): string | null {
  const taken = new Map(replica.vector);
  taken.delete(recordOrigin(engineId));
  const { vector } = pair.replica;
  for (const [origin, held] of vector) {
    if (isRewritten(origin) && (taken.get(origin) ?? 0) > held) taken.set(origin, held);
  }
  return sameText(vector, taken, String) ? null : `vectors ${shown(vector)}, ${shown(replica.vector)}`;
}

function differences(left: DiskContent, right: DiskContent): string | null {
  const [ours, theirs] = [left.replica, right.replica];
  if (!sameText(ours.vector, theirs.vector, String)) return `vectors ${shown(ours.vector)}, ${shown(theirs.vector)}`;
  const heads = (of: readonly { readonly checksum: string }[]): string => of.map(({ checksum }) => checksum).join();
  if (!sameText(ours.heads, theirs.heads, heads)) return "other values stand";
  const [opened, contested] = [openConflicts(left), openConflicts(right)];
  return opened === contested ? null : `open conflicts [${opened}], [${contested}]`;
}

function sameText<Value>(
  left: ReadonlyMap<string, Value>,
  right: ReadonlyMap<string, Value>,
  textOf: (value: Value) => string,
): boolean {
  if (left.size !== right.size) return false;
  for (const [key, value] of left) {
    const other = right.get(key);
    if (other === undefined || textOf(value) !== textOf(other)) return false;
  }
  return true;
}

function openConflicts({ conflicts }: DiskContent): string {
  const open = [...conflicts.values()].filter(({ kind, outcome }) => kind === "record" && outcome === "open");
  return open
    .map(({ id }) => id)
    .sort()
    .join();
}

function shown(vector: ReadonlyMap<string, number>): string {
  return JSON.stringify(Object.fromEntries(vector));
}
