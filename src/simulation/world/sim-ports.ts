/** All ports of one life of a simulated process, with onlookers told of what goes through them. */
import { createHash } from "node:crypto";
import { Ed25519Signatures, ed25519FromSeed, NodeDigest } from "../../adapters/basics.ts";
import { type EngineConnection, HttpEngine } from "../../adapters/http-engine.ts";
import { NoWitness } from "../../adapters/no-witness.ts";
import type { CoordinatorPorts } from "../../coordinator/types.ts";
import type { ControlEvent } from "../../core/control-event.ts";
import type { Command } from "../../core/command.ts";
import type { Label } from "../../core/ids.ts";
import { recordOrigin } from "../../core/operation.ts";
import type { FeedEntry } from "../../adapters/memory-sink.ts";
import type { RouteRequest } from "../../ports/changeover-switch.ts";
import type { Engine, ExecuteOutcome } from "../../ports/engine.ts";
import type { FeedSink } from "../../ports/feed-sink.ts";
import type { Adoption, Store } from "../../ports/store.ts";
import type { Witness } from "../../ports/witness.ts";
import { describe, numberOf } from "../ground/message-text.ts";
import { overriding } from "../planted-bugs/overriding.ts";
import { openPairedStore } from "./paired-store.ts";
import { type EngineFaults, type EngineMemory, type EngineObserver, SimEngine } from "../ports/sim-engine.ts";
import { ENGINE_URL, NO_LIFELINE, SimHookClient } from "../ports/sim-engine-process.ts";
import { SimPeerChannel, type TrafficObserver } from "../ports/sim-peer-channel.ts";
import { SimSink } from "../ports/sim-feed.ts";
import { simLogger } from "../ports/sim-logger.ts";
import { SimPeerProbe } from "../ports/sim-peer-probe.ts";
import { SimScriptSwitch, SimSwitch } from "../ports/sim-switch.ts";
import { SimWitness } from "../ports/sim-witness.ts";
import type { SimDisk } from "./sim-disk.ts";
import type { Lifetime, WorldGround } from "./world-ground.ts";

/** The ports of one life, and those parts of them that the world handles itself. */
export interface SimPorts {
  readonly given: CoordinatorPorts;
  readonly channel: SimPeerChannel;
  /** Of an engine inside the process; null: it is beside it. */
  readonly memory: EngineMemory | null;
  readonly store: Store;
}

/** What of a process outlives its lives. */
export interface PortsOwner {
  readonly label: Label;
  readonly disk: SimDisk;
  readonly engineFaults: EngineFaults;
  /** The disk has taken a write. */
  stalled(): void;
}

/** Builds the ports of a new life. Throws what the store throws when the disk cannot be opened. */
export function createPorts(ground: WorldGround, owner: PortsOwner, lifetime: Lifetime): SimPorts {
  const { label } = owner;
  const { clock, life } = lifetime;
  const network = { ...ground, observer: trafficObserver(ground) };
  const store = createStore(ground, owner);
  const random = ground.chanceOf(`handshakes of ${label}`);
  const signatures = simSignatures(store.load().engineId);
  const rules = ground.identityRules;
  const channel = new SimPeerChannel(
    { ground: network, clock, life, random, signatures, rules },
    { label, isImpostor: ground.isImpostor },
  );
  const { engine: made, memory } = createEngine(ground, owner, lifetime);
  const engine = tellingRole(ground, label, made);
  const given: CoordinatorPorts = {
    clock,
    random: ground.chanceOf(`process ${label}`),
    ids: ground.ids[label],
    digest: new NodeDigest(),
    logger: simLogger(ground, label),
    store,
    witness: createWitness(ground, owner, lifetime),
    peerChannel: channel,
    peerProbe: new SimPeerProbe({ ground: network, life }, { label }),
    engine,
    clockSource: null,
    changeoverSwitches: [createSwitch(ground, owner, lifetime), createScript(ground, owner, lifetime)],
    sink: createSink(ground, owner, lifetime),
    federation: ground.peersOf(label, recordOrigin(store.load().engineId), lifetime),
  };
  return { given: ground.wrapPorts(given, label), channel, memory, store };
}

/** Tells what an engine executes. */
export function engineObserver(
  { trace, scheduler, watchers }: Pick<WorldGround, "trace" | "scheduler" | "watchers">,
  label: Label,
): EngineObserver {
  return {
    executed: (command, past, repeated) => {
      trace.note(scheduler.nowMs, label, repeated ? "execute again" : "execute", command.seq);
      watchers.each((watch) => watch.executed?.(label, command, past, repeated));
    },
  };
}

function createEngine(
  ground: WorldGround,
  { label, engineFaults: faults }: PortsOwner,
  { life, clock }: Lifetime,
): { readonly engine: Engine; readonly memory: EngineMemory | null } {
  const { scheduler, watchers, engines, pasts } = ground;
  const executing = (command: Command): void => watchers.each((watch) => watch.executing?.(label, command));
  if (engines === null) {
    const observer = engineObserver(ground, label);
    const executed: EngineObserver["executed"] = (command, past, repeated) => {
      if (!life.alive) return;
      if (!repeated) executing(command);
      observer.executed(command, past, repeated);
    };
    const engine = new SimEngine({ clock, faults, pasts, observer: { executed } });
    return { engine, memory: engine.memory };
  }
  const process = engines[label];
  const chance = ground.chanceOf(`way of ${label} to its engine`);
  const connect = (onLost: () => void): EngineConnection => ({
    lifeline: NO_LIFELINE,
    client: new SimHookClient({ process, scheduler, clock, life, chance }, onLost),
  });
  const engine = new HttpEngine({ clock, logger: simLogger(ground, label), connect }, { baseUrl: ENGINE_URL });
  // The coordinator has decided when it calls; in the adapter a command may wait behind another call.
  const execute = (command: Command): Promise<ExecuteOutcome> => {
    if (process.memory?.find(command) === null) executing(command);
    return engine.execute(command);
  };
  return { engine: overriding<Engine>(engine, { execute }), memory: null };
}

/** Onlookers are told for how long the engine may act. */
function tellingRole({ watchers }: WorldGround, label: Label, engine: Engine): Engine {
  return overriding<Engine>(engine, {
    onRole: (change) => {
      if (change.role === "leader") watchers.each((watch) => watch.mayActFor?.(label, change.mayActForMs));
      return engine.onRole(change);
    },
  });
}

/** The key of an engine belongs to its disk, as its id does, so the id stands for it. */
function simSignatures(engineId: string): Ed25519Signatures {
  return new Ed25519Signatures(ed25519FromSeed(createHash("sha256").update(engineId).digest()));
}

function createSink(ground: WorldGround, { label }: PortsOwner, { life, clock }: Lifetime): FeedSink | null {
  const { feed, scheduler, trace, watchers } = ground;
  if (feed === null) return null;
  const published = (entry: FeedEntry): void => {
    trace.note(scheduler.nowMs, label, "publishes", entry.controlVersion, entry.event.eventId);
    watchers.each((watch) => watch.published?.(entry));
  };
  const publishing = (batch: readonly ControlEvent[]): void =>
    watchers.each((watch) => watch.publishing?.(label, batch));
  const chance = ground.chanceOf(`feed of ${label}`);
  return new SimSink({ host: feed, scheduler, clock, life, chance, publishing, published }, { label });
}

function createSwitch(ground: WorldGround, { label }: PortsOwner, { life, clock }: Lifetime): SimSwitch {
  const { router, scheduler, trace, watchers } = ground;
  const asked = ({ epoch }: RouteRequest): void => {
    trace.note(scheduler.nowMs, label, "asks for a changeover", epoch);
    watchers.each((watch) => watch.routed?.(label, epoch));
  };
  return new SimSwitch({ router, scheduler, clock, life, chance: ground.chanceOf(`switch of ${label}`), asked });
}

function createScript(ground: WorldGround, { label }: PortsOwner, { life, clock }: Lifetime): SimScriptSwitch {
  const { scheduler, watchers, trace, scriptTarget: target } = ground;
  const asked = ({ epoch }: RouteRequest): void => watchers.each((watch) => watch.routed?.(label, epoch));
  const ran = ({ epoch }: RouteRequest, orphaned: boolean): void => {
    trace.note(scheduler.nowMs, label, "its script has run", epoch);
    watchers.each((watch) => watch.scriptRan?.(label, epoch, orphaned));
  };
  const chance = ground.chanceOf(`script of ${label}`);
  return new SimScriptSwitch({ target, label, scheduler, clock, life, chance, asked, ran });
}

function createStore(ground: WorldGround, owner: PortsOwner): Store {
  const { label, disk } = owner;
  return openPairedStore({
    ids: ground.ids[label],
    disk,
    differs: (detail) => ground.violate("store", `${label} ${detail}`),
    wrote: (method, args) => {
      if (method === "append") appended(ground, label, args[0] as readonly Command[]);
      if (method === "adopt") adopted(ground, label, args[0] as Adoption);
      ground.watchers.each((watch) => watch.wrote?.(label, method));
      owner.stalled();
    },
  });
}

function appended({ scheduler, trace, watchers }: WorldGround, label: Label, commands: readonly Command[]): void {
  const last = commands.at(-1)?.seq ?? 0;
  trace.note(scheduler.nowMs, label, "append", last, () => `${commands.length} command(s), through ${last}`);
  watchers.each((watch) => watch.appended?.(label, commands));
}

function adopted({ scheduler, trace, watchers }: WorldGround, label: Label, adoption: Adoption): void {
  trace.note(scheduler.nowMs, label, "adopt", adoption.keepThroughSeq, () => `keeps ${adoption.keepThroughSeq}`);
  watchers.each((watch) => watch.adopted?.(label, adoption));
}

function createWitness(ground: WorldGround, owner: PortsOwner, { life, clock }: Lifetime): Witness {
  const { label } = owner;
  const { scheduler, trace, watchers, witness } = ground;
  if (witness === null) return new NoWitness({ clock });
  return new SimWitness(
    {
      scheduler,
      host: witness,
      way: ground.witnessWays[label],
      clock,
      life,
      observer: {
        swapSent: (next) => watchers.each((watch) => watch.swapSent?.(label, next)),
        swapped: (previous, next) => {
          const text = (): string => `epoch ${next.epoch}, seq ${next.seq}${next.released ? ", released" : ""}`;
          if (previous !== null && "content" in previous)
            return ground.violate("VT7", `${label} overwrote strange content`);
          trace.note(scheduler.nowMs, "witness", `record of ${next.holder}`, next.epoch * 1e6 + next.seq, text);
          watchers.each((watch) => watch.swapped?.(label, previous, next));
        },
      },
    },
    { timeoutMs: ground.optionsOf(label).failover.witnessTimeoutMs },
  );
}

function trafficObserver(ground: WorldGround): TrafficObserver {
  const { scheduler, trace, watchers } = ground;
  return {
    sending: (from, message) => watchers.each((watch) => watch.sending?.(from, message)),
    sent: (from, message) => watchers.each((watch) => watch.sent?.(from, message)),
    shookHands: (from, side, link, text) => watchers.each((watch) => watch.shookHands?.(from, { side, link, text })),
    refusedByPeer: (at) => watchers.each((watch) => watch.refusedByPeer?.(at)),
    fooled: (at, how) => watchers.each((watch) => watch.fooled?.(at, how)),
    delivered: (to, message) => {
      trace.note(scheduler.nowMs, to, message.type, numberOf(message), () => describe(message));
      watchers.each((watch) => watch.delivered?.(to, message));
    },
  };
}
