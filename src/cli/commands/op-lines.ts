/** Operations on records as lines of `changeover ops tail`, and what of them was set aside. */
import type { Op } from "../../core/operation.ts";
import { parseHlc } from "../../core/hlc.ts";
import type { Client } from "../client.ts";
import { columns, json, line, plain, stamp } from "../output.ts";

/** One operation as `GET /api/ops` shows it. */
export interface ShownOp {
  readonly arrival: string;
  readonly via: string;
  readonly op: Op;
}

interface Aside {
  readonly aside: readonly {
    readonly origin: string;
    readonly originSeq: number;
    readonly reason: string;
    readonly via: string;
    readonly attempts: number;
    readonly dead: boolean;
    readonly atUnixMs: number;
  }[];
  readonly quarantined: readonly { readonly origin: string; readonly originSeq: number; readonly via: string }[];
}

/** Values are cut here; `--json` shows them whole. */
const SHOWN_CHARS = 100;
const PAGE = 500;

/** Operations that arrived after `after`; the newest `lines` when it is null. */
export async function opsAfter(client: Client, after: string | null, lines: number): Promise<readonly ShownOp[]> {
  if (after === null) {
    if (lines === 0) return [];
    return (await client.get<{ ops: readonly ShownOp[] }>(`/api/ops?limit=${Math.min(lines, PAGE)}`, ["ops"])).ops;
  }
  const query = `after=${encodeURIComponent(after)}&limit=${PAGE}`;
  return (await client.get<{ ops: readonly ShownOp[] }>(`/api/ops?${query}`, ["ops"])).ops;
}

/** When it was made, unix ms. */
export function madeAtUnixMs({ op }: ShownOp): number {
  return parseHlc(op.hlc).unixMs;
}

export function opText(shown: ShownOp): string {
  const { origin, originSeq, kind, entity, field, payload } = shown.op;
  const body = kind === "set" ? plain(JSON.stringify(payload)) : "";
  const cut = body.length > SHOWN_CHARS ? `${body.slice(0, SHOWN_CHARS)}…` : body;
  const what = `${kind} ${plain(entity)}/${plain(field)}`;
  return `${stamp(madeAtUnixMs(shown))}  ${origin}/${originSeq}  ${what}  ${cut}`.trimEnd();
}

export async function showAside(client: Client, asJson: boolean): Promise<void> {
  const found = await client.get<Aside>("/api/ops/aside", ["aside", "quarantined"]);
  if (asJson) return json(found);
  if (found.aside.length === 0 && found.quarantined.length === 0) return line("nothing is set aside");
  const rows = found.aside.map(({ origin, originSeq, reason, via, attempts, dead, atUnixMs }) => {
    return [
      `${origin}/${originSeq}`,
      dead ? "dead" : "tried again",
      reason,
      `${attempts}`,
      plain(via),
      stamp(atUnixMs),
    ];
  });
  columns([["operation", "state", "why", "tries", "from", "since (UTC)"], ...rows]).forEach((text) => line(text));
  for (const { origin, originSeq, via } of found.quarantined) {
    line(`${origin}/${originSeq} came again from ${plain(via)} with other content: in quarantine`);
  }
}

export async function skip(client: Client, origin: string, originSeq: number): Promise<void> {
  await client.postForNothing(`/api/ops/aside/${encodeURIComponent(origin)}/${originSeq}/skip`);
  line(`${origin}/${originSeq} is given up; its origin goes on`);
}
