/**
 * Draws every statechart of the catalogue into the folder that is named; part of `npm run build`.
 * Files of statecharts that no longer exist do not stay behind.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { drawCatalogue } from "./catalogue.ts";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("name the folder");
mkdirSync(folder, { recursive: true });
const drawings = await drawCatalogue();
for (const file of readdirSync(folder)) if (!drawings.has(file)) rmSync(join(folder, file));
for (const [file, svg] of drawings) writeFileSync(join(folder, file), svg);
