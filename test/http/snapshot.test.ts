/** `/api/sync/state-snapshot`: taking and applying, small and large. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canonicalPieces, type Json } from "../../src/core/canonical-json.ts";
import * as sample from "../support/samples.ts";
import { bearer, buildRig, problemIn, type Rig } from "./rig.ts";

const url = "/api/sync/state-snapshot";
const lock = { "x-reconcile-lock": sample.lockId };
let rig: Rig;
beforeEach(async () => {
  rig = await buildRig();
});
afterEach(() => rig.app.close());

const apply = (payload: unknown, headers: Record<string, string> = lock) =>
  rig.call("peer", {
    method: "POST",
    url,
    headers: { "content-type": "application/json", ...headers },
    payload: typeof payload === "string" ? payload : JSON.stringify(payload),
  });

/** Some 9 MB of a state. */
function largeState(): Json {
  const sources = Array.from({ length: 60_000 }, (_, n) => ({
    key: `cam${n}`,
    label: `Kamera ${n}: Bühne`,
    position: { x: n, y: 0.5 },
    tags: ["live", "srt"],
  }));
  return { sources, program: "cam1" };
}

describe("taking a snapshot", () => {
  it("200 with the whole of it, and an ETag", async () => {
    const answer = await rig.get(url);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(answer.json()).toEqual(sample.snapshot);
    expect(answer.headers.etag).toContain(sample.snapshot.checksum);
  });

  it("304 for whom it is not new", async () => {
    const { etag } = (await rig.get(url)).headers;
    const asked = async (tag: string) => rig.call("viewer", { url, headers: { "if-none-match": tag } });
    for (const tag of [String(etag), `"x", ${String(etag)}`, "*", String(etag).replace("W/", "")]) {
      const answer = await asked(tag);
      expect([answer.statusCode, answer.body]).toEqual([304, ""]);
    }
    expect((await asked('"x"')).statusCode).toBe(200);
  });

  it("503 while the engine is not ready", async () => {
    rig.coordinator.taken = { outcome: "engine-not-ready", detail: "restoring" };
    problemIn(await rig.get(url), 503, "engine_not_ready");
  });

  it("gives a large one in pieces, and the loop turns between them", async () => {
    const state = largeState();
    const stateText = [...canonicalPieces(state)];
    rig.coordinator.taken = { outcome: "taken", snapshot: { ...sample.snapshot, state }, stateText };
    let turns = 0;
    let waiting = true;
    const turn = (): void => {
      turns += 1;
      if (waiting) setImmediate(turn);
    };
    setImmediate(turn);
    const answer = await rig.get(url);
    waiting = false;
    expect(answer.json()).toEqual({ ...sample.snapshot, state });
    expect(answer.body).toContain(`,"state":${stateText.join("")},"checksum":"`);
    expect(turns).toBeGreaterThan(50);
  });
});

describe("[A15] applying a snapshot", () => {
  it("200 under the lock", async () => {
    const answer = await apply(sample.snapshot);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({ applied: true, clock: { eng_a: 3 }, lastCommandSeq: 3 });
    expect(rig.coordinator.argsOf("applySnapshot")).toEqual([[sample.lockId, sample.snapshot]]);
  });

  it("ignores unknown fields", async () => {
    expect((await apply({ ...sample.snapshot, extra: { deep: 1 } })).statusCode).toBe(200);
  });

  it("takes a large one unharmed", async () => {
    const snapshot = { ...sample.snapshot, state: largeState() };
    expect((await apply(snapshot)).statusCode).toBe(200);
    expect(rig.coordinator.argsOf("applySnapshot")[0]?.[1]).toEqual(snapshot);
  });

  it.each([
    ["truncated", JSON.stringify(sample.snapshot).slice(0, -9)],
    ["no object", "[]"],
    ["empty", ""],
    ["without state", JSON.stringify({ ...sample.snapshot, state: undefined })],
    ["null", "null"],
    ["of a version to come", JSON.stringify({ ...sample.snapshot, version: 2 })],
    ["with half a checksum", JSON.stringify({ ...sample.snapshot, checksum: "abcd" })],
    ["with a corrupt clock", JSON.stringify({ ...sample.snapshot, clock: { eng_a: -1 } })],
    ["with a negative epoch", JSON.stringify({ ...sample.snapshot, epoch: -1 })],
    ["truncated and large", `{"state":[${"1,".repeat(300_000)}`],
  ])("400 invalid_snapshot when it is %s, lock or not", async (_what, text) => {
    problemIn(await apply(text), 400, "invalid_snapshot");
    problemIn(await apply(text, {}), 400, "invalid_snapshot");
    expect(rig.coordinator.argsOf("applySnapshot")).toEqual([]);
  });

  it("409 without the lock's id, or with something else for it", async () => {
    problemIn(await apply(sample.snapshot, {}), 409, "lock_not_held");
    problemIn(await apply(sample.snapshot, { "x-reconcile-lock": "eng_a" }), 409, "lock_not_held");
    problemIn(await apply(sample.snapshot, { "x-reconcile-lock": "" }), 409, "lock_not_held");
  });

  it.each([
    [{ outcome: "invalid-snapshot", detail: "checksum differs" }, 400, "invalid_snapshot"],
    [{ outcome: "lock-not-held", detail: "held by eng_b" }, 409, "lock_not_held"],
    [{ outcome: "stale-epoch", epoch: 9 }, 412, "stale_epoch"],
    [{ outcome: "witness-unreachable", detail: "time-out" }, 503, "witness_unreachable"],
    [{ outcome: "engine-not-ready", detail: "starting" }, 503, "engine_not_ready"],
  ] as const)("passes %j on", async (outcome, status, code) => {
    rig.coordinator.applied = outcome;
    problemIn(await apply(sample.snapshot), status, code);
  });

  it("413 for 50 MB over a real connection, said so that the sender hears it", async () => {
    await rig.app.listen({ host: "127.0.0.1", port: 0 });
    const address = rig.app.server.address() as { port: number };
    for (const announced of [true, false]) {
      expect(await postLarge(address.port, 50 * 1_048_576, announced)).toBe(413);
    }
    expect(rig.coordinator.argsOf("applySnapshot")).toEqual([]);
  });

  it.each([
    ["413", bearer("peer"), 413],
    ["401", {}, 401],
    ["403", bearer("viewer"), 403],
  ])("%s reaches a sender of 50 MB that asked to close the connection", async (_name, token, status) => {
    await rig.app.listen({ host: "127.0.0.1", port: 0 });
    const address = rig.app.server.address() as { port: number };
    const headers = { ...token, connection: "close" };
    expect(await postLarge(address.port, 50 * 1_048_576, true, headers)).toBe(status);
  });

  it("does not wait long for a body that never comes", async () => {
    await rig.app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = rig.app.server.address() as { port: number };
    const socket = connect(port, "127.0.0.1");
    const heard = once(socket, "data");
    socket.write(`POST ${url} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 9\r\n\r\n`);
    expect(String((await heard)[0])).toMatch(/^HTTP\/1\.1 401 /);
    await once(socket, "close");
  });
});

/** Sends `bytes` to the end, whatever is answered meanwhile, and gives the status of the answer. */
async function postLarge(
  port: number,
  bytes: number,
  announced: boolean,
  more: Readonly<Record<string, string>> = bearer("peer"),
): Promise<number> {
  const piece = new Uint8Array(1_048_576).fill(0x20);
  const body = new ReadableStream<Uint8Array>({
    start(this: void) {},
    pull(controller) {
      sent += piece.length;
      controller.enqueue(piece);
      if (sent >= bytes) controller.close();
    },
  });
  let sent = 0;
  const headers = { ...more, ...lock, "content-type": "application/json" };
  if (!announced) {
    const answer = await fetch(`http://127.0.0.1:${port}${url}`, { method: "POST", headers, body, duplex: "half" });
    await answer.text();
    return answer.status;
  }
  return new Promise<number>((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let heard = "";
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      heard += chunk.toString("latin1");
    });
    socket.on("close", () => resolve(Number(/^HTTP\/1.1 (\d+)/.exec(heard)?.[1])));
    const lines = Object.entries({ ...headers, host: "x", "content-length": String(bytes) });
    socket.write(`POST ${url} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
    let left = bytes;
    const pump = (): void => {
      for (; left > 0; left -= piece.length)
        if (!socket.write(piece) && left > piece.length)
          return void socket.once("drain", () => ((left -= piece.length), pump()));
      socket.end();
    };
    pump();
  });
}
