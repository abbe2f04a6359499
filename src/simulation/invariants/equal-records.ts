/**
 * Purpose: R1: no change of a record is lost, and once faults have ended every engine and spoke has equal records, equal
 * vectors and equal open conflicts.
 */
import type { DiskContent } from "../../adapters/memory-disk.ts";
import type { Watch } from "../watch.ts";
import type { World } from "../world.ts";

/** What keeps the places of a world from being equal; null when nothing does. */
export function unequalRecords(world: World): string | null {
  const first = world.contentOf("a");
  if (world.spokes.length === 0 || first === null) return null;
  for (const name of ["b", ...world.spokes.map((spoke) => spoke.name)]) {
    const content = world.contentOf(name);
    const why = content === null ? "it was never there" : differences(first, content);
    if (why !== null) return `${name} beside a: ${why}`;
  }
  return null;
}

/** Remembers what was written, and judges the end. */
export function equalRecords(world: World): Watch {
  const written = new Map<string, number>();
  return {
    recorded: (_place, { origin, originSeq }, via) => {
      if (via === "" && originSeq > (written.get(origin) ?? 0)) written.set(origin, originSeq);
    },
    settled: () => {
      const vector = world.contentOf("a")?.replica.vector;
      for (const [origin, originSeq] of written) {
        if ((vector?.get(origin) ?? 0) === originSeq) continue;
        world.violate("R1", `${origin} has written ${originSeq}, of which ${vector?.get(origin) ?? 0} are held`);
      }
    },
  };
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
