/**
 * Purpose: ports that break their promise, for bugs that no rule of the coordinator could have: the contract suites keep
 * real adapters from them, the simulator shows that they must.
 */
import type { CoordinatorPorts } from "../coordinator/types.ts";
import type { Store } from "../ports/store.ts";
import type { Witness } from "../ports/witness.ts";

const LATE_MS = 30;

/** [EP2] Epochs reach the disk some time after the call. */
export function saveEpochsLate(ports: CoordinatorPorts): CoordinatorPorts {
  const { store, clock } = ports;
  const lying = overridden(store, {
    saveEpochs: (epochs) => void clock.setTimeout(() => store.saveEpochs(epochs), LATE_MS),
  });
  return { ...ports, store: lying };
}

/** [HO2] A checkpoint claims one command more than its state has executed. */
export function checkpointAhead(ports: CoordinatorPorts): CoordinatorPorts {
  const { store } = ports;
  const lying = overridden(store, {
    saveCheckpoint: ({ position, state }) => {
      const ahead = { ...position, seq: Math.min(position.seq + 1, store.positions().log.seq) };
      store.saveCheckpoint({ position: ahead, state });
    },
  });
  return { ...ports, store: lying };
}

/** [HO2] What a key was answered with is forgotten. */
export function forgetKeys(ports: CoordinatorPorts): CoordinatorPorts {
  return { ...ports, store: overridden(ports.store, { findKey: () => null, recentKeys: () => [] }) };
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
  return { ...ports, witness: overridden(witness, lying) };
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
  return { ...ports, witness: overridden(witness, lying) };
}

/** `port` with some methods replaced; the others stay bound to it. */
function overridden<Port extends Store | Witness>(port: Port, methods: Partial<Port>): Port {
  return new Proxy(port, {
    get: (target, name) => {
      if (name in methods) return methods[name as keyof Port];
      const value = Reflect.get(target, name) as unknown;
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
