/**
 * `examples/obs` as a process of a real pair: `node obs-engine-process.ts engine -c FILE`. The OBS beside each engine is
 * named by `OBS_URL_A` and `OBS_URL_B`.
 */
import { readFileSync } from "node:fs";
import "./own-package.ts";

const { label } = JSON.parse(readFileSync(process.argv.at(-1) ?? "", "utf8")) as { readonly label: string };
process.env["OBS_URL"] = process.env[`OBS_URL_${label.toUpperCase()}`];
// Only an import that comes later sees what "changeover" means here.
await import(String(new URL("../../examples/obs/obs-engine.js", import.meta.url)));
