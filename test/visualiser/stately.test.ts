/** Stately's own receiver understands what the adapter tells. */
import { createWebSocketReceiver, type StatelyInspectionEvent } from "@statelyai/inspect";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { WebSocketServer } from "ws";
import type { StreamMessage } from "../../src/visualiser/inspected.ts";
import { StatelyAdapter } from "../../src/visualiser/stately.ts";
import { waitUntil } from "../support/wait-until.ts";

const hello: StreamMessage = {
  ...{ type: "hello", engine: "a", run: "a-1", seq: 1, values: { "peer-link": "connecting" } },
  events: [{ seq: 1, atUnixMs: 5, machine: "peer-link", type: "snapshot", event: "xstate.init", to: "connecting" }],
};
const heard: StreamMessage = {
  ...{ type: "events", engine: "a" },
  events: [
    { seq: 2, atUnixMs: 9, machine: "peer-link", type: "transition", event: "HEARD", from: "connecting", to: "alive" },
  ],
};

test("an actor with its definition, then each event with the state after it", () => {
  const adapter = new StatelyAdapter({ "peer-link": { id: "peer-link" } });
  expect(adapter.translate(hello, 7)).toMatchObject([
    { type: "@xstate.actor", name: "a peer-link", definition: '{"id":"peer-link"}', snapshot: { value: "connecting" } },
  ]);
  const [event, snapshot] = adapter.translate(heard, 10);
  expect(event).toMatchObject({ type: "@xstate.event", sessionId: "a-1:peer-link", event: { type: "HEARD" } });
  expect(snapshot).toMatchObject({ type: "@xstate.snapshot", snapshot: { status: "active", value: "alive" } });
});

test("Stately's receiver takes it over a real socket", async () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await waitUntil(() => server.address() !== null);
  const adapter = new StatelyAdapter({});
  const events = [...adapter.translate(hello, 7), ...adapter.translate(heard, 10)];
  server.on("connection", (socket) => events.forEach((event) => socket.send(JSON.stringify(event))));
  const received: StatelyInspectionEvent[] = [];
  const receiver = createWebSocketReceiver({ server: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` });
  receiver.subscribe((event) => void received.push(event));
  await waitUntil(() => received.length === events.length);
  expect(received.map(({ type }) => type)).toEqual(["@xstate.actor", "@xstate.event", "@xstate.snapshot"]);
  for (const client of server.clients) client.terminate();
  server.close();
});
