/** `changeover machines`: the statecharts that run an engine, listed and exported. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Argument, type Command, Option } from "commander";
import type { AnyStateMachine } from "xstate";
import { machines } from "../../../machines/index.ts";
import { packageRoot } from "../../host/package-root.ts";
import { nameOf, type StateMessage } from "../../visualiser/inspected.ts";
import { CliError, EXIT } from "../exit.ts";
import { clientFor, reaching, type ReachOptions } from "../options.ts";
import { runningJson, runningLines, treeLines } from "./actor-tree.ts";
import { addInspect } from "./inspect.ts";
import { addRuns, openStream } from "./runs.ts";
import { mermaidOf } from "./mermaid.ts";
import { columns, json, line } from "../output.ts";

interface ListOptions {
  readonly json?: boolean;
}

interface ExportOptions extends ReachOptions {
  readonly format: Format | "tree";
  readonly out?: string;
  readonly running?: boolean;
}

type Format = "json" | "mermaid" | "svg";

/** An engine tells its state five times a second. */
const STATE_WITHIN_MS = 5_000;

const catalogue: Readonly<Record<string, AnyStateMachine>> = machines;

export function addMachines(program: Command): void {
  const command = program.command("machines").description("the statecharts that run an engine");
  command
    .command("list")
    .description("their names and top states")
    .option("--json", "print JSON")
    .action((options: ListOptions) => {
      const rows = Object.entries(catalogue).map(([name, machine]) => ({ name, states: Object.keys(machine.states) }));
      if (options.json) json(rows);
      else columns(rows.map(({ name, states }) => [name, states.join(", ")])).forEach((text) => line(text));
    });
  reaching(command.command("export"))
    .description(
      "json: the definition that Stately's editor opens; mermaid: a state diagram; svg: as the page draws it; " +
        "tree: which chart starts which, with its delays and steps",
    )
    .addArgument(new Argument("[name]", "one machine; all without it").choices(Object.keys(catalogue)))
    .addOption(new Option("--format <format>").choices(["json", "mermaid", "svg", "tree"]).default("json"))
    .option("--out <folder>", "one file a machine into this folder, instead of standard output")
    .option(
      "--running",
      "of a running engine, as tree or json: where each chart stands, what is left of its delays, why the engine waits",
    )
    .action(exportMachines);
  addRuns(command);
  addInspect(command);
}

async function exportMachines(name: string | undefined, options: ExportOptions): Promise<void> {
  const { format, out, running = false } = options;
  if (running) return exportRunning(name, options);
  if (format === "tree") {
    refuseWith("--format tree", { "the name of one machine": name, "--out": out });
    return treeLines().forEach((text) => line(text));
  }
  const chosen = Object.entries(catalogue).filter(([machine]) => name === undefined || machine === name);
  if (out !== undefined) {
    mkdirSync(out, { recursive: true });
    for (const [machine, chart] of chosen)
      writeFileSync(join(out, fileName(machine, format)), `${text(machine, chart, format)}\n`);
    return;
  }
  const [only] = chosen;
  if (chosen.length === 1 && only !== undefined) return line(text(only[0], only[1], format));
  if (format === "json")
    return line(definitionText(Object.fromEntries(chosen.map(([key, { config }]) => [key, config]))));
  if (format === "svg") return line(stackedDrawings(chosen.map(([machine, chart]) => text(machine, chart, "svg"))));
  chosen.forEach(([machine, chart]) => line(`%% ${machine}\n${mermaidOf(chart)}\n`));
}

/** What one engine's charts do at this moment. */
async function exportRunning(name: string | undefined, options: ExportOptions): Promise<void> {
  const { format, out } = options;
  refuseWith("--running", { "the name of one machine": name, "--out": out });
  if (format === "svg" || format === "mermaid") {
    throw new CliError(EXIT.wrongUse, `--running is told as --format tree or json, not as ${format}`);
  }
  const { engineLabel } = await clientFor(options).state();
  const message = await nextState(options, engineLabel);
  if (format === "json") json(runningJson(message));
  else runningLines(message).forEach((text) => line(text));
}

async function nextState(options: ReachOptions, engine: string): Promise<StateMessage> {
  const found: StateMessage[] = [];
  const { socket, ended } = await openStream(options, (message, _text, stream) => {
    if (message.type !== "state" || message.engine !== engine) return;
    found.push(message);
    stream.terminate();
  });
  const timer = setTimeout(() => socket.terminate(), STATE_WITHIN_MS);
  try {
    await ended;
  } finally {
    clearTimeout(timer);
  }
  const [state] = found;
  if (state !== undefined) return state;
  throw new CliError(EXIT.unreachable, `${options.url}: the engine told nothing of its charts`);
}

/** Refuses what cannot be said together with `option`. */
function refuseWith(option: string, others: Readonly<Record<string, unknown>>): void {
  for (const [other, value] of Object.entries(others)) {
    if (value !== undefined) throw new CliError(EXIT.wrongUse, `${option} shows all charts: leave out ${other}`);
  }
}

function text(name: string, machine: AnyStateMachine, format: Format): string {
  switch (format) {
    case "json":
      return definitionText(machine.config);
    case "mermaid":
      return mermaidOf(machine);
    case "svg":
      return readFileSync(new URL(`docs/images/machines/${name}.svg`, packageRoot()), "utf8").trimEnd();
  }
}

/** Several drawings as one, below each other. */
function stackedDrawings(drawings: readonly string[]): string {
  let [width, height] = [0, 0];
  const placed = drawings.map((drawing) => {
    const [, wide = "0", high = "0"] = /^<svg [^>]*width="(\d+)" height="(\d+)"/.exec(drawing) ?? [];
    const inner = drawing.replace("<svg ", `<svg y="${height}" `);
    width = Math.max(width, Number(wide));
    height += Number(high);
    return inner;
  });
  const size = `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>\n${placed.join("\n")}\n</svg>`;
}

/** A combined guard is a function in XState; here it goes by its name, or the definition would lose it. */
function definitionText(definition: unknown): string {
  return JSON.stringify(definition, (_key, value: unknown) => (typeof value === "function" ? nameOf(value) : value), 2);
}

function fileName(machine: string, format: Format): string {
  return `${machine}${{ json: ".machine.json", mermaid: ".mmd", svg: ".svg" }[format]}`;
}
