/** A pair with a red and a blue network: one cut or slow cable costs nothing [DP1, HB4]. Needs root, `ip`, `iptables`. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { leads, until } from "../../src/cli/demo/observe.ts";
import type { CoordinatorState } from "../../src/coordinator/types.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import { BARE } from "../support/bare-environment.ts";
import { call } from "../support/http-call.ts";
import { startRedis } from "../support/redis-server.ts";
import { describeWithServer, requireServer } from "../support/servers.ts";
import { TwoHosts } from "../support/two-hosts.ts";

const CLI = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const PORT = 7401;
const LABELS = ["a", "b"] as const;
const OPERATOR = { authorization: "Bearer token-of-an-operator" };
const able = TwoHosts.able() || process.env["CI"] === "true";

describeWithServer(["redis-server", "ip", "iptables"], "two networks", () => {
  test.skipIf(!able)(
    "P3 DP1: red is cut without a word; the leader is killed: by proof, as with both links",
    { timeout: 120_000 },
    async () => {
      const net = (process.pid % 240) + 5;
      const hosts = TwoHosts.open(net);
      const redis = await startRedis({ args: ["--bind", `${hosts.here} 127.0.0.1`, "--protected-mode", "no"] });
      const folder = mkdtempSync(join(tmpdir(), "changeover-nets-"));
      const children: Partial<Record<Label, ChildProcess>> = {};
      const red = { a: `10.213.${net}.12`, b: `10.213.${net}.13` };
      const on = (label: Label, ...command: string[]): void => {
        const [program = "", ...args] = hosts.on(label, command);
        execFileSync(program, args);
      };
      const urlOf = (label: Label): string => `http://${hosts.address[label]}:${PORT}`;
      const state = async (label: Label): Promise<CoordinatorState | null> =>
        call("GET", `${urlOf(label)}/api/state`, undefined, OPERATOR)
          .then(({ body }) => body as unknown as CoordinatorState)
          .catch(() => null);
      const launch = (label: Label): void => {
        const token = (name: string, role: string) => {
          writeFileSync(join(folder, name), `token-of-${name}`);
          return { name, role, file: join(folder, name) };
        };
        const other = otherLabel(label);
        const file = join(folder, `${label}.yaml`);
        writeFileSync(
          file,
          JSON.stringify({
            pair: "two-nets",
            label,
            listen: { host: "0.0.0.0", port: PORT },
            dataDir: join(folder, label),
            peer: {
              links: [
                { name: "red", url: `ws://${red[other]}:${PORT}` },
                { name: "blue", url: `ws://${hosts.address[other]}:${PORT}` },
              ],
            },
            witness: { kind: "redis", url: `redis://${hosts.here}:${redis.port}` },
            auth: { tokens: [token("the-pair", "peer"), token("an-operator", "operator")] },
          }),
        );
        const log = openSync(join(folder, `${label}.log`), "a");
        const [program = "", ...args] = hosts.on(label, [process.execPath, CLI, "engine", "-c", file]);
        children[label] = spawn(program, args, { env: BARE, stdio: ["ignore", log, log] });
        closeSync(log);
      };
      const ready = async (): Promise<boolean> => {
        const states = await Promise.all(LABELS.map(state));
        return states.every(
          (one) =>
            one?.syncState === "ready" &&
            one.peer.syncState === "ready" &&
            one.leader !== null &&
            one.peer.links.some(({ up }) => up),
        );
      };
      try {
        for (const label of LABELS) on(label, requireServer("ip"), "addr", "add", `${red[label]}/24`, "dev", "eth0");
        for (const label of LABELS) launch(label);
        await until("both ready", ready, { withinMs: 30_000 });
        const took: number[] = [];
        for (const cut of [false, true, true, true]) {
          if (cut)
            for (const label of LABELS)
              on(label, requireServer("iptables"), "-A", "INPUT", "-d", red[label], "-j", "DROP");
          if (cut)
            await until(
              "red is known to be down",
              async () => (await state("a"))?.peer.links.find(({ name }) => name === "red")?.up === false,
              { withinMs: 20_000 },
            );
          await until("settled", ready, { withinMs: 30_000 });
          const leader = (await leads(urlOf("a"))) ? "a" : "b";
          const child = children[leader];
          if (child === undefined) throw new Error("no child");
          const gone = once(child, "exit");
          const sinceMs = performance.now();
          child.kill("SIGKILL");
          await until("the other leads", async () => leads(urlOf(otherLabel(leader))), { pollMs: 1 });
          took.push(performance.now() - sinceMs);
          await gone;
          if (cut) for (const label of LABELS) on(label, requireServer("iptables"), "-F");
          launch(leader);
          await until("both ready again", ready, { withinMs: 30_000 });
        }
        expect([...took].sort((x, y) => x - y)[1]).toBeLessThan(300);
      } catch (error) {
        if (error instanceof Error)
          error.message += LABELS.map((label) => readFileSync(join(folder, `${label}.log`), "utf8").slice(-2_000)).join(
            "\n---\n",
          );
        throw error;
      } finally {
        for (const label of LABELS) children[label]?.kill("SIGKILL");
        await redis.stop();
        hosts.close();
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});
