/** A pair of real engine processes for a suite: free ports, a folder of its own, the shipped reference engine. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../src/cli/demo/observe.ts";
import { stateOf } from "../../src/cli/demo/observe.ts";
import { EngineProcess } from "../../src/cli/demo/processes.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { freePort } from "../support/free-port.ts";

export interface EnginePair {
  readonly folder: string;
  readonly urls: Readonly<Record<Label, string>>;
  readonly engines: Readonly<Record<Label, EngineProcess>>;
  configFile(label: Label): string;
  close(): Promise<void>;
}

/**
 * Starts both, `a` first, so that it leads, and waits until the other one is ready.
 *
 * @param more keys that both configurations have beside the necessary ones
 * @param chosen where the engines listen, for those who must know it before
 */
export async function startPair(more: object = {}, chosen?: Readonly<Record<Label, number>>): Promise<EnginePair> {
  const folder = mkdtempSync(join(tmpdir(), "changeover-pair-"));
  const ports = chosen ?? { a: await freePort(), b: await freePort() };
  const configFile = (label: Label): string => join(folder, `${label}.json`);
  const engineOf = (label: Label): EngineProcess => {
    const config = {
      pair: "studio-1",
      label,
      listen: { port: ports[label] },
      dataDir: join(folder, label),
      peer: { links: [{ name: "red", url: `ws://127.0.0.1:${ports[otherLabel(label)]}` }] },
      witness: { kind: "sqlite", file: join(folder, "witness.db") },
      ...more,
    };
    writeFileSync(configFile(label), JSON.stringify(config));
    const url = `http://127.0.0.1:${ports[label]}`;
    const logFile = join(folder, `${label}.log`);
    return new EngineProcess({ label, url, configFile: configFile(label), logFile, launcher: "src/cli/main.ts" });
  };
  const engines = { a: engineOf("a"), b: engineOf("b") };
  const urls = { a: engines.a.url, b: engines.b.url };
  const close = async (): Promise<void> => {
    await Promise.all([engines.a.stop(), engines.b.stop()]);
    rmSync(folder, { recursive: true, force: true });
  };
  // One after the other: on a busy machine `b` could come up first, and would lead.
  await engines.a.start();
  await engines.b.start();
  await untilReady(urls);
  return { folder, urls, engines, configFile, close };
}

/** One may act, and each knows that the other is ready. */
export async function untilReady(urls: Readonly<Record<Label, string>>): Promise<void> {
  await until("a leader and a ready follower", async () => {
    const states = await Promise.all([stateOf(urls.a), stateOf(urls.b)]);
    const known = states.filter((state) => state !== null);
    const isReady = known.every(({ syncState, peer }) => syncState === "ready" && peer.syncState === "ready");
    return known.length === 2 && isReady && known.filter(({ mayAct }) => mayAct).length === 1;
  });
}
