/** Finds circles among the imports of a folder's TypeScript files. Knows nothing of rooms; the linter guards those. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import ts from "typescript";

/** File → the files it imports, both relative to `root`. */
export function importGraph(root: string, pattern: string | string[]): Map<string, string[]> {
  const files = globSync(pattern, { cwd: root }).sort();
  return new Map(
    files.map((file) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(join(root, file), "utf8"), true, true);
      const targets = importedFiles.map(({ fileName }) => fileName).filter((name) => name.startsWith("."));
      return [file, targets.map((target) => normalize(join(dirname(file), target)))];
    }),
  );
}

/** Every circle that a walk from each file meets, each as the files along it, the first one repeated at the end. */
export function findCircles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = [];
  const settled = new Set<string>();
  const walk = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) circles.push([...path.slice(start), file]);
    if (start >= 0 || settled.has(file)) return;
    for (const target of graph.get(file) ?? []) walk(target, [...path, file]);
    settled.add(file);
  };
  for (const file of graph.keys()) walk(file, []);
  return circles;
}
