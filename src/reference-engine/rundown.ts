/**
 * Reads a rundown: a file of one call `{"method", "path", "body"?}` a line, in the order of the show.
 * Every line is either a call that the reference switcher accepts or an error that names the line.
 */
import { readFile } from "node:fs/promises";
import Type from "typebox";
import { Check } from "typebox/value";
import type { Json } from "../core/canonical-json.ts";
import { ChangeoverError } from "../core/errors.ts";
import { problemIn } from "./route.ts";
import { validateCall } from "./validate.ts";

/** One call of a rundown, as `POST /api/commands` takes it. */
export interface RundownCall {
  kind: string;
  payload: Json;
}

/** Lines of one rundown. */
const MAX_RUNDOWN_LINES = 100_000;

const Line = Type.Object({
  method: Type.String(),
  path: Type.String(),
  body: Type.Optional(Type.Unsafe<Json>({})),
});

/** Reads the file. Throws `invalid_value` that names the file, the line and what is wrong with it. */
export async function loadRundown(file: string): Promise<RundownCall[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new ChangeoverError("invalid_value", `rundown ${file}: cannot be read`, { cause, details: { file } });
  }
  return parseRundown(text, file);
}

/** The same for a text; `name` is what errors call it. Empty lines are left out. */
export function parseRundown(text: string, name: string): RundownCall[] {
  const lines = text.split(/\r?\n/);
  if (lines.length > MAX_RUNDOWN_LINES) {
    throw new ChangeoverError("invalid_value", `rundown ${name}: ${lines.length} lines, at most ${MAX_RUNDOWN_LINES}`);
  }
  return lines.flatMap((line, index) => (line.trim() === "" ? [] : [parseLine(line, name, index + 1)]));
}

function parseLine(line: string, file: string, number: number): RundownCall {
  const fail = (why: string): never => {
    throw new ChangeoverError("invalid_value", `rundown ${file}, line ${number}: ${why}`, {
      details: { file, line: number },
    });
  };
  let value: Json;
  try {
    value = JSON.parse(line) as Json;
  } catch {
    return fail("not JSON");
  }
  if (!Check(Line, value)) return fail(problemIn(Line, value, "call") ?? "not a call");
  const call = { kind: `${value.method} ${value.path}`, payload: value.body ?? null };
  const problem = validateCall(call.kind, call.payload);
  return problem === null ? call : fail(problem);
}
