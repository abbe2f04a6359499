/** `changeover machines`: the statecharts that run an engine, listed and exported. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Argument, type Command, Option } from "commander";
import type { AnyStateMachine } from "xstate";
import { machines } from "../../../machines/index.ts";
import { packageRoot } from "../../host/package-root.ts";
import { nameOf } from "../../visualiser/inspected.ts";
import { addInspect } from "./inspect.ts";
import { addRuns } from "./runs.ts";
import { mermaidOf } from "./mermaid.ts";
import { columns, json, line } from "../output.ts";

interface ListOptions {
  readonly json?: boolean;
}

interface ExportOptions {
  readonly format: "json" | "mermaid" | "svg";
  readonly out?: string;
}

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
  command
    .command("export")
    .description(
      "json: the definition that Stately's editor opens; mermaid: a state diagram; svg: as the page draws it",
    )
    .addArgument(new Argument("[name]", "one machine; all without it").choices(Object.keys(catalogue)))
    .addOption(new Option("--format <format>").choices(["json", "mermaid", "svg"]).default("json"))
    .option("--out <folder>", "one file a machine into this folder, instead of standard output")
    .action(exportMachines);
  addRuns(command);
  addInspect(command);
}

function exportMachines(name: string | undefined, { format, out }: ExportOptions): void {
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

function text(name: string, machine: AnyStateMachine, format: ExportOptions["format"]): string {
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

function fileName(machine: string, format: ExportOptions["format"]): string {
  return `${machine}${{ json: ".machine.json", mermaid: ".mmd", svg: ".svg" }[format]}`;
}
