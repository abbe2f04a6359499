/**
 * Purpose: the `PeerChannel` port over the simulated network: one connection a link, dialled by `a`, greeted by both.
 * Keeps true: what the port promises (pinned peer, each message once, in order within a connection). Messages of
 * different links overtake each other, and heartbeats come once over each.
 */
import { throughCodec } from "../ground/message-text.ts";
import { PeerGate } from "../../adapters/peer-gate.ts";
import { otherLabel } from "../../core/ids.ts";
import type { EngineId, Label } from "../../core/ids.ts";
import type { Heartbeat, PeerMessage } from "../../core/messages.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LinkStatus, PeerChannel, PeerChannelEvents, PeerHello } from "../../ports/peer-channel.ts";
import { Connection } from "../ground/connection.ts";
import type { Frame } from "../ground/connection.ts";
import type { Machine } from "../ground/machine.ts";
import type { Link } from "../ground/network.ts";
import type { Life, Scheduler } from "../ground/scheduler.ts";

/** How often a link that is down is dialled. */
const REDIAL_MS = 100;
/** A dial that got no greeting by then is given up. */
const DIAL_LIMIT_MS = 400;
/** A link that brought nothing for so long is closed and dialled again: a cut path never closes a socket itself. */
const IDLE_LIMIT_MS = 2_000;
const MESSAGE_BYTES = 256;
const PAIR = "simulated";

/** Sees every message on its way, for the trace and the checkers. */
export interface TrafficObserver {
  sent(from: Label, message: PeerMessage): void;
  delivered(to: Label, message: PeerMessage, link: string): void;
}

/** What the channel stands on. */
export interface ChannelGround {
  readonly scheduler: Scheduler;
  readonly links: readonly Link[];
  readonly machines: Readonly<Record<Label, Machine<SimPeerChannel>>>;
  readonly observer: TrafficObserver;
}

interface Slot {
  readonly link: Link;
  connection: Connection | null;
  dialledAtMonoMs: number;
  heardAtMonoMs: number;
}

/** The channel of one life of a process. */
export class SimPeerChannel implements PeerChannel {
  readonly #ground: ChannelGround;
  readonly #clock: Clock;
  readonly #life: Life;
  readonly #label: Label;
  readonly #slots: Slot[];
  #events: PeerChannelEvents | null = null;
  #self: PeerHello | null = null;
  readonly #gate: PeerGate;
  #incarnation: string | null = null;
  #closed = false;

  constructor(
    components: { readonly ground: ChannelGround; readonly clock: Clock; readonly life: Life },
    init: { readonly label: Label },
  ) {
    this.#ground = components.ground;
    this.#clock = components.clock;
    this.#life = components.life;
    this.#label = init.label;
    this.#gate = new PeerGate({ pair: PAIR, label: init.label });
    this.#slots = this.#ground.links.map((link) => ({
      link,
      connection: null,
      dialledAtMonoMs: -DIAL_LIMIT_MS,
      heardAtMonoMs: 0,
    }));
  }

  open(events: PeerChannelEvents, self: PeerHello, pinned: EngineId | null): void {
    this.#events = events;
    this.#self = self;
    this.#gate.pin(pinned);
    this.#tend();
  }

  broadcast(heartbeat: Heartbeat): number {
    let took = 0;
    for (const slot of this.#slots) if (this.#sendOver(slot, heartbeat)) took += 1;
    return took;
  }

  send(message: PeerMessage): boolean {
    return this.#slots.some((slot) => this.#sendOver(slot, message));
  }

  links(): readonly LinkStatus[] {
    return this.#slots.map(({ link, connection }) => ({
      name: link.name,
      up: connection !== null,
      bufferedBytes: (connection?.waiting(this.#label) ?? 0) * MESSAGE_BYTES,
    }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const slot of this.#slots) {
      slot.connection?.closeFrom(this.#label);
      slot.connection = null;
    }
    if (this.#ground.machines[this.#label].channel === this) this.#ground.machines[this.#label].socketsClosed();
  }

  /** The kernel of a dead process closes what it had open. */
  socketsClosedByKernel(): void {
    for (const slot of this.#slots) slot.connection?.closeFrom(this.#label);
  }

  /** The machine has lost its power: what it had not sent yet is lost. */
  lostWithMachine(): void {
    for (const slot of this.#slots) slot.connection?.loseUnsent(this.#label);
  }

  /** Someone dialled this machine over `link` and greeted. */
  accept(link: Link, hello: PeerHello, dialler: SimPeerChannel): void {
    if (this.#closed || this.#self === null || this.#events === null) return;
    const slot = this.#slotOf(link);
    if (!this.#admits(hello)) return;
    const connection: Connection = new Connection(this.#ground.scheduler, link, {
      [this.#label]: { life: this.#life, take: (frame: Frame) => this.#take(slot, connection, frame) },
      [otherLabel(this.#label)]: dialler.#endFor(link, () => connection),
    });
    connection.push(this.#label, { kind: "hello", hello: this.#self });
    this.#use(slot, connection, hello);
  }

  /** Someone who is not the peer tries to connect, as an impostor would. */
  acceptStranger(hello: PeerHello): void {
    if (!this.#closed && this.#events !== null) this.#admits(hello);
  }

  #endFor(link: Link, connection: () => Connection): { life: Life; take: (frame: Frame) => void } {
    const slot = this.#slotOf(link);
    return { life: this.#life, take: (frame) => this.#take(slot, connection(), frame) };
  }

  #slotOf(link: Link): Slot {
    return this.#slots.find((slot) => slot.link === link) as Slot;
  }

  #take(slot: Slot, connection: Connection, frame: Frame): void {
    if (this.#closed || this.#events === null) return;
    if (frame.kind === "hello") {
      if (slot.connection !== null || !this.#admits(frame.hello)) connection.closeFrom(this.#label);
      else this.#use(slot, connection, frame.hello);
      return;
    }
    if (slot.connection !== connection) return;
    if (frame.kind === "close") {
      slot.connection = null;
      connection.endFrom(this.#label);
      this.#events.onLinkDown(slot.link.name, true);
      return;
    }
    slot.heardAtMonoMs = this.#clock.monoMs();
    this.#ground.observer.delivered(this.#label, frame.message, slot.link.name);
    this.#events.onMessage(frame.message, { link: slot.link.name, receivedAtMonoMs: slot.heardAtMonoMs });
  }

  #admits(hello: PeerHello): boolean {
    const events = this.#events as PeerChannelEvents;
    const identity = { ...hello, pair: PAIR, label: otherLabel(this.#label) };
    const turned = this.#gate.admit(identity, (peer) => events.onFirstContact(peer));
    if (turned !== null) events.onRefused(turned.refusal, turned.detail);
    return turned === null;
  }

  #use(slot: Slot, connection: Connection, hello: PeerHello): void {
    if (slot.connection !== null) this.#drop(slot);
    this.#keepOnly(hello.incarnation);
    slot.connection = connection;
    slot.heardAtMonoMs = this.#clock.monoMs();
    this.#events?.onLinkUp(slot.link.name, hello);
  }

  /** What an earlier life of the peer left in a pipe is not heard any more once a later one has greeted. */
  #keepOnly(incarnation: string): void {
    if (this.#incarnation === incarnation) return;
    this.#incarnation = incarnation;
    for (const slot of this.#slots) if (slot.connection !== null) this.#drop(slot);
  }

  #drop(slot: Slot): void {
    slot.connection?.closeFrom(this.#label);
    slot.connection = null;
    this.#events?.onLinkDown(slot.link.name, false);
  }

  #sendOver(slot: Slot, sent: PeerMessage): boolean {
    if (this.#closed || slot.connection === null || !this.#life.alive) return false;
    const message = throughCodec(sent);
    if (message === null) return false;
    if (!slot.connection.push(this.#label, { kind: "message", message })) return false;
    this.#ground.observer.sent(this.#label, message);
    return true;
  }

  #tend(): void {
    if (this.#closed) return;
    const nowMonoMs = this.#clock.monoMs();
    for (const slot of this.#slots) {
      if (slot.connection !== null) {
        if (nowMonoMs - slot.heardAtMonoMs > IDLE_LIMIT_MS) this.#drop(slot);
      } else if (this.#label === "a" && nowMonoMs - slot.dialledAtMonoMs >= DIAL_LIMIT_MS) {
        this.#dial(slot, nowMonoMs);
      }
    }
    this.#clock.setTimeout(() => this.#tend(), REDIAL_MS);
  }

  #dial(slot: Slot, nowMonoMs: number): void {
    const path = slot.link.from[this.#label];
    const peer = this.#ground.machines[otherLabel(this.#label)];
    const hello = this.#self as PeerHello;
    slot.dialledAtMonoMs = nowMonoMs;
    this.#ground.scheduler.after(path.delayMs(), () => {
      if (path.cut) return;
      const presence = peer.presence();
      if (presence === "refusing" || presence === "closing") slot.dialledAtMonoMs = -DIAL_LIMIT_MS;
      const { life, channel } = peer;
      if (life === null || channel === null || !this.#life.alive) return;
      this.#ground.scheduler.enter(life, "arrival", () => channel.accept(slot.link, hello, this));
    });
  }
}
