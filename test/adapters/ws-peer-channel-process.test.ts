/** The WebSocket peer channel against a peer that is a process: killed, started again, frozen, woken. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { PeerEnd, hello } from "../support/peer-end.ts";
import { waitUntil } from "../support/wait-until.ts";
import { WsPeerRig } from "../support/ws-peer-rig.ts";

const CHILD = fileURLToPath(new URL("../support/ws-peer-child.ts", import.meta.url));

let rig: WsPeerRig | null = null;
const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }
  await rig?.close();
  rig = null;
});

function startPeer(place: WsPeerRig, start = 1): ChildProcess {
  const child = spawn(process.execPath, [CHILD, place.places[0].url, String(start)], { stdio: "ignore" });
  children.push(child);
  return child;
}

/** Engine a, whose own dials reach nobody: the peer only dials. */
async function startA(): Promise<{ a: PeerEnd; place: WsPeerRig }> {
  const place = await WsPeerRig.start(["red"]);
  rig = place;
  const a = new PeerEnd(place.end(0, { pair: "studio-1", label: "a" }), "a", hello("a")).open();
  return { a, place };
}

describe("WsPeerChannel: the peer's process", () => {
  it("killed: the link is told down as closed by the other side; started again: up, as a new incarnation", async () => {
    const { a, place } = await startA();
    const child = startPeer(place);
    await waitUntil(() => a.beats.length >= 2);
    child.kill("SIGKILL");
    await waitUntil(() => a.downs.length === 1);
    expect(a.downs[0]).toMatchObject({ link: "red", socketClosed: true });
    startPeer(place, 2);
    await waitUntil(() => a.ups.length === 2);
    expect(a.ups[1]?.peer).toEqual(hello("b", 2));
    const beats = a.beats.length;
    await waitUntil(() => a.beats.length > beats);
    expect(a.refusals).toEqual([]);
  });

  it("frozen: the silent socket is given up by this side; woken: the same incarnation is back and heard", async () => {
    const { a, place } = await startA();
    const child = startPeer(place);
    await waitUntil(() => a.beats.length >= 2);
    child.kill("SIGSTOP");
    await waitUntil(() => a.downs.length === 1);
    expect(a.downs[0]).toMatchObject({ link: "red", socketClosed: false });
    const beats = a.beats.length;
    child.kill("SIGCONT");
    await waitUntil(() => a.ups.length === 2 && a.beats.length > beats);
    expect(a.ups[1]?.peer).toEqual(hello("b"));
  });
});
