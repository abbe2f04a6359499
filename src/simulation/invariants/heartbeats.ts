/** Purpose: HB2: a heartbeat whose counter is not above the last of its incarnation is dropped, and extends nothing. */
import type { Label } from "../../core/ids.ts";
import type { Watch } from "../world/watch.ts";
import type { World } from "../world/world.ts";

interface Doubt {
  readonly label: Label;
  readonly n: number;
  readonly receivedBefore: number;
}

/** Watches heartbeats that come late or twice, over another link or from a retransmission. */
export function heartbeats(world: World): Watch {
  const last: Record<Label, { incarnation: string; n: number }> = {
    a: { incarnation: "", n: 0 },
    b: { incarnation: "", n: 0 },
  };
  let doubt: Doubt | null = null;
  const received = (label: Label): number => world.processes[label].coordinator?.counters().heartbeatsReceived ?? 0;
  // Several may come in one step, from a retransmission: each is judged before the next.
  const judge = (): void => {
    if (doubt === null) return;
    const { label, n, receivedBefore } = doubt;
    doubt = null;
    if (received(label) > receivedBefore) world.violate("HB2", `${label} took heartbeat ${n} after ${last[label].n}`);
  };
  return {
    booted: (label) => void (last[label] = { incarnation: "", n: 0 }),
    delivered: (to, message) => {
      judge();
      if (message.type !== "heartbeat") return;
      const { incarnation, n } = message;
      if (incarnation === last[to].incarnation && n <= last[to].n)
        doubt = { label: to, n, receivedBefore: received(to) };
      else last[to] = { incarnation, n };
    },
    afterStep: judge,
  };
}
