/** The example of an archive that subscribes to several sites, run as its README says. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type HubServer, startHub } from "../replication/hub-server.ts";
import { freePort } from "../support/free-port.ts";

const folder = mkdtempSync(join(tmpdir(), "changeover-archive-"));
let east: HubServer;
let west: HubServer;

beforeAll(async () => {
  [east, west] = await Promise.all([startHub({ name: "east" }), startHub({ name: "west" })]);
  for (const [hub, city] of [
    [east, "Riga"],
    [west, "Cork"],
  ] as const) {
    hub.place.clock.nowMs = Date.now();
    hub.place.replication.records.set("cities", hub.place.name, city);
  }
});
afterAll(async () => {
  await Promise.all([east.close(), west.close()]);
  rmSync(folder, { recursive: true });
});

async function archive(...places: string[]): Promise<string> {
  const args = ["--import", "./test/support/own-package.ts", "examples/federation/archive.js", folder, ...places];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (text: Buffer) => (said += text.toString()));
  expect(await once(child, "close")).toEqual([0, null]);
  return said;
}

test("it holds what both sites wrote, and says what is wrong with a third", async () => {
  const gone = `http://127.0.0.1:${await freePort()}`;
  const said = await archive(`east=${east.url}`, `west=${west.url}`, `gone=${gone}`);
  expect(said).toContain("gone: network_refused: nothing listens there");
  expect(said).toContain('cities/east = "Riga"\ncities/west = "Cork"\n');
  expect(said).toMatch(/^(east|west): /m);
});
