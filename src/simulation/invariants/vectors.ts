/**
 * Purpose: R5: a place's vector is, for every origin, the highest number through which it has everything.
 * How: what each place has is counted along by itself. A place that was brought over what another had compacted away has
 * everything through the clock that came with it, at the latest when the last page has come. What a corrected clock
 * withdraws is had by nobody who knows of it [CK2].
 */
import type { VectorClock } from "../../core/vector-clock.ts";
import { announced } from "../../replication/own-origin.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

interface Counted {
  /** Held beyond `through`. */
  readonly beyond: Set<number>;
  through: number;
}

/** Watches vectors. */
export function vectors(world: World): Watch {
  const counted = new Map<string, Map<string, Counted>>();
  const bases = new Map<string, Map<string, number>>();
  const touched = new Set<string>();
  const count = (place: string, origin: string, originSeq: number): void => {
    const origins = counted.get(place) ?? new Map<string, Counted>();
    counted.set(place, origins);
    const known = origins.get(origin) ?? { beyond: new Set(), through: 0 };
    origins.set(origin, known);
    known.beyond.add(originSeq);
    while (known.beyond.delete(known.through + 1)) known.through += 1;
  };
  const give = (place: string, clock: VectorClock | undefined): void => {
    const known = bases.get(place) ?? new Map<string, number>();
    bases.set(place, known);
    for (const [origin, seq] of Object.entries(clock ?? {})) known.set(origin, Math.max(known.get(origin) ?? 0, seq));
  };
  const withdraw = (place: string, origin: string, keptThrough: number): void => {
    const known = counted.get(place)?.get(origin);
    if (known !== undefined && known.through > keptThrough) known.through = keptThrough;
    for (const seq of known?.beyond ?? []) if (seq > keptThrough) known?.beyond.delete(seq);
    const base = bases.get(place);
    if ((base?.get(origin) ?? 0) > keptThrough) base?.set(origin, keptThrough);
  };
  const judge = (place: string): void => {
    const vector = world.contentOf(place)?.replica.vector;
    for (const [origin, { through, beyond }] of counted.get(place) ?? []) {
      if (world.isRewritten(origin)) continue;
      const says = vector?.get(origin) ?? 0;
      let most = Math.max(through, bases.get(place)?.get(origin) ?? 0);
      while (beyond.has(most + 1)) most += 1;
      if (says >= through && says <= most) continue;
      world.violate("R5", `${place} says ${says} of ${origin}, of which it has everything through ${through}`);
    }
  };
  return {
    replaced: (site) => {
      counted.delete(site);
      bases.delete(site);
    },
    diskReplaced: (label) => {
      counted.delete(label);
      bases.set(label, new Map(world.contentOf(label)?.replica.vector));
      for (const [origin, through] of bases.get(label) ?? []) {
        const origins = counted.get(label) ?? new Map<string, Counted>();
        counted.set(label, origins.set(origin, { beyond: new Set(), through }));
      }
    },
    recorded: (place, op) => {
      count(place, op.origin, op.originSeq);
      const notice = announced(op);
      if (notice?.withdraws === true) withdraw(place, notice.before, op.clock[notice.before] ?? 0);
      touched.add(place);
    },
    pulled: (place, _from, { snapshot }) => give(place, snapshot?.clock),
    pushed: (_spoke, to, base) => give(to, base?.clock),
    delivered: (to, message) => {
      if (message.type === "sync-answer")
        give(to, (message.value as { snapshot?: { clock?: VectorClock } }).snapshot?.clock);
    },
    afterStep: () => {
      if (touched.size === 0) return;
      for (const place of touched) judge(place);
      touched.clear();
    },
  };
}
