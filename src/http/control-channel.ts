/**
 * The control channel, WebSocket `/api/control/channel`: clock calibration for browsers, commands, and the state
 * as it changes.
 * Whatever a client sends, it gets an answer or is cut off, and the process goes on. What one client may have
 * waiting is bounded, in commands and in bytes.
 */
import type { RawData, WebSocket } from "ws";
import type { Static } from "typebox";
import type { SubmitOutcome } from "../coordinator/types.ts";
import type { Json } from "../core/canonical-json.ts";
import { permit, type Caller } from "./access.ts";
import type { HttpComponents } from "./components.ts";
import { problemOf } from "./failures.ts";
import {
  CONTROL_FRAME_LIMIT_BYTES,
  MAX_CONTROL_BACKLOG_BYTES,
  MAX_CONTROL_CLIENTS,
  MAX_CONTROL_PENDING,
} from "./limits.ts";
import { submitRefusal } from "./outcomes.ts";
import { findInexactNumber, NumberNotExact } from "../json/exact-numbers.ts";
import { parseJson } from "../json/read.ts";
import { type Problem, problem } from "./problem.ts";
import { ControlCommand, ControlPing } from "./schemas/commands.ts";
import { StateFeed } from "./state-feed.ts";
import type { Channel } from "./upgrades.ts";
import { checkerOf, InvalidInput } from "./validation.ts";

/** WebSocket close code "try again later". */
const TRY_AGAIN_LATER = 1013;

type Ping = Static<typeof ControlPing>;
type Command = Static<typeof ControlCommand>;
type Components = Pick<HttpComponents, "coordinator" | "clock" | "logger">;

const checkPing = checkerOf(ControlPing, "message");
const checkCommand = checkerOf(ControlCommand, "message");

export class ControlChannel implements Channel {
  readonly path = "/api/control/channel";
  readonly access = "view";
  readonly protocol = "changeover.control.v1";
  readonly demandsProtocol = false;
  readonly maxPayloadBytes = CONTROL_FRAME_LIMIT_BYTES;
  readonly #components: Components;
  readonly #feed: StateFeed;
  #clients = 0;

  constructor(components: Components) {
    this.#components = components;
    this.#feed = new StateFeed(components);
  }

  open(socket: WebSocket, caller: Caller): void {
    if (this.#clients === MAX_CONTROL_CLIENTS) {
      socket.close(TRY_AGAIN_LATER, "too many clients");
      return;
    }
    this.#clients += 1;
    const leaveFeed = this.#feed.add(socket);
    const client = new ControlClient(this.#components, socket, caller);
    socket.on("message", (data, isBinary) => client.take(data, isBinary));
    socket.on("close", () => {
      this.#clients -= 1;
      leaveFeed();
    });
  }

  close(): void {
    this.#feed.close();
  }
}

/** One client's side of the channel. */
class ControlClient {
  readonly #components: Components;
  readonly #socket: WebSocket;
  readonly #caller: Caller;
  #pending = 0;

  constructor(components: Components, socket: WebSocket, caller: Caller) {
    this.#components = components;
    this.#socket = socket;
    this.#caller = caller;
  }

  /** Takes one message. Never throws. */
  take(data: RawData, isBinary: boolean): void {
    const receivedAtUs = this.#nowUs();
    try {
      const inexact = isBinary ? null : findInexactNumber((data as Buffer).toString());
      if (inexact !== null) this.#refuseNumber(data as Buffer, new NumberNotExact(inexact));
      else this.#dispatch(isBinary ? null : parseJson(data as Buffer), receivedAtUs);
    } catch (error) {
      this.#say({ type: "error", ...told(problemOf(error)) });
    }
  }

  /** The client is told which of its messages was refused, where that can be read. */
  #refuseNumber(data: Buffer, error: NumberNotExact): void {
    const { type, id } = (JSON.parse(data.toString()) ?? {}) as { readonly type?: unknown; readonly id?: unknown };
    const isCommand = type === "command" && (typeof id === "string" || Number.isSafeInteger(id));
    this.#say({
      ...(isCommand ? { type: "refused", id: id as string | number } : { type: "error" }),
      ...told(problemOf(error)),
    });
  }

  #dispatch(message: Json, receivedAtUs: number): void {
    const type = message !== null && typeof message === "object" && "type" in message ? message.type : null;
    if (type === "ping") this.#pong(accepted(checkPing(message)), receivedAtUs);
    else if (type === "command") this.#command(accepted(checkCommand(message)));
    else throw new InvalidInput("/type", "message/type: must be ping or command, in a text frame of JSON");
  }

  #pong({ id, t0 }: Ping, receivedAtUs: number): void {
    const sentAtUs = this.#nowUs();
    this.#say({ type: "pong", id, t0, t1Us: receivedAtUs, t2Us: sentAtUs });
    this.#components.coordinator.pongSent(sentAtUs);
  }

  #command({ type: _type, id, ...input }: Command): void {
    const refusal = permit(this.#caller, "operate") ?? this.#overload();
    if (refusal !== null) {
      this.#say({ type: "refused", id, ...told(refusal) });
      return;
    }
    this.#pending += 1;
    const done = (answer: Readonly<Record<string, Json>>): void => {
      this.#pending -= 1;
      this.#say({ ...answer, id });
    };
    this.#components.coordinator.submit(input).then(
      (outcome) => done(answerOf(outcome)),
      (error: unknown) => {
        this.#components.logger.error({ error }, "command over the control channel failed");
        done({ type: "refused", ...told(problemOf(error)) });
      },
    );
  }

  #overload(): Problem | null {
    if (this.#pending < MAX_CONTROL_PENDING) return null;
    return problem("busy", `${MAX_CONTROL_PENDING} commands of this client wait for their answer`);
  }

  /** Says something, unless the client is gone; who does not read is cut off. */
  #say(message: Readonly<Record<string, Json>>): void {
    if (this.#socket.bufferedAmount > MAX_CONTROL_BACKLOG_BYTES) this.#socket.terminate();
    else if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #nowUs(): number {
    return Math.round(this.#components.clock.unixMs() * 1_000);
  }
}

function accepted<T>(checked: T | InvalidInput): T {
  if (checked instanceof InvalidInput) throw checked;
  return checked;
}

function answerOf(outcome: SubmitOutcome): Readonly<Record<string, Json>> {
  if (outcome.outcome !== "accepted") return { type: "refused", ...told(submitRefusal(outcome)) };
  const { seq, epoch, executeAtUs, durability } = outcome;
  return { type: "accepted", seq, epoch, executeAtUs, durability };
}

function told({ code, detail, fields }: Problem): Readonly<Record<string, Json>> {
  return { code, detail, ...fields };
}
