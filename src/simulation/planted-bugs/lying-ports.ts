/**
 * Purpose: ports that break their promise, for bugs that no rule of the coordinator could have: the contract suites keep
 * real adapters from them, the simulator shows that they must.
 */
import type { CoordinatorPorts } from "../../coordinator/types.ts";
import { advanceClock, type VectorClock } from "../../core/vector-clock.ts";
import type { ChangeoverSwitch } from "../../ports/changeover-switch.ts";
import type { Engine } from "../../ports/engine.ts";
import type { PeerChannel } from "../../ports/peer-channel.ts";
import type { Witness } from "../../ports/witness.ts";
import { isStranger } from "../ground/witness-host.ts";
import { overriding } from "./overriding.ts";

const LATE_MS = 30;
const WHOLE_LEASE_MS = 600;

/** [EP2] Epochs reach the disk some time after the call. */
export function saveEpochsLate(ports: CoordinatorPorts): CoordinatorPorts {
  const { store, clock } = ports;
  const lying = overriding(store, {
    saveEpochs: (epochs) => void clock.setTimeout(() => store.saveEpochs(epochs), LATE_MS),
  });
  return { ...ports, store: lying };
}

/** [HO2] A checkpoint claims one command more than its state has executed. */
export function checkpointAhead(ports: CoordinatorPorts): CoordinatorPorts {
  const { store } = ports;
  const lying = overriding(store, {
    saveCheckpoint: ({ position, state }) => {
      const ahead = { ...position, seq: Math.min(position.seq + 1, store.positions().log.seq) };
      store.saveCheckpoint({ position: ahead, state });
    },
  });
  return { ...ports, store: lying };
}

/** [HO2] What a key was answered with is forgotten. */
export function forgetKeys(ports: CoordinatorPorts): CoordinatorPorts {
  return { ...ports, store: overriding(ports.store, { findKey: () => null, recentKeys: () => [] }) };
}

/** [HB2] Of an engine's starts the wall clock alone says which was the later one. */
export function forgetStart(ports: CoordinatorPorts): CoordinatorPorts {
  const { store } = ports;
  const { peerState } = store.replica;
  const forgetful = overriding(peerState, { get: (key) => (key === "start" ? null : peerState.get(key)) });
  return { ...ports, store: overriding(store, { replica: overriding(store.replica, { peerState: forgetful }) }) };
}

/** [SB6] What conflicts hold is counted as if it stood in the log. */
export function countConflicts(ports: CoordinatorPorts): CoordinatorPorts {
  const { store } = ports;
  const counted = (clock: VectorClock): VectorClock =>
    store
      .conflicts(1_000)
      .reduce(
        (known, conflict) =>
          conflict.kind === "command"
            ? advanceClock(known, conflict.divergent.origin, conflict.divergent.originSeq)
            : known,
        clock,
      );
  const lying = overriding(store, {
    load: () => ({ ...store.load(), clock: counted(store.load().clock) }),
    positions: () => ({ ...store.positions(), clock: counted(store.positions().clock) }),
  });
  return { ...ports, store: lying };
}

/** [CK1] The store takes the stamps of commands for true, of any writer. */
export function followStamps(ports: CoordinatorPorts): CoordinatorPorts {
  const { store } = ports;
  const lying = overriding(store, {
    append: (commands) => {
      store.append(commands);
      for (const { hlc } of commands) store.replica.raiseHlc(hlc);
    },
  });
  return { ...ports, store: lying };
}

/** [VT3] A swap overwrites whatever stands. */
export function swapWhateverStands(ports: CoordinatorPorts): CoordinatorPorts {
  const { witness } = ports;
  const lying: Pick<Witness, "swap"> = {
    swap: async (expected, next) => {
      const answer = await witness.swap(expected, next);
      return answer.outcome === "lost" ? witness.swap(answer.record, next) : answer;
    },
  };
  return { ...ports, witness: overriding(witness, lying) };
}

/** [VT7] A witness that holds the record of strangers is told as one that does not answer. */
export function hideStrangers(ports: CoordinatorPorts): CoordinatorPorts {
  const { witness } = ports;
  const lying: Pick<Witness, "read"> = {
    read: async () => {
      const answer = await witness.read();
      const isStrange = answer.outcome === "read" && answer.record !== null && isStranger(answer.record.engineId);
      return isStrange ? { outcome: "unreachable", reason: "no answer" } : answer;
    },
  };
  return { ...ports, witness: overriding(witness, lying) };
}

/** [DP1] A dead process is believed only once every address refuses. */
export function allMustRefuse(ports: CoordinatorPorts): CoordinatorPorts {
  const { peerProbe } = ports;
  return { ...ports, peerProbe: { probe: (budgetMs) => peerProbe.probe(budgetMs) } };
}

/** [HO7] What was asked of a device is not withdrawn. */
export function neverWithdraw(ports: CoordinatorPorts): CoordinatorPorts {
  return withSwitches(ports, { withdraw: () => undefined });
}

/** [HO7] A device that has confirmed is not told again. */
export function tellOnce(ports: CoordinatorPorts): CoordinatorPorts {
  return withSwitches(ports, { reassertMs: 1e9 });
}

function withSwitches(ports: CoordinatorPorts, members: Partial<ChangeoverSwitch>): CoordinatorPorts {
  const changeoverSwitches = ports.changeoverSwitches.map((target) => overriding(target, members));
  return { ...ports, changeoverSwitches };
}

/** [EN9] Nobody looks whether the engine is there and has its state. */
export function neverLook(ports: CoordinatorPorts): CoordinatorPorts {
  return { ...ports, engine: overriding(ports.engine, { watch: () => undefined }) };
}

/** [EN12] The engine is told of a whole lease, whatever is left of the votes. */
export function actForWholeLease(ports: CoordinatorPorts): CoordinatorPorts {
  const { engine } = ports;
  const onRole: Engine["onRole"] = (change) =>
    engine.onRole(change.role === "leader" ? { ...change, mayActForMs: WHOLE_LEASE_MS } : change);
  return { ...ports, engine: overriding(engine, { onRole }) };
}

/** [RL1] A release frees the lock, whoever holds it. */
export function releaseAnyLock(ports: CoordinatorPorts): CoordinatorPorts {
  const { witness } = ports;
  const lying: Pick<Witness, "releaseLock"> = {
    releaseLock: async (lockId) => {
      const standing = await witness.readLock();
      return witness.releaseLock(standing.outcome === "read" ? (standing.lock?.lockId ?? lockId) : lockId);
    },
  };
  return { ...ports, witness: overriding(witness, lying) };
}

/** [HO4] The peer does not learn what a request of a person was answered. */
export function keepAnswersHere(ports: CoordinatorPorts): CoordinatorPorts {
  const { peerChannel } = ports;
  const send: PeerChannel["send"] = (message) => message.type === "request-answered" || peerChannel.send(message);
  return { ...ports, peerChannel: overriding(peerChannel, { send }) };
}
