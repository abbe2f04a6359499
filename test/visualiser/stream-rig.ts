/** Two engines' visualisers on real sockets, each before a scripted coordinator, with statecharts that a test moves. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer, WebSocket as Socket } from "ws";
import { createActor } from "xstate";
import { leadershipMachine } from "../../machines/index.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import type { Label } from "../../src/core/ids.ts";
import type { StreamMessage } from "../../src/visualiser/inspected.ts";
import { openVisualiser } from "../../src/visualiser/open-visualiser.ts";
import { Recorder } from "../../src/visualiser/recorder.ts";
import type { Viewers } from "../../src/visualiser/viewers.ts";
import { ScriptedCoordinator } from "../support/scripted-coordinator.ts";

const SETTINGS = { heartbeatMs: 200, leaseMs: 600, campaignWaitMs: 750, missLimit: 3, reconcileLockMs: 30_000 };

export class StreamEnd {
  readonly clock = new SystemClock();
  readonly coordinator = new ScriptedCoordinator();
  readonly recorder = new Recorder(this.clock);
  readonly actor = createActor(leadershipMachine, { id: "leadership", inspect: this.recorder.inspect }).start();
  readonly server: Server = createServer();
  readonly sockets = new WebSocketServer({ server: this.server });
  viewers: Viewers | null = null;

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => void this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  show(label: Label, peerUrl: string | null): Viewers {
    const init = { label, settings: SETTINGS, peerUrl, token: null };
    const viewers = openVisualiser(this, init);
    this.viewers = viewers;
    this.sockets.on("connection", (socket: WebSocket, { url }) => {
      viewers.open(socket, new URLSearchParams((url ?? "").split("?")[1] ?? ""));
    });
    return viewers;
  }

  /** Two changes of state. */
  move(): void {
    for (const why of ["maintenance", "peer-leads"] as const) {
      const verdict = { go: false, waits: [{ why, untilMs: null }], untilMs: null } as const;
      this.actor.send({ type: "VERDICT", verdict, atMs: 0, againMs: null });
    }
  }

  close(): void {
    this.viewers?.close();
    for (const client of this.sockets.clients) client.terminate();
    this.sockets.close();
    this.server.close();
  }
}

export class Onlooker {
  readonly heard: StreamMessage[] = [];
  readonly socket: Socket;

  constructor(url: string, query = "") {
    this.socket = new Socket(`${url.replace("http", "ws")}/api/machines/stream${query}`);
    this.socket.on("message", (data: Buffer) => this.heard.push(JSON.parse(data.toString()) as StreamMessage));
    this.socket.on("error", () => undefined);
  }

  of<Type extends StreamMessage["type"]>(type: Type, engine?: Label): Extract<StreamMessage, { type: Type }>[] {
    const wanted = this.heard.filter((message) => message.type === type && (!engine || message.engine === engine));
    return wanted as Extract<StreamMessage, { type: Type }>[];
  }

  /** The seqs of every event that was heard of an engine, in the order of their coming. */
  seqs(engine: Label): number[] {
    return this.heard.flatMap((message) => {
      const told = message.engine === engine && (message.type === "hello" || message.type === "events");
      return told ? message.events.map(({ seq }) => seq) : [];
    });
  }
}
