/**
 * Engine b of a pair as a process of its own, to be killed and frozen: `node ws-peer-child.ts URL INCARNATION`.
 * It only dials, sends a heartbeat every 200 ms, and prints what it hears.
 */
import { SystemClock, SystemRandom } from "../../src/adapters/basics.ts";
import { WsPeerChannel } from "../../src/adapters/ws-peer-channel/ws-peer-channel.ts";
import { PeerEnd, hello } from "./peer-end.ts";
import { keyOf } from "./test-keys.ts";

const [url = "", start = "1"] = process.argv.slice(2);
const channel = new WsPeerChannel(
  { clock: new SystemClock(), random: new SystemRandom(), signatures: keyOf("b") },
  { pair: "studio-1", label: "b", token: "peer-token", links: [{ name: "red", url }] },
);
const end = new PeerEnd(channel, "b", hello("b", Number(start))).open();
let n = 0;
setInterval(() => {
  channel.broadcast(end.heartbeat(++n));
  console.log(JSON.stringify({ beats: end.beats.length, ups: end.ups.length }));
}, 200);
