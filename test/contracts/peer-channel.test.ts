/** Both peer channels keep the contract of the port PeerChannel. */
import { MemoryPeerWire } from "../../src/adapters/memory-peer-channel.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import { WsPeerRig } from "../support/ws-peer-rig.ts";
import { peerChannelContract } from "./peer-channel-contract.ts";

peerChannelContract("memory", async (links) => {
  const wire = new MemoryPeerWire({ clock: new SystemClock() }, { links });
  return { end: (side, init) => wire.end(side, init), close: async () => undefined };
});

peerChannelContract("WebSocket", async (links) => {
  const rig = await WsPeerRig.start(links);
  return { end: (side, init) => rig.end(side, init), close: () => rig.close() };
});

peerChannelContract("WebSocket in open mode", async (links) => {
  const rig = await WsPeerRig.start(links, null);
  return { end: (side, init) => rig.end(side, init), close: () => rig.close() };
});
