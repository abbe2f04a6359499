/**
 * Real OBS Studio under a virtual display, with its own obs-websocket on a free port. Each has a configuration folder of its
 * own; `start` begins with an empty one, so an OBS that was killed comes back without its scenes.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import OBSWebSocket from "obs-websocket-js";
import { until } from "../../src/cli/demo/observe.ts";
import { endWithThisProcess } from "./server-process.ts";
import { requireServer } from "./servers.ts";

const STARTS_WITHIN_MS = 60_000;

/** A display without a screen, drawn by the processor. */
export class VirtualDisplay {
  readonly name: string;
  readonly close: () => Promise<void>;

  private constructor(name: string, close: () => Promise<void>) {
    this.name = name;
    this.close = close;
  }

  static async open(): Promise<VirtualDisplay> {
    const args = ["-displayfd", "1", "-screen", "0", "640x360x24", "-nolisten", "tcp"];
    const child = spawn(requireServer("Xvfb"), args, { stdio: ["ignore", "pipe", "ignore"] });
    const close = endWithThisProcess(child);
    const [number] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    return new VirtualDisplay(`:${number}`, close);
  }
}

export class ObsStudio {
  readonly url: string;
  readonly #port: number;
  readonly #display: VirtualDisplay;
  readonly #home = mkdtempSync(join(tmpdir(), "changeover-obs-"));
  #child: ChildProcess | null = null;
  #end: () => Promise<void> = async () => {};
  #eyes: OBSWebSocket | null = null;

  constructor(display: VirtualDisplay, port: number) {
    this.#display = display;
    this.#port = port;
    this.url = `ws://127.0.0.1:${port}`;
  }

  /** An OBS that has never run before, up to the moment at which its obs-websocket answers. */
  async start(): Promise<void> {
    const folder = join(this.#home, "obs-studio");
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const websocket = `[OBSWebSocket]\nFirstLoad=false\nServerEnabled=true\nServerPort=${this.#port}\nAlertsEnabled=false\nAuthRequired=false\n`;
    writeFileSync(join(folder, "global.ini"), `[General]\nFirstRun=true\nEnableAutoUpdates=false\n${websocket}`);
    const env = {
      ...{ PATH: process.env["PATH"], HOME: this.#home, XDG_CONFIG_HOME: this.#home, XDG_RUNTIME_DIR: this.#home },
      ...{ DISPLAY: this.#display.name, LIBGL_ALWAYS_SOFTWARE: "1", QT_QPA_PLATFORM: "xcb" },
    };
    const child = spawn(requireServer("obs"), ["--multi", "--disable-updater"], { env, stdio: "ignore" });
    this.#child = child;
    this.#end = endWithThisProcess(child);
    await until("OBS answers", async () => (await this.program()) !== null, {
      withinMs: STARTS_WITHIN_MS,
      pollMs: 100,
    });
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    await this.#eyes?.disconnect();
    this.#eyes = null;
    await this.#end();
  }

  signal(name: "SIGSTOP" | "SIGCONT"): void {
    this.#child?.kill(name);
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.#home, { recursive: true, force: true });
  }

  /** The scene on programme, as this OBS says itself; null: it does not answer. */
  async program(): Promise<string | null> {
    try {
      return (await (await this.#connected()).call("GetCurrentProgramScene")).currentProgramSceneName;
    } catch {
      this.#eyes = null;
      return null;
    }
  }

  async isMuted(inputName: string): Promise<boolean> {
    return (await (await this.#connected()).call("GetInputMute", { inputName })).inputMuted;
  }

  async #connected(): Promise<OBSWebSocket> {
    if (this.#eyes !== null) return this.#eyes;
    const eyes = new OBSWebSocket();
    await eyes.connect(this.url);
    this.#eyes = eyes;
    return eyes;
  }
}
