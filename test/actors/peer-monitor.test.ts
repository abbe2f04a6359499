/** The peer as seen from here: its heartbeats, whether it lives, the promise that it holds, its death. */
import { describe, expect, test } from "vitest";
import { PeerMonitor, type PeerState } from "../../src/actors/peer-monitor.ts";
import { Pulse } from "../../src/actors/pulse.ts";
import { Votes } from "../../src/actors/votes.ts";
import { makeId } from "../../src/core/ids.ts";
import type { Heartbeat } from "../../src/core/messages.ts";
import { sampleHeartbeat } from "../core/sample-messages.ts";
import { AWAKE, buildRig } from "./rig.ts";

/** `awake`: its own pulse is left out, so that only the peer's deadlines run. */
function watching({ awake = true } = {}) {
  const rig = buildRig();
  const states: PeerState[] = [];
  const votes = new Votes(rig.kit);
  const pulse = new Pulse(rig.kit, { onBeat: () => undefined, onPause: () => monitor.forgive() });
  const onChange = (state: PeerState): void => void states.push(state);
  const monitor = new PeerMonitor(rig.kit, votes, { pulse: awake ? AWAKE : pulse, onChange });
  monitor.forgive();
  if (!awake) pulse.start();
  const beat = (n: number, change: Partial<Heartbeat> = {}): boolean =>
    monitor.take({ ...sampleHeartbeat, label: "b", echo: null, n, ...change }, rig.clock.monoMs());
  return { ...rig, rig, monitor, votes, states, beat };
}

describe("deadlines", () => {
  test("[HB3] suspect once a heartbeat is half an interval late, silent after `missLimit` intervals, each once", async () => {
    const { clock, monitor, states, beat } = watching();
    beat(1);
    await clock.pass(299);
    expect(monitor.state).toBe("alive");
    await clock.pass(1);
    expect(monitor.state).toBe("suspect");
    await clock.pass(299);
    expect(monitor.state).toBe("suspect");
    await clock.pass(1);
    expect(states).toEqual(["alive", "suspect", "silent"]);
    await clock.pass(10_000);
    expect(states).toHaveLength(3);
    expect(clock.waiting).toBe(0);
  });

  test("[HB3] each heartbeat moves the deadline on, and one timer is enough", async () => {
    const { clock, monitor, states, beat } = watching();
    for (let n = 1; n <= 20; n += 1) {
      beat(n);
      await clock.pass(200);
      expect(clock.waiting).toBe(1);
    }
    expect(states).toEqual(["alive"]);
    expect(monitor.silentAtMs).toBe(clock.monoMs() - 200 + 600);
  });

  test("[HB3] a peer never heard is `connecting`, then silent by the same deadline", async () => {
    const { clock, monitor, states } = watching();
    await clock.pass(599);
    expect(monitor.state).toBe("connecting");
    await clock.pass(1);
    expect(states).toEqual(["silent"]);
  });

  test("[CP5] [HB3] what was missed during an own pause does not count against the peer", async () => {
    const { clock, states, beat } = watching({ awake: false });
    beat(1);
    await clock.pass(250);
    clock.freeze(5_000);
    await clock.pass(299);
    expect(states).toEqual(["alive"]);
    await clock.pass(301);
    expect(states).toEqual(["alive", "suspect", "silent"]);
  });

  test("[CP5] [HB3] a peer that was silent before an own pause stays silent", async () => {
    const { clock, monitor, beat } = watching();
    beat(1);
    await clock.pass(600);
    monitor.forgive();
    expect([monitor.state, monitor.lastHeardMs]).toEqual(["silent", clock.monoMs()]);
  });

  test("[EN5] its watch vouches for a silent peer, and for none that is proven dead", async () => {
    const { rig, clock, monitor } = watching();
    await clock.pass(600);
    monitor.vouched();
    expect(monitor.state).toBe("alive");
    rig.probed = "refused";
    await monitor.probe(() => undefined);
    monitor.vouched();
    expect(monitor.state).toBe("dead");
  });
});

describe("which heartbeats count", () => {
  test("[HB2] one with a counter not above the last extends nothing and is counted", async () => {
    const { clock, monitor, kit, beat } = watching();
    expect(beat(5)).toBe(true);
    const { lastHeardMs } = monitor;
    await clock.pass(100);
    expect([beat(5), beat(4)]).toEqual([false, false]);
    expect(monitor.lastHeardMs).toBe(lastHeardMs);
    expect(kit.counters).toMatchObject({ heartbeatsReceived: 1, heartbeatsRefused: 2 });
  });

  test("[HB2] a new incarnation counts from the beginning", () => {
    const { beat } = watching();
    beat(500);
    expect(beat(1, { incarnation: makeId("incarnation", "second") })).toBe(true);
  });
});

test("[VT2] a promise is never shortened", () => {
  const { monitor } = watching();
  monitor.promiseUntil(6_000);
  monitor.promiseUntil(5_500);
  expect(monitor.promiseUntilMs).toBe(6_000);
});

describe("proof of death", () => {
  test("[DP1] refused at every address: dead; any other answer afterwards: silent again", async () => {
    const { rig, monitor, states, beat } = watching();
    beat(1);
    rig.probed = "refused";
    let stateAtProof = "";
    await monitor.probe(() => (stateAtProof = monitor.state));
    expect([stateAtProof, monitor.state]).toEqual(["alive", "dead"]);
    rig.probed = "unknown";
    await monitor.probe(() => undefined);
    expect(states).toEqual(["alive", "dead", "silent"]);
  });

  test.each(["unknown", "alive"] as const)("[DP1] an answer of %s proves nothing", async (result) => {
    const { rig, monitor, beat } = watching();
    beat(1);
    rig.probed = result;
    await monitor.probe(() => undefined);
    expect(monitor.state).toBe("alive");
  });

  test("[DP1] a heartbeat that comes while the probe is under way outweighs it", async () => {
    const { rig, clock, monitor, beat } = watching();
    beat(1);
    await clock.pass(50);
    rig.probed = "refused";
    const probing = monitor.probe(() => undefined);
    beat(2);
    await probing;
    expect(monitor.state).toBe("alive");
  });

  test("[DP1] one probe at a time, and a link that comes up ends the proof", async () => {
    const { rig, monitor } = watching();
    rig.probed = "refused";
    const [first, second] = await Promise.all([monitor.probe(() => undefined), monitor.probe(() => undefined)]);
    expect([first?.result, second]).toEqual(["refused", null]);
    monitor.linkUp();
    expect(monitor.state).toBe("silent");
  });
});

test("[HB1] the echo of an own heartbeat gives round trip and clock offset", async () => {
  const { clock, monitor, votes, beat } = watching();
  votes.heartbeatSent(1, clock.monoMs());
  await clock.pass(10);
  const receivedAtUnixUs = (clock.unixMs() - 5 + 40) * 1_000;
  beat(1, { echo: { n: 1, receivedAtMonoMs: 0, receivedAtUnixUs }, sentAtUnixUs: receivedAtUnixUs + 2_000 });
  const [sample] = monitor.offset.samples;
  expect(sample?.roundTripMs).toBeCloseTo(8);
  expect((sample?.offsetMs ?? 0) - (clock.unixMs() - clock.monoMs())).toBeCloseTo(41, 0);
});

describe("the peer's wall clock", () => {
  test("[CK4] heartbeats that lay waiting while this engine stood still do not put it behind", async () => {
    const { clock, monitor, votes, beat } = watching();
    const right = clock.unixMs() - clock.monoMs();
    const sent = (n: number) => {
      const atUnixMs = clock.unixMs();
      const echo = { n: 1, receivedAtMonoMs: 0, receivedAtUnixUs: atUnixMs * 1_000 };
      return () => beat(n, { echo, sentAtUnixUs: atUnixMs * 1_000, wallUnixMs: atUnixMs });
    };
    beat(1, { wallUnixMs: clock.unixMs() - 800 });
    expect(monitor.wallUnixMinusMonoMs).toBeNull();
    votes.heartbeatSent(1, clock.monoMs());
    const held = sent(2);
    clock.freeze(800);
    held();
    expect(monitor.wallUnixMinusMonoMs).toBeNull();
    votes.heartbeatSent(1, clock.monoMs());
    const quick = sent(3);
    await clock.pass(2);
    quick();
    expect(monitor.wallUnixMinusMonoMs).toBeCloseTo(right - 2, 0);
  });
});
