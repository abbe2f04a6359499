/**
 * Records on real processes whose data folder was restored or copied, whose hub was started over or restored, or whose
 * clock was wrong: found, told on both sides, nothing lost, and writing goes on.
 */
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { stateOf } from "../../src/cli/demo/observe.ts";
import type { EngineProcess } from "../../src/cli/demo/processes.ts";
import { freePort } from "../support/free-port.ts";
import { call } from "../support/http-call.ts";
import { type LoneEngine, startLoneEngine } from "../support/lone-engine.ts";
import { RealPair } from "../support/real-pair.ts";

const SHIFTED = fileURLToPath(new URL("../support/shifted-clock.ts", import.meta.url));
const YEAR_MS = 365 * 86_400_000;
/** For whatever an exchange brings about; one takes place every second. */
const SOON = { timeout: 30_000, interval: 100 };

interface Machine {
  readonly url: string;
}

async function put({ url }: Machine, field: string, value: unknown): Promise<number> {
  return (await call("PUT", `${url}/api/records/macros/${field}`, { value })).status;
}

async function puts(at: Machine, fields: Readonly<Record<string, unknown>>): Promise<void> {
  for (const [field, value] of Object.entries(fields)) expect(await put(at, field, value), field).toBe(200);
}

async function valuesOf({ url }: Machine, fields: readonly string[]): Promise<unknown[]> {
  return Promise.all(
    fields.map(async (field) => {
      const { status, body } = await call("GET", `${url}/api/records/macros/${field}`);
      return status === 200 ? (body as { value: unknown }).value : undefined;
    }),
  );
}

/** Each of `machines` holds all of these, sooner or later. */
async function hold(machines: readonly Machine[], wanted: Readonly<Record<string, unknown>>): Promise<void> {
  for (const machine of machines) {
    await expect.poll(() => valuesOf(machine, Object.keys(wanted)), SOON).toEqual(Object.values(wanted));
  }
}

async function alarmsOf({ url }: Machine): Promise<string[]> {
  return (await stateOf(url))?.alarms.map(({ code }) => code) ?? [];
}

async function alarmed(machines: readonly Machine[], code: string): Promise<void> {
  for (const machine of machines) await expect.poll(() => alarmsOf(machine), SOON).toContain(code);
}

/** Stops an engine and puts `from` in the place of its data folder. */
async function restore(engine: EngineProcess, folder: string, from: string): Promise<void> {
  await engine.stop();
  rmSync(folder, { recursive: true });
  cpSync(from, folder, { recursive: true });
}

/** Copies the data folder of an engine that does not run meanwhile, as a cold backup does. */
async function backUp(engine: EngineProcess, folder: string, to: string): Promise<void> {
  await engine.stop();
  cpSync(folder, to, { recursive: true });
  await engine.start();
}

describe("a pair whose folder was restored from a backup", () => {
  for (const [title, peerLives] of [
    ["R1 RP1 RP2: and which wrote alone before the other engine came back", false],
    ["R2 RP1 RP2: while the other engine lived", true],
  ] as const) {
    it(title, { timeout: 120_000 }, async () => {
      const pair = await RealPair.prepare();
      const { a, b } = pair.engines;
      const [folder, backup] = [join(pair.folder, "b"), join(pair.folder, "backup")];
      try {
        await pair.start();
        await puts(b, { before: 1 });
        await hold([a], { before: 1 });
        await backUp(b, folder, backup);
        await pair.ready();
        await puts(b, { old1: "old", old2: "old" });
        await hold([a], { old1: "old", old2: "old" });
        if (!peerLives) await a.stop();
        await restore(b, folder, backup);
        await b.start();
        await puts(b, { new1: "new", new2: "new" });
        await a.start();
        await hold([a, b], { before: 1, old1: "old", old2: "old", new1: "new", new2: "new" });
        await alarmed([a, b], "history-forked");
        await puts(b, { later: 2 });
        await puts(a, { "later-a": 2 });
        await hold([a, b], { later: 2, "later-a": 2 });
        await pair.ready();
      } catch (error) {
        throw new Error(pair.lastWords(), { cause: error });
      } finally {
        await pair.close();
      }
    });
  }
});

const open: LoneEngine[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map(async (engine) => engine.close()))));

async function engine(pair: string, config: object = {}, launcher?: string): Promise<LoneEngine> {
  const started = await startLoneEngine({ pair, config: { ...config }, ...(launcher && { launcher }) });
  open.push(started);
  return started;
}
const spoke = (pair: string, hub: LoneEngine, launcher?: string): Promise<LoneEngine> =>
  engine(pair, { replication: { hub: { url: hub.url, intervalMs: 1_000 } } }, launcher);
const dataOf = ({ folder }: LoneEngine): string => join(folder, "a");

/** `changeover sync --once --json` on the folder of an engine that does not run, with the clock that the file says. */
async function syncOnce(one: LoneEngine, hub: LoneEngine, clock = ""): Promise<object> {
  const env = { ...process.env, CLOCK_FILE: clock };
  const args = [SHIFTED, "sync", "--once", "--json", "--hub", hub.url, "--data-dir", dataOf(one)];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env, timeout: 30_000 }, (error, stdout) => {
      const code = error === null ? 0 : (error.code as number | null);
      resolve({ code, ...(stdout === "" ? {} : (JSON.parse(stdout) as object)) });
    });
  });
}

describe("spokes and their hub", () => {
  it("R3 RP2: a spoke whose folder was restored", { timeout: 120_000 }, async () => {
    const hub = await engine("hub");
    const one = await spoke("one", hub);
    await puts(one, { before: 1 });
    await hold([hub], { before: 1 });
    const backup = join(one.folder, "backup");
    await backUp(one.process, dataOf(one), backup);
    await puts(one, { old1: "old", old2: "old" });
    await hold([hub], { old1: "old", old2: "old" });
    await restore(one.process, dataOf(one), backup);
    await one.process.start();
    await puts(one, { new1: "new", new2: "new" });
    await hold([hub, one], { before: 1, old1: "old", old2: "old", new1: "new", new2: "new" });
    await alarmed([hub, one], "history-forked");
    await puts(one, { later: 2 });
    await hold([hub], { later: 2 });
  });

  it("R4 RP2: two spokes that run on copies of one folder", { timeout: 120_000 }, async () => {
    const hub = await engine("hub");
    const one = await spoke("one", hub);
    const other = await spoke("one", hub);
    await puts(one, { before: 1 });
    await hold([hub], { before: 1 });
    await one.process.stop();
    await other.process.stop();
    rmSync(dataOf(other), { recursive: true });
    cpSync(dataOf(one), dataOf(other), { recursive: true });
    await Promise.all([one.process.start(), other.process.start()]);
    for (let n = 1; n <= 3; n += 1) {
      await puts(one, { [`one${n}`]: n });
      await puts(other, { [`other${n}`]: n });
    }
    const all = { before: 1, one1: 1, one2: 2, one3: 3, other1: 1, other2: 2, other3: 3 };
    await hold([hub, one, other], all);
    await alarmed([hub], "history-forked");
    await expect
      .poll(async () => [...(await alarmsOf(one)), ...(await alarmsOf(other))], SOON)
      .toContain("history-forked");
    await puts(one, { "later-one": 1 });
    await puts(other, { "later-other": 1 });
    await hold([hub, one, other], { ...all, "later-one": 1, "later-other": 1 });
  });

  it("RP2: a hub that was started over gets everything back from the spokes", { timeout: 120_000 }, async () => {
    const hub = await engine("hub");
    const one = await spoke("one", hub);
    const other = await spoke("other", hub);
    await puts(hub, { hub1: 1 });
    await puts(one, { one1: 1 });
    await hold([hub, one, other], { hub1: 1, one1: 1 });
    await hub.process.stop();
    rmSync(dataOf(hub), { recursive: true });
    await hub.process.start();
    await puts(hub, { hub2: 2 });
    await puts(other, { other2: 2 });
    await hold([hub, one, other], { hub1: 1, one1: 1, hub2: 2, other2: 2 });
  });

  it("RP2: a hub whose folder was restored, and which wrote before a spoke came", { timeout: 120_000 }, async () => {
    const hub = await engine("hub");
    const one = await spoke("one", hub);
    await puts(hub, { hub1: 1 });
    await hold([one], { hub1: 1 });
    const backup = join(hub.folder, "backup");
    await backUp(hub.process, dataOf(hub), backup);
    await puts(hub, { hub2: 2 });
    await puts(one, { one1: 1 });
    await hold([hub, one], { hub2: 2, one1: 1 });
    await one.process.stop();
    await restore(hub.process, dataOf(hub), backup);
    await hub.process.start();
    await puts(hub, { hub3: 3 });
    await one.process.start();
    await hold([hub, one], { hub1: 1, hub2: 2, one1: 1, hub3: 3 });
    await alarmed([hub, one], "history-forked");
    await puts(hub, { hub4: 4 });
    await hold([one], { hub4: 4 });
  });
});

describe("RP1 RP2: a folder that was restored, and nothing was written since", () => {
  it("by a spoke that its hub knows by a token: both tell", { timeout: 120_000 }, async () => {
    const secrets = mkdtempSync(join(tmpdir(), "changeover-tokens-"));
    const token = (name: string, role: string): object => {
      writeFileSync(join(secrets, name), `secret-of-the-${name}-0123456789`, { mode: 0o600 });
      return { name, role, file: join(secrets, name) };
    };
    const tokens = [token("ops", "operator"), token("spoke", "spoke"), token("pair", "peer")];
    const ops = { authorization: "Bearer secret-of-the-ops-0123456789" };
    const held = async (field: string): Promise<number> =>
      (await call("GET", `${hub.url}/api/records/macros/${field}`, undefined, ops)).status;
    const hub = await engine("hub", { auth: { tokens } });
    const way = { url: hub.url, intervalMs: 1_000, token: { file: join(secrets, "spoke") } };
    const one = await engine("one", { replication: { hub: way } });
    await puts(one, { before: 1 });
    await expect.poll(() => held("before"), SOON).toBe(200);
    const backup = join(one.folder, "backup");
    await backUp(one.process, dataOf(one), backup);
    await puts(one, { lost: 1 });
    await expect.poll(() => held("lost"), SOON).toBe(200);
    await restore(one.process, dataOf(one), backup);
    await one.process.start();
    await hold([one], { lost: 1 });
    await alarmed([one], "history-forked");
    const told = async (): Promise<string> =>
      JSON.stringify((await call("GET", `${hub.url}/api/state`, undefined, ops)).body);
    await expect.poll(told, SOON).toContain("history-forked");
    rmSync(secrets, { recursive: true });
  });

  it("by one of two sites: both tell, and it takes back what it lost", { timeout: 120_000 }, async () => {
    const ports = [await freePort(), await freePort()] as const;
    const site = async (name: string, port: number, other: number): Promise<LoneEngine> => {
      const peers = [{ name: "there", endpoint: `http://127.0.0.1:${other}` }];
      const started = await startLoneEngine({ pair: name, port, config: { federation: { intervalMs: 1_000, peers } } });
      open.push(started);
      return started;
    };
    const east = await site("east", ports[0], ports[1]);
    const west = await site("west", ports[1], ports[0]);
    await puts(east, { before: 1 });
    await hold([west], { before: 1 });
    const backup = join(east.folder, "backup");
    await backUp(east.process, dataOf(east), backup);
    await puts(east, { lost: 1 });
    await hold([west], { lost: 1 });
    await restore(east.process, dataOf(east), backup);
    await east.process.start();
    await hold([east], { before: 1, lost: 1 });
    await alarmed([east, west], "history-forked");
    await puts(east, { later: 1 });
    await hold([west], { later: 1 });
  });
});

it("R4 RP2: a spoke that runs on a copy of its hub's folder: both tell", { timeout: 120_000 }, async () => {
  const hub = await engine("hub");
  // A folder knows its pair and label: a spoke that was given the hub's folder says that it is of the hub's pair.
  const one = await spoke("hub", hub);
  await Promise.all([hub.process.stop(), one.process.stop()]);
  rmSync(dataOf(one), { recursive: true });
  cpSync(dataOf(hub), dataOf(one), { recursive: true });
  await hub.process.start();
  await one.process.start();
  await alarmed([hub, one], "history-forked");
});

it("R5 CK2 CK3 CK4 RP3: a spoke whose clock was a year ahead and is put right", { timeout: 120_000 }, async () => {
  const hub = await engine("hub");
  const one = await spoke("one", hub, SHIFTED);
  const clock = join(one.folder, "a.json.clock");
  await puts(one, { before: 1 });
  await hold([hub], { before: 1 });
  // Written where nobody can be asked what time it is: the hub is away and the engine starts again.
  await hub.process.stop();
  await one.process.stop();
  writeFileSync(clock, String(YEAR_MS));
  await one.process.start();
  await puts(one, { wrong: "a year ahead" });
  await hub.process.start();
  await alarmed([one], "clock-wrong");
  await alarmed([one], "hub-out-of-step");
  const refused = await call("PUT", `${one.url}/api/records/macros/refused`, { value: 1 });
  expect(refused).toMatchObject({ status: 503, body: { code: "clock_wrong" } });

  await one.process.stop();
  // Told each time, also by the second run, for which the operation is held back from before.
  for (let run = 1; run <= 2; run += 1) {
    const refused = [{ originSeq: 2, reason: "clock_drift", remedy: expect.stringContaining("NTP") as string }];
    expect(await syncOnce(one, hub, clock)).toMatchObject({ code: 1, inStep: false, refused });
  }
  expect(await syncOnce(one, hub)).toMatchObject({ code: 0, inStep: true, refused: [] });
  await hold([hub], { before: 1, wrong: "a year ahead" });

  rmSync(clock);
  await one.process.start();
  await puts(one, { after: 1 });
  await hold([hub, one], { before: 1, wrong: "a year ahead", after: 1 });
  await puts(hub, { wrong: "put right" });
  await hold([hub, one], { wrong: "put right" });
  await expect.poll(() => alarmsOf(one), SOON).not.toContain("clock-wrong");
  await expect.poll(() => alarmsOf(one), SOON).not.toContain("hub-out-of-step");
});

it(
  "R5 CK2: a hub whose clock was a year ahead and is put right: the clocks of its spokes are enough",
  { timeout: 120_000 },
  async () => {
    const hub = await engine("hub", {}, SHIFTED);
    const one = await spoke("one", hub);
    const clock = join(hub.folder, "a.json.clock");
    await puts(hub, { before: 1 });
    await hold([one], { before: 1 });
    await hub.process.stop();
    writeFileSync(clock, String(YEAR_MS));
    await hub.process.start();
    await puts(hub, { wrong: "a year ahead" });
    await alarmed([one], "hub-out-of-step");
    await hub.process.stop();
    rmSync(clock);
    await hub.process.start();
    await hold([hub, one], { before: 1, wrong: "a year ahead" });
    await puts(hub, { after: 1 });
    await puts(one, { wrong: "put right" });
    await hold([hub, one], { after: 1, wrong: "put right" });
    await expect.poll(() => alarmsOf(one), SOON).not.toContain("hub-out-of-step");
  },
);
