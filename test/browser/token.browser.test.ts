/** With tokens configured the page asks for one, keeps it for the tab, and shows nothing without it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { resolveConfig } from "../../src/config/load.ts";
import { type Host, startHost } from "../../src/host/start-host.ts";
import { describeWithServer } from "../support/servers.ts";
import { openBrowser, openPage } from "./stage.ts";

const TOKENS = { VIEWER: "a-viewer's-token", PEER: "a-peer's-own-token" };
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

describeWithServer("chromium", "the page, behind tokens", () => {
  const folder = mkdtempSync(join(tmpdir(), "changeover-token-"));
  let host: Host;
  beforeAll(async () => {
    const config = resolveConfig({
      ...{ pair: "studio-1", label: "a", listen: { port: 0 }, dataDir: join(folder, "a") },
      peer: { links: [{ name: "red", url: "ws://127.0.0.1:9" }] },
      witness: { kind: "none" },
      auth: {
        tokens: [
          { name: "desk", role: "viewer", env: "VIEWER" },
          { name: "pair", role: "peer", env: "PEER" },
        ],
      },
    });
    host = await startHost(config, { environment: TOKENS, logger: silent });
  });
  afterAll(async () => {
    await host.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("typed once, kept for the tab, and never in an address", async () => {
    const browser = await openBrowser();
    const { page, strangers } = await openPage(browser, `${host.url}/machines/`);
    const field = page.locator("#token");
    await field.fill("a wrong one");
    await page.getByRole("button", { name: "Show the pair" }).click();
    await expect.poll(() => page.locator(".engine").count()).toBe(0);
    await field.fill(TOKENS.VIEWER);
    await field.press("Enter");
    await page.waitForSelector(".state.active");
    const addresses: string[] = [];
    page.on("request", (request) => void addresses.push(request.url()));
    page.on("websocket", (socket) => void addresses.push(socket.url()));
    await page.reload();
    await page.waitForSelector(".state.active");
    expect(await field.count()).toBe(0);
    expect(addresses.filter((address) => address.includes("token"))).toEqual([]);
    expect(strangers).toEqual([]);
    await browser.close();
  });
});
