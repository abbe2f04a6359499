/** Purpose: one connection between the two processes over one link: two pipes, and who holds which end. */
import { otherLabel } from "../../core/ids.ts";
import type { Label } from "../../core/ids.ts";
import type { PeerMessage } from "../../core/messages.ts";
import { Pipe } from "./network.ts";
import type { Link } from "./network.ts";
import type { Life, Scheduler } from "./scheduler.ts";

/** What a connection carries. */
export type Frame =
  /** A hello or a proof, as it goes over a real socket. */
  | { readonly kind: "handshake"; readonly text: string }
  | { readonly kind: "message"; readonly message: PeerMessage }
  /** `stranger`: the other end is refused because this one has pinned another engine; what it says about that. */
  | { readonly kind: "close"; readonly stranger?: string };

/** The process at one end. */
export interface ConnectionEnd {
  readonly life: Life;
  take(frame: Frame): void;
}

/** One connection. */
export class Connection {
  readonly #pipes: Readonly<Record<Label, Pipe<Frame>>>;
  /** Whether an impostor made it. Only onlookers ask. */
  readonly byImpostor: boolean;

  constructor(
    scheduler: Scheduler,
    link: Link,
    ends: Readonly<Record<string, ConnectionEnd>>,
    byImpostor: boolean = false,
  ) {
    this.byImpostor = byImpostor;
    const pipeFrom = (label: Label): Pipe<Frame> => {
      const receiver = ends[otherLabel(label)] as ConnectionEnd;
      return new Pipe({ scheduler, path: link.from[label] }, (frame) =>
        scheduler.enter(receiver.life, "arrival", () => receiver.take(frame)),
      );
    };
    this.#pipes = { a: pipeFrom("a"), b: pipeFrom("b") };
  }

  push(from: Label, frame: Frame): boolean {
    return this.#pipes[from].push(frame);
  }

  waiting(from: Label): number {
    return this.#pipes[from].waiting;
  }

  /** Closes this end: the other hears of it behind everything already sent, this one hears nothing more. */
  closeFrom(label: Label, stranger?: string): void {
    this.#pipes[otherLabel(label)].end();
    this.#pipes[label].push(stranger === undefined ? { kind: "close" } : { kind: "close", stranger });
  }

  /** Nothing of what `label` sent arrives any more. */
  loseUnsent(label: Label): void {
    this.#pipes[label].end();
  }

  /** The other end has closed: nothing more can be sent. */
  endFrom(label: Label): void {
    this.#pipes[label].end();
    this.#pipes[otherLabel(label)].end();
  }
}
