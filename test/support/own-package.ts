/**
 * Preloaded (`node --import`) where an example is run from this tree: "changeover" then means these sources, as it means
 * the installed package to a user.
 */
import { registerHooks } from "node:module";

const SOURCES: Readonly<Record<string, string>> = {
  changeover: new URL("../../src/index.ts", import.meta.url).href,
  "changeover/replication": new URL("../../src/replication.ts", import.meta.url).href,
  "changeover/outbox": new URL("../../src/outbox.ts", import.meta.url).href,
  "changeover/testing": new URL("../../src/testing.ts", import.meta.url).href,
  "changeover/machines": new URL("../../machines/index.ts", import.meta.url).href,
};

registerHooks({
  resolve: (specifier, context, next) => next(SOURCES[specifier] ?? specifier, context),
});
