/**
 * Upgrade: the previous version (a commit of this repository) and the present one as two engines of one pair. An older peer
 * and an older store work together with the new ones. It needs the git history, so it is left out where there is none, as
 * in a shallow clone or in an unpacked archive.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stateOf, until } from "../../src/cli/demo/observe.ts";
import { EngineProcess } from "../../src/cli/demo/processes.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { freePort } from "../support/free-port.ts";
import { call } from "../support/http-call.ts";
import { UNMET_NEED } from "../support/left-out-reporter.ts";

const ROOT = join(import.meta.dirname, "../..");
/** The version before this one. */
const PREVIOUS = "8e5ffc4";
const KNOWN = spawnSync("git", ["-C", ROOT, "cat-file", "-e", `${PREVIOUS}^{commit}`]).status === 0;
const TITLE = `upgrade from ${PREVIOUS}`;

describe.skipIf(!KNOWN)(KNOWN ? TITLE : `${TITLE} — ${UNMET_NEED} the git history with this commit`, () => {
  let folder: string;
  let previous: string;
  const present = join(ROOT, "src/cli/main.ts");
  const engines = new Map<Label, EngineProcess>();
  const ports = new Map<Label, number>();

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "changeover-upgrade-"));
    const old = join(folder, "old");
    mkdirSync(old);
    const archive = execFileSync(
      "git",
      ["-C", ROOT, "archive", PREVIOUS, "src", "machines", "config", "package.json"],
      {
        maxBuffer: 256 * 1_048_576,
      },
    );
    execFileSync("tar", ["-x", "-C", old], { input: archive });
    symlinkSync(join(ROOT, "node_modules"), join(old, "node_modules"));
    previous = join(old, "src/cli/main.ts");
    for (const label of ["a", "b"] as const) ports.set(label, await freePort());
    for (const label of ["a", "b"] as const) writeFileSync(configFile(label), JSON.stringify(config(label)));
  });
  afterEach(async () => {
    await Promise.all(
      [...engines.values()].map(async (engine) => {
        const gone = engine.gone();
        engine.kill();
        await gone;
      }),
    );
    engines.clear();
    rmSync(folder, { recursive: true, force: true });
  });

  const configFile = (label: Label): string => join(folder, `${label}.json`);
  const urlOf = (label: Label): string => `http://127.0.0.1:${ports.get(label)}`;
  const config = (label: Label): object => ({
    pair: "upgrade",
    label,
    listen: { port: ports.get(label) },
    dataDir: join(folder, label),
    peer: { links: [{ name: "red", url: `ws://127.0.0.1:${ports.get(otherLabel(label))}` }] },
    witness: { kind: "sqlite", file: join(folder, "witness.db") },
  });

  async function start(label: Label, launcher: string): Promise<void> {
    const logFile = join(folder, `${label}.log`);
    const engine = new EngineProcess({ label, url: urlOf(label), configFile: configFile(label), logFile, launcher });
    engines.set(label, engine);
    await engine.start();
  }

  /** Waits until one leads, the other is ready, and both hold the same commands; says who leads. */
  async function settled(): Promise<Label> {
    let leader: Label | null = null;
    await until(
      "one leads and the other is ready and equal",
      async () => {
        const states = await Promise.all((["a", "b"] as const).map(async (label) => stateOf(urlOf(label))));
        const [one, two] = states;
        if (one === null || two === null || one === undefined || two === undefined) return false;
        const roles = [one.role, two.role].toSorted().join(" ");
        leader = one.role === "leader" ? "a" : "b";
        const ready = one.syncState === "ready" && two.syncState === "ready";
        return ready && roles === "follower leader" && one.lastExecutedSeq === two.lastExecutedSeq;
      },
      { withinMs: 60_000 },
    );
    return leader ?? "a";
  }

  async function shows(label: Label, source: string): Promise<void> {
    await until(`${label} shows ${source}`, async () => (await stateOf(urlOf(label)))?.programSource === source);
  }

  async function cut(label: Label, source: string): Promise<string> {
    const { status, body } = await call("POST", `${urlOf(label)}/engine/api/switch/cut`, { source });
    expect(status).toBe(200);
    return (body as { durability: string }).durability;
  }

  it(
    "a new follower beside an old leader, a take-over of the old leader's role, and the old store opened by the new version",
    { timeout: 240_000 },
    async () => {
      await Promise.all([start("a", previous), start("b", previous)]);
      const leader = await settled();
      const follower = otherLabel(leader);
      expect(await cut(leader, "cam2")).toBe("pair");

      await engines.get(follower)?.stop();
      await start(follower, present);
      expect(await settled()).toBe(leader);
      // The field tells the versions apart: it did not exist before.
      expect(await stateOf(urlOf(follower))).toHaveProperty("waiting");
      expect(await stateOf(urlOf(leader))).not.toHaveProperty("waiting");
      expect(await cut(leader, "cam3")).toBe("pair");
      await shows(follower, "cam3");

      engines.get(leader)?.kill();
      await engines.get(leader)?.gone();
      await until("the new version leads", async () => (await stateOf(urlOf(follower)))?.role === "leader");
      await cut(follower, "cam4");
      await start(leader, previous);
      expect(await settled()).toBe(follower);
      await shows(leader, "cam4");

      await engines.get(leader)?.stop();
      await start(leader, present);
      expect(await settled()).toBe(follower);
      expect(await cut(follower, "cam1")).toBe("pair");
      await shows(leader, "cam1");
    },
  );
});
