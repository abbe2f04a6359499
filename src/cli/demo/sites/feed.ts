/**
 * What the pair has published, read as any consumer reads it: in the feed's order, from its beginning.
 * Judged by the feed alone: each event once, each stack in the order of its versions.
 */
import { FileSource } from "../../../adapters/sinks/file-source.ts";
import type { ControlEvent } from "../../../core/control-event.ts";
import { columns } from "../../output.ts";

const PAGE = 500;

/** All events that stand in the feed now. */
export async function feedIn(folder: string): Promise<readonly ControlEvent[]> {
  const source = new FileSource({}, { folder, consumer: "demo" });
  const events: ControlEvent[] = [];
  for (let after = 0; ;) {
    const page = await source.read(after, PAGE);
    if (page.outcome !== "read" || page.entries.length === 0) return events;
    for (const { event, controlVersion } of page.entries) {
      if (event !== null) events.push(event);
      after = controlVersion;
    }
  }
}

/** One line a kind of stack, and whether every event stands once and every stack in order. */
export function feedAccount(events: readonly ControlEvent[]): { readonly lines: string[]; readonly good: boolean } {
  const kinds = new Map<string, ControlEvent[]>();
  for (const event of events) {
    const kind = event.stackId.split("/")[0] ?? event.stackId;
    kinds.set(kind, [...(kinds.get(kind) ?? []), event]);
  }
  const rows = [...kinds].map(([kind, of]) => {
    const stacks = new Set(of.map(({ stackId }) => stackId)).size;
    return [kind, `${of.length}`, `${stacks}`, inOrder(of) ? "in order" : "OUT OF ORDER"];
  });
  const doubled = events.length - new Set(events.map(({ eventId }) => eventId)).size;
  return {
    lines: [...columns([["feed", "events", "stacks", ""], ...rows]), `${doubled} events doubled`],
    good: doubled === 0 && inOrder(events),
  };
}

function inOrder(events: readonly ControlEvent[]): boolean {
  const last = new Map<string, number>();
  return events.every(({ stackId, version }) => {
    const before = last.get(stackId) ?? 0;
    last.set(stackId, version);
    return version > before;
  });
}
