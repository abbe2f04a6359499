/**
 * Settles the account of a show: every command that was acknowledged must stand in both logs, or be listed as
 * a conflict with both sides.
 * Judged only by what the engines tell anyone who asks, not by what the demonstration believes.
 */
import { setTimeout as delay } from "node:timers/promises";
import { canonicalJson } from "../../core/canonical-json.ts";
import type { Conflict } from "../../core/command.ts";
import type { Label } from "../../core/ids.ts";
import { Client } from "../client.ts";
import type { Conflicts } from "../commands/conflicts.ts";
import { pageAfter, type ShownCommand } from "../commands/ops.ts";
import { checksumOf, stateOf, until } from "./observe.ts";
import type { Acknowledged } from "./show.ts";

const CHECKSUM_TRIES = 5;
const CHECKSUM_PAUSE_MS = 50;

/** Whose account it is. */
export type EnginePair = { readonly engines: Readonly<Record<Label, { readonly url: string }>> };

export interface Account {
  readonly acknowledged: number;
  /** Acknowledged, and neither in both logs nor among the conflicts. */
  readonly lost: readonly Acknowledged[];
  /** Acknowledged on a side that did not stand, kept with both sides. */
  readonly conflicts: number;
  /** Commands of one key at two places, or one place with two keys. */
  readonly doubled: number;
  /** Place of the first command that the two logs do not share; null when they are equal. */
  readonly firstDifference: string | null;
  readonly checksums: Readonly<{ a: string; b: string }>;
}

/** Waits until both engines agree, then reads both. */
export async function settle(plant: EnginePair, acknowledged: readonly Acknowledged[]): Promise<Account> {
  await until("both engines equal", async () => isSettled(plant));
  const [logA, logB] = await Promise.all([wholeLog(plant.engines.a.url), wholeLog(plant.engines.b.url)]);
  const conflicts = await allConflicts(plant);
  const inBoth = new Set(places(logA));
  for (const place of inBoth) if (!new Set(places(logB)).has(place)) inBoth.delete(place);
  const kept = new Set(conflicts.flatMap((one) => (one.kind === "command" ? [placeOf(one.divergent)] : [])));
  const checksums = { a: await someChecksum(plant.engines.a.url), b: await someChecksum(plant.engines.b.url) };
  return {
    acknowledged: acknowledged.length,
    lost: acknowledged.filter((command) => !inBoth.has(placeOf(command)) && !kept.has(placeOf(command))),
    conflicts: acknowledged.filter((command) => kept.has(placeOf(command))).length,
    doubled: acknowledged.length - new Set(acknowledged.map(placeOf)).size + repeatedSeqs(logA),
    firstDifference: firstDifference(logA, logB),
    checksums,
  };
}

/** Whether exactly one leads, the other is ready, and both say the same of their state. */
export async function isSettled(plant: EnginePair): Promise<boolean> {
  const [a, b] = await Promise.all([stateOf(plant.engines.a.url), stateOf(plant.engines.b.url)]);
  if (a === null || b === null || [a, b].filter(({ mayAct }) => mayAct).length !== 1) return false;
  if (a.syncState !== "ready" || b.syncState !== "ready" || a.epoch !== b.epoch) return false;
  // Each must know it of the other, too: what it offers and hands over rests on that.
  if (a.peer.syncState !== "ready" || b.peer.syncState !== "ready") return false;
  const isExecuted = a.lastExecutedSeq === a.lastCommandSeq && b.lastExecutedSeq === a.lastExecutedSeq;
  if (!isExecuted || a.lastCommandSeq !== b.lastCommandSeq) return false;
  const [one, other] = await Promise.all([checksumOf(plant.engines.a.url), checksumOf(plant.engines.b.url)]);
  return one !== null && one === other;
}

/** What the engine says, where it says anything in time; "none" when it does not for long. */
async function someChecksum(url: string): Promise<string> {
  for (let tries = 1; tries <= CHECKSUM_TRIES; tries += 1) {
    const checksum = await checksumOf(url);
    if (checksum !== null) return checksum;
    await delay(tries * CHECKSUM_PAUSE_MS);
  }
  return "none";
}

/** The place names the command; the kind guards against another command at the same place. */
export function placeOf({ epoch, seq, kind }: { epoch: number; seq: number; kind: string }): string {
  return `${epoch}/${seq} ${kind}`;
}

function firstDifference(one: readonly ShownCommand[], other: readonly ShownCommand[]): string | null {
  const [texts, others] = [one, other].map((log) => log.map((command) => canonicalJson({ ...command })));
  const length = Math.max(one.length, other.length);
  for (let at = 0; at < length; at += 1) {
    const [here, there] = [texts?.[at] ?? "nothing", others?.[at] ?? "nothing"];
    if (here !== there) return `${here} on a, ${there} on b`;
  }
  return null;
}

function places(log: readonly ShownCommand[]): string[] {
  return log.map(placeOf);
}

function repeatedSeqs(log: readonly ShownCommand[]): number {
  return log.length - new Set(log.map(({ seq }) => seq)).size;
}

/** The log of one engine from its beginning. */
export async function wholeLog(url: string): Promise<ShownCommand[]> {
  const client = new Client({ url, token: null });
  const log: ShownCommand[] = [];
  for (;;) {
    const page = await pageAfter(client, log.at(-1)?.seq ?? 0);
    log.push(...page.commands);
    if (!page.hasMore) return log;
  }
}

/** What either engine lists. */
export async function allConflicts({ engines }: EnginePair): Promise<readonly Conflict[]> {
  const lists = await Promise.all(
    [engines.a, engines.b].map(({ url }) =>
      new Client({ url, token: null }).get<Conflicts>("/api/conflicts?limit=1000", ["conflicts"]),
    ),
  );
  return lists.flatMap(({ conflicts }) => conflicts);
}
