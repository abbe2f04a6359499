/**
 * The `PeerChannel` port over the simulated network: one connection a link, dialled by `a`. Both ends run the handshake and
 * the gate of the real channel, with random bytes from the seed and a key that belongs to the disk.
 * It keeps what the port promises (pinned peer, each message once, in order within a connection). Messages of different
 * links overtake each other, and heartbeats come once over each. Sealing of frames is not simulated: what is on a
 * connection was put there by the process at its other end.
 */
import { type IdentityRules, PeerGate, type PeerIdentity, type TurnedAway } from "../../adapters/peer-gate.ts";
import { channelSecret, Handshake, type Side } from "../../adapters/ws-peer-channel/handshake.ts";
import { otherLabel } from "../../core/ids.ts";
import type { Label } from "../../core/ids.ts";
import type { Heartbeat, PeerMessage } from "../../core/messages.ts";
import type { Clock, Random, Signatures } from "../../ports/basics.ts";
import type {
  LinkStatus,
  PeerChannel,
  PeerChannelEvents,
  PeerHello,
  PeerRefusal,
  PinnedPeer,
} from "../../ports/peer-channel.ts";
import { throughCodec } from "../ground/message-text.ts";
import { Connection, type ConnectionEnd, type Frame } from "../ground/connection.ts";
import type { Machine } from "../ground/machine.ts";
import type { Link } from "../ground/network.ts";
import type { Life, Scheduler } from "../ground/scheduler.ts";

/** How often a link that is down is dialled. */
const REDIAL_MS = 100;
/** A dial that has not come to an open link by then is given up, and so is an accepted connection. */
const DIAL_LIMIT_MS = 400;
/** A link that brought nothing for so long is closed and dialled again: a cut path never closes a socket itself. */
const IDLE_LIMIT_MS = 2_000;
const MESSAGE_BYTES = 256;
/** Refusals that say: another engine is pinned. */
const STRANGER_REFUSALS: ReadonlySet<PeerRefusal> = new Set(["wrong-engine", "wrong-key"]);

export const SIM_PAIR = "simulated";
/** Every engine has it, and some impostors. */
export const SIM_TOKEN = "token of the pair";

/** Sees every message on its way, for the trace and the checkers. */
export interface TrafficObserver {
  /** Before the codec has seen it. */
  sending(from: Label, message: PeerMessage): void;
  sent(from: Label, message: PeerMessage): void;
  delivered(to: Label, message: PeerMessage, link: string): void;
  /** A hello or a proof was sent; a recorder on the wire sees it too. */
  shookHands(from: Label, side: Side, link: string, text: string): void;
  /** The engine of `at` heard that its peer has pinned another one. */
  refusedByPeer(at: Label): void;
  /** Something that an impostor did has counted at `at`. */
  fooled(at: Label, how: string): void;
}

/** What the channel stands on. */
export interface ChannelGround {
  readonly scheduler: Scheduler;
  readonly links: readonly Link[];
  readonly machines: Readonly<Record<Label, Machine<SimPeerChannel>>>;
  readonly observer: TrafficObserver;
}

/** Whoever dials: the other engine's channel, or an impostor. */
export interface Dialler {
  readonly impostor: boolean;
  endOn(connection: () => Connection): ConnectionEnd;
}

/** A connection on which the handshake goes on. */
interface Greeting {
  readonly side: Side;
  readonly handshake: Handshake;
  readonly sinceMonoMs: number;
  peer: PeerIdentity | null;
}

interface Slot {
  readonly link: Link;
  readonly greetings: Map<Connection, Greeting>;
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
  readonly #isImpostor: boolean;
  readonly #signatures: Signatures;
  readonly #randomBytes: (bytes: number) => Buffer;
  readonly #rules: IdentityRules;
  readonly #slots: Slot[];
  #events: PeerChannelEvents | null = null;
  #self: PeerHello | null = null;
  readonly #gate: PeerGate;
  #incarnation: string | null = null;
  #closed = false;

  constructor(
    components: {
      readonly ground: ChannelGround;
      readonly clock: Clock;
      readonly life: Life;
      readonly random: Random;
      readonly signatures: Signatures;
      readonly rules: IdentityRules;
    },
    /** An impostor dials, whatever its label: nobody dials it. */
    init: { readonly label: Label; readonly isImpostor: boolean },
  ) {
    this.#ground = components.ground;
    this.#clock = components.clock;
    this.#life = components.life;
    this.#signatures = components.signatures;
    this.#rules = components.rules;
    this.#label = init.label;
    this.#isImpostor = init.isImpostor;
    this.#randomBytes = bytesFrom(components.random);
    this.#gate = new PeerGate({ pair: SIM_PAIR, label: init.label }, components.rules);
    this.#slots = this.#ground.links.map((link) => ({
      link,
      greetings: new Map(),
      connection: null,
      dialledAtMonoMs: -DIAL_LIMIT_MS,
      heardAtMonoMs: 0,
    }));
  }

  open(events: PeerChannelEvents, self: PeerHello, pinned: PinnedPeer | null): void {
    this.#events = events;
    this.#self = self;
    this.#gate.pin(pinned);
    this.#tend();
  }

  repin(pinned: PinnedPeer | null): void {
    this.#gate.pin(pinned);
    this.#incarnation = null;
    for (const slot of this.#slots) if (slot.connection !== null) this.#drop(slot);
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
      for (const connection of this.#connectionsOf(slot)) connection.closeFrom(this.#label);
      slot.greetings.clear();
      slot.connection = null;
    }
    if (this.#ground.machines[this.#label].channel === this) this.#ground.machines[this.#label].socketsClosed();
  }

  /** The kernel of a dead process closes what it had open. */
  socketsClosedByKernel(): void {
    for (const slot of this.#slots) this.#connectionsOf(slot).forEach((one) => one.closeFrom(this.#label));
  }

  /** The machine has lost its power: what it had not sent yet is lost. */
  lostWithMachine(): void {
    for (const slot of this.#slots) this.#connectionsOf(slot).forEach((one) => one.loseUnsent(this.#label));
  }

  /** Someone dialled this machine over `link`, and said `hello`. */
  accept(link: Link, hello: string, dialler: Dialler): void {
    if (this.#closed || this.#self === null || this.#events === null) return;
    const slot = this.#slotOf(link);
    const connection: Connection = new Connection(
      this.#ground.scheduler,
      link,
      {
        [this.#label]: this.#endOn(slot, () => connection),
        [otherLabel(this.#label)]: dialler.endOn(() => connection),
      },
      dialler.impostor,
    );
    const greeting = this.#greet(slot, connection, "acceptor");
    if (this.#rules.displacesUnproven && slot.connection !== null) {
      if (dialler.impostor) this.#ground.observer.fooled(this.#label, "an unproven hello ended a living connection");
      this.#drop(slot);
    }
    this.#say(slot, connection, "acceptor", greeting.handshake.ownHello);
    this.#take(slot, connection, { kind: "handshake", text: hello });
  }

  #endOn(slot: Slot, connection: () => Connection): ConnectionEnd {
    return { life: this.#life, take: (frame) => this.#take(slot, connection(), frame) };
  }

  #slotOf(link: Link): Slot {
    return this.#slots.find((slot) => slot.link === link) as Slot;
  }

  #connectionsOf(slot: Slot): Connection[] {
    return [...slot.greetings.keys(), ...(slot.connection === null ? [] : [slot.connection])];
  }

  #newHandshake(slot: Slot, side: Side): Handshake {
    const components = {
      secret: channelSecret(SIM_TOKEN, SIM_PAIR),
      signatures: this.#signatures,
      randomBytes: this.#randomBytes,
      rules: this.#rules,
    };
    const link = side === "dialer" ? slot.link.name : "";
    return new Handshake(components, side, { ...(this.#self as PeerHello), pair: SIM_PAIR, label: this.#label, link });
  }

  #greet(slot: Slot, connection: Connection, side: Side, handshake = this.#newHandshake(slot, side)): Greeting {
    const greeting: Greeting = { side, handshake, sinceMonoMs: this.#clock.monoMs(), peer: null };
    slot.greetings.set(connection, greeting);
    return greeting;
  }

  #say(slot: Slot, connection: Connection, side: Side, text: string): void {
    connection.push(this.#label, { kind: "handshake", text });
    this.#ground.observer.shookHands(this.#label, side, slot.link.name, text);
  }

  #take(slot: Slot, connection: Connection, frame: Frame): void {
    if (this.#closed || this.#events === null) return;
    const greeting = slot.greetings.get(connection);
    if (greeting !== undefined) return this.#takeGreeting(slot, connection, greeting, frame);
    if (slot.connection !== connection) return;
    if (frame.kind === "close") {
      slot.connection = null;
      connection.endFrom(this.#label);
      if (frame.stranger !== undefined) {
        this.#ground.observer.refusedByPeer(this.#label);
        this.#events.onRefusedByPeer(frame.stranger);
      }
      this.#events.onLinkDown(slot.link.name, true);
      return;
    }
    // A hello or a proof on an open connection opens nothing, as on a real one.
    if (frame.kind === "handshake") return;
    slot.heardAtMonoMs = this.#clock.monoMs();
    if (connection.byImpostor) this.#ground.observer.fooled(this.#label, `took a ${frame.message.type} of an impostor`);
    this.#ground.observer.delivered(this.#label, frame.message, slot.link.name);
    this.#events.onMessage(frame.message, { link: slot.link.name, receivedAtMonoMs: slot.heardAtMonoMs });
  }

  #takeGreeting(slot: Slot, connection: Connection, greeting: Greeting, frame: Frame): void {
    const { handshake, side } = greeting;
    if (frame.kind !== "handshake") {
      // Whoever speaks before it is proven is not heard, as on a real socket.
      slot.greetings.delete(connection);
      if (frame.kind === "close") connection.endFrom(this.#label);
      else this.#refuse(slot, connection, { refusal: "bad-frame", detail: "a message before the proof" });
      return;
    }
    if (greeting.peer === null) {
      const hello = handshake.takeHello(frame.text);
      if (typeof hello === "string") return this.#refuse(slot, connection, { refusal: "bad-frame", detail: hello });
      const turned = this.#gate.judge(hello);
      if (turned !== null) return this.#refuse(slot, connection, turned);
      greeting.peer = hello;
      this.#say(slot, connection, side, handshake.ownProof());
      return;
    }
    const outcome = handshake.prove(frame.text);
    if (outcome !== "proven") return this.#refuse(slot, connection, { refusal: outcome, detail: "not proven" });
    this.#admit(slot, connection, greeting.peer);
  }

  #admit(slot: Slot, connection: Connection, peer: PeerIdentity): void {
    const events = this.#events as PeerChannelEvents;
    const pin = (first: PinnedPeer): boolean => {
      if (connection.byImpostor) this.#ground.observer.fooled(this.#label, "pinned an impostor");
      return events.onFirstContact(first);
    };
    const turned = this.#gate.admit({ ...peer, link: slot.link.name }, pin);
    if (turned !== null) return this.#refuse(slot, connection, turned, peer);
    if (connection.byImpostor) this.#ground.observer.fooled(this.#label, "let an impostor in");
    slot.greetings.delete(connection);
    if (slot.connection !== null) this.#drop(slot);
    this.#keepOnly(peer.incarnation);
    slot.connection = connection;
    slot.heardAtMonoMs = this.#clock.monoMs();
    const { engineId, incarnation, version } = peer;
    events.onLinkUp(slot.link.name, { engineId, incarnation, version });
  }

  /** `proven`: who has proven the key that it is refused for. */
  #refuse(slot: Slot, connection: Connection, { refusal, detail }: TurnedAway, proven?: PeerIdentity): void {
    slot.greetings.delete(connection);
    connection.closeFrom(this.#label, STRANGER_REFUSALS.has(refusal) ? refusal : undefined);
    if (proven === undefined || proven.key === null) return this.#events?.onRefused(refusal, detail);
    const { engineId, key, version } = proven;
    this.#events?.onRefused(refusal, detail, { engineId, key, version, remote: slot.link.name });
  }

  /** What an earlier life of the peer left in a pipe is not heard any more once a later one was let in. */
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
    this.#ground.observer.sending(this.#label, sent);
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
      for (const [connection, { sinceMonoMs }] of slot.greetings) {
        if (nowMonoMs - sinceMonoMs <= DIAL_LIMIT_MS) continue;
        slot.greetings.delete(connection);
        connection.closeFrom(this.#label);
      }
      if (slot.connection !== null) {
        if (nowMonoMs - slot.heardAtMonoMs > IDLE_LIMIT_MS) this.#drop(slot);
      } else if ((this.#label === "a" || this.#isImpostor) && nowMonoMs - slot.dialledAtMonoMs >= DIAL_LIMIT_MS) {
        this.#dial(slot, nowMonoMs);
      }
    }
    this.#clock.setTimeout(() => this.#tend(), REDIAL_MS);
  }

  #dial(slot: Slot, nowMonoMs: number): void {
    const path = slot.link.from[this.#label];
    const peer = this.#ground.machines[otherLabel(this.#label)];
    const handshake = this.#newHandshake(slot, "dialer");
    slot.dialledAtMonoMs = nowMonoMs;
    // The connection is known here with its first frame. When that comes too late, the dial was given up long ago.
    let met = false;
    const take = (connection: Connection, frame: Frame): void => {
      if (!met && this.#clock.monoMs() - nowMonoMs > DIAL_LIMIT_MS) return connection.closeFrom(this.#label);
      if (!met) this.#greet(slot, connection, "dialer", handshake);
      met = true;
      this.#take(slot, connection, frame);
    };
    const dialler: Dialler = {
      impostor: this.#isImpostor,
      endOn: (connection) => ({ life: this.#life, take: (frame) => take(connection(), frame) }),
    };
    this.#ground.scheduler.after(path.delayMs(), () => {
      if (path.cut) return;
      const presence = peer.presence();
      if (presence === "refusing" || presence === "closing") slot.dialledAtMonoMs = -DIAL_LIMIT_MS;
      const { life, channel } = peer;
      if (life === null || channel === null || !this.#life.alive) return;
      this.#ground.observer.shookHands(this.#label, "dialer", slot.link.name, handshake.ownHello);
      this.#ground.scheduler.enter(life, "arrival", () => channel.accept(slot.link, handshake.ownHello, dialler));
    });
  }
}

/** Random bytes that one seed gives again. */
export function bytesFrom(random: Random): (bytes: number) => Buffer {
  return (bytes) => Buffer.from(Array.from({ length: bytes }, () => Math.floor(random.next() * 256)));
}
