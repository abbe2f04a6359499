/**
 * Tells systemd that the engine is ready, and feeds its watchdog from the main loop (`Type=notify`, `WatchdogSec`): a loop
 * that stands still feeds nothing, and systemd restarts the engine.
 *
 * Node cannot send to the datagram socket that systemd listens on. A small shell, started once, reads states from a pipe and
 * passes them on with `systemd-notify`. It ends with the engine, because its pipe ends.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Clock, TimerHandle } from "../ports/basics.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** One state a line; a state is one word for systemd, with `=` in it. */
const PASS_ON = 'while IFS= read -r state; do systemd-notify "$state"; done';
/** The watchdog is fed this many times in its interval. */
const FEEDS = 4;

export class SystemdNotifier {
  readonly #clock: Clock;
  readonly #child: ChildProcess | null;
  /** Pause between two feeds, ms; null: no watchdog watches this process. */
  readonly #everyMs: number | null;
  #timer: TimerHandle | null = null;

  /** Does nothing where systemd did not start this process (`NOTIFY_SOCKET` is not set). */
  constructor(components: { readonly clock: Clock }, environment: Environment) {
    this.#clock = components.clock;
    this.#everyMs = watchdogMs(environment, process.pid);
    const { NOTIFY_SOCKET: socket, PATH: path } = environment;
    if (socket === undefined || socket === "") {
      this.#child = null;
      return;
    }
    // `systemd-notify` would take the watchdog's process for its own parent, which is the shell.
    const env = { NOTIFY_SOCKET: socket, PATH: path ?? "/usr/bin:/bin" };
    this.#child = spawn("/bin/sh", ["-c", PASS_ON], { stdio: ["pipe", "ignore", "inherit"], env });
    // A host without a shell, or a helper that was killed: the engine goes on, and systemd judges.
    this.#child.on("error", () => undefined);
    this.#child.stdin?.on("error", () => undefined);
    this.#child.unref();
    (this.#child.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  }

  /** The engine is ready; from now on the watchdog is fed. */
  ready(status: string): void {
    this.#say(`STATUS=${status}`);
    this.#say("READY=1");
    if (this.#child !== null && this.#everyMs !== null) this.#feed(this.#everyMs);
  }

  /** The engine stops: it may take longer than the watchdog allows, so it is fed to the end. */
  stopping(): void {
    this.#say("STOPPING=1");
  }

  close(): void {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#child?.stdin?.end();
  }

  #feed(everyMs: number): void {
    this.#say("WATCHDOG=1");
    this.#timer = this.#clock.setTimeout(() => this.#feed(everyMs), everyMs);
  }

  #say(state: string): void {
    this.#child?.stdin?.write(`${state.replaceAll("\n", " ")}\n`);
  }
}

function watchdogMs(environment: Environment, pid: number): number | null {
  const { WATCHDOG_USEC: usec, WATCHDOG_PID: watched } = environment;
  const intervalMs = Number(usec ?? 0) / 1_000;
  if (!(intervalMs > 0) || (watched !== undefined && watched !== "" && Number(watched) !== pid)) return null;
  return intervalMs / FEEDS;
}
