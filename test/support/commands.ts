/** Commands for engines, without a coordinator that numbers them. */
import type { Json } from "../../src/core/canonical-json.ts";
import type { Command } from "../../src/core/command.ts";

/** The instant, unix µs, at which these tests begin. */
const START_US = 1_709_654_400_000_000;

/** Milliseconds after the start of the test, as unix µs. */
export function atMs(ms: number): number {
  return START_US + Math.round(ms * 1_000);
}

/** A command with its place in the log; executed one frame after the one before unless `executeAtUs` says otherwise. */
export function commandAt(
  seq: number,
  kind: string,
  payload: Json = null,
  place: { epoch?: number; executeAtUs?: number } = {},
): Command {
  return {
    seq,
    epoch: place.epoch ?? 1,
    hlc: `${String(seq).padStart(20, "0")}`,
    executeAtUs: place.executeAtUs ?? atMs(seq * 40),
    kind,
    payload,
    origin: "eng_a",
    originSeq: seq,
    idempotencyKey: null,
    clock: { eng_a: seq },
  } as unknown as Command;
}
