/** Purpose: the least that can stand for a coordinator, so that the world itself can be tested apart from it. */
import type { Coordinator, CoordinatorPorts } from "../../src/coordinator/types.ts";
import type { PeerMessage } from "../../src/core/messages.ts";

/** What one life of a tiny coordinator saw. */
export interface Diary {
  readonly ports: CoordinatorPorts;
  readonly lines: string[];
  /** Sends a message that carries `n`. */
  say(n: number): boolean;
}

/** Makes tiny coordinators that write diaries. */
export function tinyCoordinators(diaries: Diary[]): (ports: CoordinatorPorts) => Coordinator {
  return (ports) => {
    const { clock, peerChannel, store } = ports;
    const lines: string[] = [];
    const write = (line: string): void => void lines.push(`${Math.round(clock.monoMs())} ${line}`);
    const say = (n: number): boolean =>
      peerChannel.send({ type: "stale-epoch", highestEpoch: n } satisfies PeerMessage);
    diaries.push({ ports, lines, say });
    const tick = (): void => {
      write("tick");
      clock.setTimeout(tick, 100);
    };
    const start = async (): Promise<void> => {
      const { engineId, pinnedPeer } = store.load();
      peerChannel.open(
        {
          onLinkUp: (link, peer) => write(`up ${link} ${peer.engineId}`),
          onLinkDown: (link, socketClosed) => write(`down ${link} ${socketClosed}`),
          onMessage: (message) =>
            write(message.type === "stale-epoch" ? `heard ${message.highestEpoch}` : message.type),
          onRefused: (refusal) => write(`refused ${refusal}`),
          onFirstContact: (peer) => (store.pinPeer(peer), true),
          onRefusedByPeer: (detail) => write(`refused by peer ${detail}`),
        },
        { engineId, incarnation: ports.ids.next("incarnation"), version: "0" },
        pinnedPeer,
      );
      tick();
    };
    const tiny: Partial<Coordinator> = {
      start,
      stop: () => peerChannel.close(),
      mayAct: () => false,
      subscribe: () => () => undefined,
    };
    return tiny as Coordinator;
  };
}
