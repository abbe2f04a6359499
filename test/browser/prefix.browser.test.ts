/** H5: behind a real nginx that adds a path, the page, its socket and the documentation work without configuration. */
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Nginx, startNginx } from "../support/nginx.ts";
import { describeWithServer, requireServer } from "../support/servers.ts";
import { OpenStage } from "./open-stage.ts";
import { openPage, tallySays } from "./stage.ts";

describeWithServer(["chromium", "nginx"], "the page behind a path prefix", () => {
  const stage = new OpenStage();
  let nginx: Nginx;
  beforeAll(async () => {
    await stage.open();
    nginx = await startNginx({ a: stage.set.url("a"), b: stage.set.url("b") });
  });
  afterAll(async () => {
    await nginx.stop();
    await stage.close();
  });

  test("nginx -t accepts the shipped file", () => {
    execFileSync(
      requireServer("nginx"),
      ["-t", "-q", "-c", `${process.cwd()}/examples/nginx/nginx.conf`, "-p", "/tmp"],
      {
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
  });

  test.each(["/studio/a/machines/", "/studio/b/machines"])("H5: the page at %s is live", async (path) => {
    const { page, errors, strangers } = await openPage(stage.browser, `${nginx.url}${path}`, {}, stage.set.streams);
    await tallySays(page, "on air", "Engine");
    await page.getByText(/^live, as engine/).waitFor();
    expect([errors, strangers]).toEqual([[], []]);
    await page.close();
  });

  test.each(["/studio/a/docs", "/studio/b/docs/"])("H5: the documentation at %s shows the routes", async (path) => {
    const { page, errors, strangers } = await openPage(stage.browser, `${nginx.url}${path}`, {}, []);
    await page.getByText("/api/peer/health", { exact: false }).first().waitFor();
    // Swagger UI's own inline style is refused by the policy; nothing is missing without it.
    const serious = errors.filter((told) => !told.startsWith("Applying inline style"));
    expect([serious, strangers]).toEqual([[], []]);
    await page.close();
  });
});
