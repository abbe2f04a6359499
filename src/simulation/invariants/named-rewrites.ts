/**
 * Purpose: VT4: a leader names only rewrites of the witness record that it sent in the epoch that it names, and numbers each
 * above the one before. How: what it sent is noted per epoch; a follower takes a record whose seq is not above the
 * named one for one that stands still, so a number too high lets it lead beside a leader that lives.
 */
import type { Label } from "../../core/ids.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

/** Watches heartbeats and rewrites. */
export function namedRewrites(world: World): Watch {
  const sent: Record<Label, Map<number, number>> = { a: new Map(), b: new Map() };
  const led: Record<Label, number | null> = { a: null, b: null };
  return {
    booted: (label) => {
      sent[label].clear();
      led[label] = null;
    },
    told: (label, event) => {
      if (event.type === "role") led[label] = event.role === "leader" ? event.epoch : null;
    },
    swapSent: (from, { epoch, seq }) => {
      const before = sent[from].get(epoch) ?? 0;
      // A campaign may send one again that came to nothing: nobody was told of it.
      if (seq <= before && led[from] === epoch)
        world.violate("VT4", `${from} sends rewrite ${seq} of epoch ${epoch} after ${before}`);
      sent[from].set(epoch, Math.max(before, seq));
    },
    sent: (from, message) => {
      if (message.type !== "heartbeat" || message.witnessSeq === null) return;
      const { epoch, witnessSeq } = message;
      if (witnessSeq > (sent[from].get(epoch) ?? 0))
        world.violate("VT4", `${from} names rewrite ${witnessSeq} of epoch ${epoch}, which it has not sent`);
    },
  };
}
