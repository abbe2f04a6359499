/** A number that no pair can have reached, from whoever speaks as the peer: it moves nothing and uses nothing up. */
import { expect, test } from "vitest";
import type { Heartbeat } from "../../src/core/messages.ts";
import { FilteredChannel } from "./filtered-channel.ts";
import { Pair } from "./pair.ts";

const FAR = Number.MAX_SAFE_INTEGER;

class ForgingChannel extends FilteredChannel {
  forging = false;

  override broadcast(heartbeat: Heartbeat): number {
    return super.broadcast(this.forging ? { ...heartbeat, epoch: FAR } : heartbeat);
  }
}

test("[EP3] heartbeats and refusals of an epoch out of all reach: the leader leads on, and epochs are left", async () => {
  const channels: ForgingChannel[] = [];
  const pair = await Pair.started({
    wrapPorts: (ports, label) => {
      if (label === "a") return ports;
      const peerChannel = new ForgingChannel(ports.peerChannel);
      channels.push(peerChannel);
      return { ...ports, peerChannel };
    },
  });
  const [forger] = channels;
  if (forger === undefined) throw new Error("b has no channel");
  forger.forging = true;
  forger.send({ type: "stale-epoch", highestEpoch: FAR });
  await pair.clock.pass(300);
  expect(pair.of("a").state()).toMatchObject({ role: "leader", epoch: 1, mayAct: true });
  expect(pair.alarm("a", "number-out-of-reach")).toBe(true);
  forger.forging = false;
  await pair.until(() => pair.of("b").ready());
  expect(await pair.untilDone(pair.of("a").handover({ reason: "test", by: "test" }))).toMatchObject({ epoch: 2 });
});
