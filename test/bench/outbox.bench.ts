/**
 * The outbox to JetStream: commands that were accepted while the broker was away, from when the pump begins until all of
 * them stand in the stream and that is noted in the store. The yardstick publishes the same texts with the bare client,
 * as many under way as the sink has.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { JetStreamSink } from "../../src/adapters/sinks/jetstream-sink.ts";
import { waitUntil } from "../support/wait-until.ts";
import { startNats } from "../support/nats-server.ts";
import { openTwoStores } from "../outbox/two-stores.ts";
import { type BenchResult, benchRow } from "./rows.ts";
import { amount, type Scale } from "./scale.ts";

const UNDER_WAY = 256;
const BATCH = 512;
const GOAL = "≥ 5000/s";

export async function benchOutbox(scale: Scale): Promise<BenchResult[]> {
  const nats = await startNats();
  const count = amount(scale, 50_000, 10_000);
  const ours: number[] = [];
  const bare: number[] = [];
  try {
    for (let round = 0; round < amount(scale, 7, 3); round += 1) {
      ours.push(await drained(nats.url, count, round));
      bare.push(await bareRate(nats.url, count, round));
    }
  } finally {
    await nats.stop();
  }
  const yardstick = { name: "bare JetStream publishes, pipelined", samples: bare };
  return [benchRow({ name: "outbox to JetStream, one stack", unit: "1/s", samples: ours, yardstick, goal: GOAL })];
}

/** Events a second. */
async function drained(url: string, count: number, round: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "changeover-bench-"));
  const stream = `outbox-${round}`;
  const stores = openTwoStores(folder, 0, new JetStreamSink({}, { url, stream, subjectPrefix: stream }));
  try {
    for (let given = 0; given < count; given += BATCH) stores.accept(Math.min(BATCH, count - given));
    const startMs = performance.now();
    stores.outbox.start();
    stores.outbox.roleMoved(true);
    await waitUntil(() => stores.outbox.status().published >= count, 120_000);
    return (count * 1_000) / (performance.now() - startMs);
  } finally {
    await stores.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bareRate(url: string, count: number, round: number): Promise<number> {
  const connection = await connect({ servers: url });
  try {
    const name = `bare-${round}`;
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name, subjects: [`${name}.>`] });
    const client = jetstream(connection);
    const startMs = performance.now();
    for (let given = 0; given < count; given += UNDER_WAY) {
      const texts = Array.from({ length: Math.min(UNDER_WAY, count - given) }, (_, index) => eventText(given + index));
      await Promise.all(texts.map((text, index) => client.publish(`${name}.x`, text, { msgID: `${given + index}` })));
    }
    return (count * 1_000) / (performance.now() - startMs);
  } finally {
    await connection.close();
  }
}

/** About as long as an event of a command. */
function eventText(seq: number): string {
  const command = {
    seq,
    epoch: 1,
    hlc: "0199f0a0b0c00000-eng_0123456789",
    kind: "POST /cut",
    payload: { source: seq },
  };
  return JSON.stringify({ eventId: `cmd_eng_0123456789_${seq}`, stackId: "programme", version: seq, payload: command });
}
