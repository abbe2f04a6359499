/**
 * Takes the witness away from one engine or from both, and gives it back.
 * The witness itself keeps running and remembers; only the way to it is gone. For SQLite each engine reaches
 * the one file through a link of its own to its folder; for Redis through a forwarder of its own.
 */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WitnessConfig } from "../../config/types.ts";
import type { Label } from "../../core/ids.ts";
import { CliError, EXIT } from "../exit.ts";
import { LinkProxy } from "./link-proxy.ts";

export interface WitnessGate {
  /** What the engine's configuration says. */
  configFor(label: Label): WitnessConfig;
  cut(label: Label): void;
  heal(label: Label): void;
  close(): Promise<void>;
}

/** One SQLite file below `folder`. */
export function sqliteGate(folder: string): WitnessGate {
  const shared = join(folder, "witness");
  mkdirSync(shared);
  const way = (label: Label): string => join(folder, `witness-of-${label}`);
  const heal = (label: Label): void => {
    rmSync(way(label), { force: true });
    symlinkSync(shared, way(label));
  };
  heal("a");
  heal("b");
  return {
    configFor: (label) => ({ kind: "sqlite", file: join(way(label), "witness.db") }),
    cut: (label) => {
      rmSync(way(label), { force: true });
      // A plain file stands in the way, so that nobody makes a new folder and a second witness in it.
      writeFileSync(way(label), "the way to the witness is cut\n");
    },
    heal,
    close: async () => {},
  };
}

/** A running Redis, reached by each engine through its own forwarder. */
export async function redisGate(url: string): Promise<WitnessGate> {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed?.protocol !== "redis:" || !["127.0.0.1", "localhost"].includes(parsed.hostname)) {
    throw new CliError(EXIT.wrongUse, "--redis must be a Redis of this host, such as redis://127.0.0.1:6379");
  }
  const port = Number(parsed.port || 6379);
  const proxies = { a: new LinkProxy(port), b: new LinkProxy(port) };
  await Promise.all([proxies.a.open(), proxies.b.open()]);
  if (!(await proxies.a.reachesTarget())) {
    await Promise.all([proxies.a.close(), proxies.b.close()]);
    throw new CliError(EXIT.unreachable, `no Redis answers at ${parsed.host}; start one, or leave --redis out`);
  }
  return {
    configFor: (label) => {
      const own = new URL(url);
      own.hostname = "127.0.0.1";
      own.port = String(proxies[label].port);
      return { kind: "redis", url: own.href.replace(/\/$/, "") };
    },
    cut: (label) => proxies[label].cut(),
    heal: (label) => proxies[label].heal(),
    close: async () => void (await Promise.all([proxies.a.close(), proxies.b.close()])),
  };
}
