/**
 * One engine's ports for tests of single actors: real adapters in memory, a clock that only passes when told, and a
 * channel that keeps what was sent instead of carrying it.
 */
import { MemoryDisk } from "../../src/adapters/memory-disk.ts";
import { MemoryStore } from "../../src/adapters/memory-store.ts";
import { MemoryWitness, MemoryWitnessServer } from "../../src/adapters/memory-witness.ts";
import { NodeDigest } from "../../src/adapters/basics.ts";
import { Alarms } from "../../src/actors/alarms.ts";
import { zeroCounters, type Kit } from "../../src/actors/kit.ts";
import { Pauses } from "../../src/actors/pauses.ts";
import { trueRules, type Rules } from "../../src/actors/rules.ts";
import { Stamps } from "../../src/actors/stamps.ts";
import type { CoordinatorPorts } from "../../src/coordinator/types.ts";
import type { AlarmCode, CoordinatorEvent } from "../../src/core/events.ts";
import type { Label } from "../../src/core/ids.ts";
import type { PeerMessage } from "../../src/core/messages.ts";
import { DEFAULT_COMMANDS, resolveFailover } from "../../src/core/settings.ts";
import type { CommandSettings, FailoverSettings } from "../../src/core/settings.ts";
import type { Heartbeat } from "../../src/core/messages.ts";
import type { LinkStatus, PeerChannel, ProbeResult } from "../../src/ports/peer-channel.ts";
import { SimEngine, type EngineFaults } from "../../src/simulation/ports/sim-engine.ts";
import { SimIds } from "../../src/simulation/ports/sim-ids.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

/** A channel of one link that keeps what is sent. */
class KeptChannel implements PeerChannel {
  readonly sent: PeerMessage[] = [];
  up = true;
  open(): void {}
  repin(): void {}
  broadcast(heartbeat: Heartbeat): number {
    this.sent.push(heartbeat);
    return this.up ? 1 : 0;
  }
  send(message: PeerMessage): boolean {
    if (this.up) this.sent.push(message);
    return this.up;
  }
  links(): readonly LinkStatus[] {
    return [{ name: "red", up: this.up, bufferedBytes: 0 }];
  }
  async close(): Promise<void> {}
}

export interface RigSettings {
  readonly label?: Label;
  readonly clock?: VirtualClock;
  readonly disk?: MemoryDisk;
  readonly failover?: Partial<FailoverSettings>;
  readonly commands?: Partial<CommandSettings>;
  readonly ports?: Partial<CoordinatorPorts>;
  readonly rules?: Partial<Rules>;
}

export interface Rig {
  readonly clock: VirtualClock;
  readonly disk: MemoryDisk;
  readonly store: MemoryStore;
  readonly server: MemoryWitnessServer;
  readonly channel: KeptChannel;
  readonly engine: SimEngine;
  readonly faults: EngineFaults;
  /** What the engine executed, by seq, in order; repeats included. */
  readonly executed: number[];
  readonly events: CoordinatorEvent[];
  readonly kit: Kit;
  /** How the next probes of the peer end. */
  probed: ProbeResult;
  alarm(code: AlarmCode): boolean;
  /** What a standing alarm says; null: it does not stand. */
  alarmText(code: AlarmCode): string | null;
  /** Messages of one type that were sent. */
  sent<Type extends PeerMessage["type"]>(type: Type): Extract<PeerMessage, { type: Type }>[];
}

const quiet = (): void => undefined;

/** The pulse of an engine that never sleeps. */
export const AWAKE = { isAwake: true, check: () => false };

export function buildRig(settings: RigSettings = {}): Rig {
  const { label = "a", clock = new VirtualClock(), disk = new MemoryDisk() } = settings;
  const ids = new SimIds({ label });
  const store = new MemoryStore({ ids, disk });
  const server = new MemoryWitnessServer({ clock });
  const channel = new KeptChannel();
  const faults: EngineFaults = { slowMs: 0, health: "ok" };
  const executed: number[] = [];
  const events: CoordinatorEvent[] = [];
  const observer = { executed: ({ seq }: { seq: number }) => void executed.push(seq) };
  const engine = new SimEngine({ clock, pasts: new Map(), faults, observer });
  const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const emit = (event: CoordinatorEvent): void => void events.push(event);
  const ports: CoordinatorPorts = {
    clock,
    random: { next: () => 0.5 },
    ids,
    digest: new NodeDigest(),
    logger,
    store,
    witness: new MemoryWitness({ server }),
    peerChannel: channel,
    peerProbe: { probe: () => Promise.resolve(rig.probed) },
    engine,
    clockSource: null,
    changeoverSwitches: [],
    ...settings.ports,
  };
  const failover = resolveFailover(settings.failover ?? {}, ports.witness.kind);
  const commands = { ...DEFAULT_COMMANDS, ...settings.commands };
  const rules = { ...trueRules, ...settings.rules };
  const kit: Kit = {
    ports,
    options: { pair: "studio-1", label, version: "0.1.0", failover, commands, peerUrl: "http://127.0.0.1:7402" },
    self: { engineId: store.load().engineId, incarnation: ids.next("incarnation"), version: "0.1.0" },
    failover,
    rules,
    alarms: new Alarms({ clock, logger, emit }),
    counters: zeroCounters(),
    pauses: new Pauses({ clock }),
    stamps: new Stamps({ clock }, { origin: store.load().engineId, last: store.load().hlc }),
    emit,
    nowMs: () => rules.nowMs(clock),
  };
  const rig: Rig = {
    ...{ clock, disk, store, server, channel, engine, faults, executed, events, kit },
    probed: "unknown",
    alarm: (code) => kit.alarms.list().some((alarm) => alarm.code === code),
    alarmText: (code) => kit.alarms.list().find((alarm) => alarm.code === code)?.detail ?? null,
    sent: (type) => channel.sent.filter((message) => message.type === type) as never,
  };
  return rig;
}
