/** What `changeover demo` plays: a real pair on this host, a real rundown, and real faults. */
import { setTimeout as delay } from "node:timers/promises";
import { EXIT, type ExitCode } from "../exit.ts";
import { line } from "../output.ts";
import { KEY_HELP, Keys } from "./keys.ts";
import { stopObserving } from "./observe.ts";
import { PageDoor } from "./page-door.ts";
import { Plant } from "./plant.ts";
import { onInterrupt } from "./processes.ts";
import { playScript } from "./scripted.ts";
import { loadRundown, Show } from "./show.ts";
import { playSites } from "./sites/play.ts";

export interface DemoOptions {
  readonly scripted?: boolean;
  readonly redis?: string;
  readonly sites?: boolean;
}

/** Pause between two calls while a person watches. */
const PACE_MS = 250;

/** A terminal in raw mode hands it over as a key. */
const CTRL_C = "\u0003";

/**
 * Plays until the script ends or a person quits.
 *
 * @param launcher path of the launcher, which also starts the engines
 */
export async function demonstrate(launcher: string, options: DemoOptions): Promise<ExitCode> {
  // What has been started ends with this process.
  const begun = onInterrupt(() => process.exit(EXIT.failed));
  return options.sites ? playSites(launcher) : playPair(launcher, options, begun);
}

/** `begun` is called once an interrupt finds everything in its place, and closes it in order. */
async function playPair(launcher: string, { scripted, redis }: DemoOptions, begun: () => void): Promise<ExitCode> {
  const plant = await Plant.start({ launcher, redis: redis ?? null, apart: true });
  const { a, b } = plant.engines;
  const keys = new Keys(plant);
  const door = new PageDoor(plant, keys);
  let end: ExitCode = EXIT.failed;
  const close = async (): Promise<void> => {
    const wentWrong = end === EXIT.failed;
    door.close();
    await plant.close(wentWrong);
    stopObserving();
    if (wentWrong) line(`logs and stores are kept in ${plant.folder}`);
  };
  const interrupted = (): void => {
    end = EXIT.wrongUse;
    void close().finally(() => process.exit(EXIT.failed));
  };
  begun();
  const closed = onInterrupt(interrupted);
  try {
    line(`engine a ${a.url}   engine b ${b.url}   witness ${redis ?? "embedded"}`);
    line(`the page    ${await door.open()}`);
    line(`look on in another terminal: changeover watch --url ${a.url}`);
    const show = new Show(loadRundown(), { a: a.url, b: b.url });
    end = scripted ? await playScript(plant, show) : await playWithKeys(show, keys);
    return end;
  } finally {
    closed();
    await close();
  }
}

async function playWithKeys(show: Show, keys: Keys): Promise<ExitCode> {
  const { stdin } = process;
  if (!stdin.isTTY) {
    line("no terminal to press keys in: run it in one, or with --scripted");
    return EXIT.wrongUse;
  }
  KEY_HELP.forEach((text) => line(text));
  let playing = true;
  const performance = (async () => {
    while (playing) await Promise.all([show.play(1).catch(() => {}), delay(PACE_MS)]);
  })();
  stdin.setRawMode(true).setEncoding("utf8");
  for await (const typed of stdin) {
    const key = String(typed);
    if (key === "q" || key === CTRL_C) break;
    void keys.press(key);
  }
  stdin.setRawMode(false);
  playing = false;
  await performance;
  line(`${show.acknowledged.length} commands were acknowledged`);
  return EXIT.done;
}
