/**
 * This engine as viewers see it: its statecharts from the recorder, and its state.
 * The state is looked at once a push, however many look on; conflicts are counted again only when one has
 * changed.
 */
import type { Coordinator } from "../coordinator/types.ts";
import type { Label } from "../core/ids.ts";
import type { Clock } from "../ports/basics.ts";
import {
  COUNTED_CONFLICTS,
  MAX_EVENTS_PER_MESSAGE,
  SHOWN_LEADERSHIPS,
  SHOWN_RUNS,
  type Inspected,
  type ShownSettings,
  type Source,
  type StateMessage,
  type Values,
} from "./inspected.ts";
import { LockWatch } from "./lock-watch.ts";
import type { Recorder } from "./recorder.ts";

type Seen = Pick<Coordinator, "state" | "leadership" | "logRuns" | "conflicts" | "subscribe" | "readLock">;

export class OwnSource implements Source {
  readonly label: Label;
  readonly run: string;
  readonly reachable = true;
  readonly #coordinator: Seen;
  readonly #clock: Clock;
  readonly #recorder: Recorder;
  readonly #settings: ShownSettings;
  readonly #lock: LockWatch;
  #unsubscribe: (() => void) | null = null;
  #counted: StateMessage["conflicts"] = { open: 0, total: 0, revision: 0 };
  #bytes: Buffer | null = null;
  #states = 0;

  constructor(
    components: { readonly coordinator: Seen; readonly clock: Clock; readonly recorder: Recorder },
    init: { readonly label: Label; readonly settings: ShownSettings },
  ) {
    this.#coordinator = components.coordinator;
    this.#clock = components.clock;
    this.#recorder = components.recorder;
    this.#settings = init.settings;
    this.#lock = new LockWatch(components);
    this.label = init.label;
    this.run = `${init.label}-${Math.round(components.clock.unixMs()).toString(36)}`;
  }

  get firstSeq(): number {
    return this.#recorder.ring.firstSeq;
  }

  get lastSeq(): number {
    return this.#recorder.ring.lastSeq;
  }

  get states(): number {
    return this.#states;
  }

  values(): Values {
    return this.#recorder.ring.values();
  }

  after(seq: number, most = MAX_EVENTS_PER_MESSAGE): readonly Inspected[] {
    return this.#recorder.ring.after(seq, most);
  }

  stateBytes(): Buffer {
    return (this.#bytes ??= Buffer.from(JSON.stringify(this.#state())));
  }

  /** Someone looks: `onEntry` is called after each new event. */
  open(onEntry: () => void): void {
    this.#recorder.watch(onEntry);
    this.#count();
    this.#lock.open();
    this.#unsubscribe ??= this.#coordinator.subscribe((event) => {
      if (event.type === "conflict") this.#count();
    });
  }

  /** Nobody looks any more. Idempotent. */
  close(): void {
    this.#recorder.watch(null);
    this.#lock.close();
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#bytes = null;
  }

  /** The next `stateBytes` is a new one. */
  renew(): void {
    this.#states += 1;
    this.#bytes = null;
  }

  #state(): StateMessage {
    const state = this.#coordinator.state();
    return {
      type: "state",
      engine: this.label,
      atUnixMs: Math.round(this.#clock.unixMs()),
      state,
      logRuns: this.#coordinator.logRuns(SHOWN_RUNS),
      settings: this.#settings,
      lock: state.reconcileLock ?? this.#lock.now(),
      actors: this.#recorder.actors(),
      conflicts: this.#counted,
      leadership: this.#coordinator.leadership(SHOWN_LEADERSHIPS),
    };
  }

  #count(): void {
    const conflicts = this.#coordinator.conflicts(COUNTED_CONFLICTS);
    const open = conflicts.filter(({ outcome }) => outcome === "open").length;
    this.#counted = { open, total: conflicts.length, revision: this.#counted.revision + 1 };
  }
}
