/** The deployment files, judged by the programs that read them: systemd-analyze and promtool; the container's steps run. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../support/free-port.ts";
import { UNMET_NEED } from "../support/left-out-reporter.ts";
import { describeWithServer, requireServer } from "../support/servers.ts";

const ROOT = join(import.meta.dirname, "../..");
const DEPLOY = join(ROOT, "examples/deploy");

describeWithServer("systemd-analyze", "systemd", () => {
  let folder: string;
  let unit: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "changeover-unit-"));
    unit = join(folder, "changeover@.service");
    const text = readFileSync(join(DEPLOY, "systemd/changeover@.service"), "utf8");
    // The program need not be installed where the test runs.
    writeFileSync(unit, text.replace("/usr/bin/changeover", process.execPath));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const analyze = (...args: string[]) => spawnSync(requireServer("systemd-analyze"), args, { encoding: "utf8" });

  it("has nothing to say about the unit", () => {
    const instance = unit.replace("@", "@engine-a");
    writeFileSync(instance, readFileSync(unit));
    const { status, stdout, stderr } = analyze("verify", "--man=no", instance);
    expect(stdout + stderr).toBe("");
    expect(status).toBe(0);
  });

  it("finds an exposure of 3 or less", () => {
    const { stdout } = analyze("security", "--offline=true", unit);
    const level = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1];
    expect(Number(level)).toBeLessThanOrEqual(3);
  });
});

describeWithServer("promtool", "Prometheus", () => {
  it("takes the alert rules", () => {
    const rules = join(DEPLOY, "prometheus/changeover.rules.yml");
    const said = execFileSync(requireServer("promtool"), ["check", "rules", rules], { encoding: "utf8" });
    expect(said).toMatch(/SUCCESS: \d+ rules found/);
  });
});

/** Whether this machine lets us make namespaces, as a container engine does. */
const CAN_UNSHARE = spawnSync("unshare", ["-rpf", "true"]).status === 0;

describe.skipIf(!CAN_UNSHARE)(
  CAN_UNSHARE ? "container" : `container — ${UNMET_NEED} the right to make namespaces`,
  () => {
    it("as process 1 the engine answers /live, takes SIGTERM, and ends with 0", async () => {
      const folder = mkdtempSync(join(tmpdir(), "changeover-pid1-"));
      const port = await freePort();
      const links = [{ name: "red", url: `ws://127.0.0.1:${await freePort()}` }];
      const config = {
        pair: "p",
        label: "a",
        listen: { port },
        dataDir: ".",
        peer: { links },
        witness: { kind: "none" },
      };
      writeFileSync(join(folder, "a.json"), JSON.stringify(config));
      const program = [process.execPath, join(ROOT, "src/cli/main.ts"), "engine", "-c", join(folder, "a.json")];
      const outer = spawn("unshare", ["-rpf", "--kill-child", ...program], {
        cwd: folder,
        stdio: ["ignore", "pipe", "ignore"],
      });
      try {
        await once(outer.stdout, "data");
        const health = /CMD (\[.*\])/.exec(readFileSync(join(DEPLOY, "container/Containerfile"), "utf8"))?.[1] ?? "[]";
        const [, ...script] = JSON.parse(health) as string[];
        const env = { HEALTH_URL: `http://127.0.0.1:${port}/live` };
        expect(spawnSync(process.execPath, script, { env }).status).toBe(0);
        expect(spawnSync(process.execPath, script, { env: { HEALTH_URL: "http://127.0.0.1:1/live" } }).status).toBe(1);
        const inner = Number(readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, "utf8").trim());
        const gone = once(outer, "exit");
        process.kill(inner, "SIGTERM");
        expect(await gone).toEqual([0, null]);
      } finally {
        outer.kill("SIGKILL");
        rmSync(folder, { recursive: true, force: true });
      }
    });
  },
);
