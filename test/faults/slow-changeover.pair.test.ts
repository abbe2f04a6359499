/** P9: a changeover request ends with the leadership that made it, and is repeated while that lasts [HO7]. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../../src/cli/demo/observe.ts";
import type { Label } from "../../src/core/ids.ts";
import { call } from "../support/http-call.ts";
import type { RealPair } from "../support/real-pair.ts";
import { withPair } from "../support/stage-pair.ts";
import { PATIENCE_MS } from "./suites.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "changeover-router-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const route = (): string => {
  try {
    return readFileSync(join(folder, "route"), "utf8").trim();
  } catch {
    return "";
  }
};

/** A router that a script routes. The script of engine `a` takes two seconds, in a process of its own. */
function router(): Readonly<Record<string, unknown>> {
  const script = join(folder, "route.sh");
  writeFileSync(
    script,
    `#!/bin/sh
[ "$1" = a ] && { sleep 2 & wait; }
echo "$CHANGEOVER_LABEL $CHANGEOVER_EPOCH" > "${folder}/route.$$" && mv "${folder}/route.$$" "${folder}/route"
`,
    { mode: 0o755 },
  );
  return { name: "router", kind: "exec", command: ["/bin/sh", script], budgetMs: 5_000, reassertMs: 1_000 };
}

async function handOver(pair: RealPair, from: Label): Promise<void> {
  const { status } = await call("POST", `${pair.engines[from].url}/api/handover`, { reason: "test" });
  expect(status).toBe(200);
}

test(
  "P9 HO7: b→a→b within the time that a's script takes: the router ends at b, and is told again when it forgot",
  {
    timeout: PATIENCE_MS,
  },
  async () => {
    await withPair({ changeover: [router()] }, async (pair) => {
      if ((await pair.start()) === "a") await handOver(pair, "a");
      expect(await pair.ready()).toBe("b");
      await until("the router is at b", async () => route().startsWith("b "));
      await handOver(pair, "b");
      await pair.ready();
      await handOver(pair, "a");
      expect(await pair.ready()).toBe("b");
      const { epoch } = await pair.state("b");
      await until("the router is at b under the last epoch", async () => route() === `b ${epoch}`);
      // Longer than a's script would take: it must not come afterwards.
      const sinceMs = performance.now();
      await until("a's script would have ended", async () => {
        expect(route()).toBe(`b ${epoch}`);
        return performance.now() - sinceMs > 3_000;
      });
      writeFileSync(join(folder, "route"), "forgotten");
      await until("the router is told again", async () => route() === `b ${epoch}`);
    });
  },
);
