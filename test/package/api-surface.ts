/**
 * The public face of the package as text: every declaration file that a user's compiler reads through `changeover`,
 * emitted from the sources in memory, and the names that `changeover/machines` offers.
 * Does not build `dist/`: a stale build can neither hide nor invent a change.
 */
import { existsSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const INDEX = join(ROOT, "src/index.ts");
const MACHINES = join(ROOT, "machines/index.ts");

export interface ApiSurface {
  /** What the snapshot keeps. */
  readonly text: string;
  /** Packages whose types a user meets through `changeover`, `node:` modules left out. */
  readonly packages: readonly string[];
}

/**
 * Emits and flattens the declarations.
 *
 * @throws Error when the package lacks one of its two entries
 */
export function readApiSurface(): ApiSurface {
  for (const entry of [INDEX, MACHINES]) if (!existsSync(entry)) throw new Error(`no entry ${relative(ROOT, entry)}`);
  const program = ts.createProgram([INDEX, MACHINES], compilerOptions());
  const emitted = emitDeclarations(program);
  const packages = new Set<string>();
  const reached = reachableFrom(INDEX, emitted, packages);
  const sections = [...reached].sort().map((file) => {
    return `// ${relative(ROOT, file)}\n\n${(emitted.get(file) ?? "").trim()}\n`;
  });
  const machines = exportedNames(program, MACHINES);
  return {
    text: `${[...sections, `// changeover/machines\n\n${machines.join("\n")}\n`].join("\n")}`,
    packages: [...packages].sort(),
  };
}

function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: Record<string, unknown> };
  };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  return { ...options, emitDeclarationOnly: true, removeComments: true };
}

/** Source file → its declarations. */
function emitDeclarations(program: ts.Program): Map<string, string> {
  const emitted = new Map<string, string>();
  program.emit(
    undefined,
    (_path, text, _bom, _onError, sources) => {
      for (const source of sources ?? []) emitted.set(resolve(source.fileName), text);
    },
    undefined,
    true,
  );
  return emitted;
}

function reachableFrom(entry: string, emitted: ReadonlyMap<string, string>, packages: Set<string>): Set<string> {
  const reached = new Set([entry]);
  for (const file of reached) {
    for (const { fileName } of ts.preProcessFile(emitted.get(file) ?? "", true, true).importedFiles) {
      if (fileName.startsWith(".")) reached.add(resolve(dirname(file), fileName.replace(/\.js$/, ".ts")));
      else if (!fileName.startsWith("node:")) packages.add(fileName);
    }
  }
  return reached;
}

function exportedNames(program: ts.Program, file: string): string[] {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const symbol = source && checker.getSymbolAtLocation(source);
  return symbol
    ? checker
        .getExportsOfModule(symbol)
        .map(({ name }) => name)
        .sort()
    : [];
}
