/** A real pair as the demonstration runs it, its page in a real Chromium, and an onlooker that keeps the true trace. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { expect } from "vitest";
import { leaderOf, untilSettled } from "../../src/cli/demo/faults.ts";
import { Keys } from "../../src/cli/demo/keys.ts";
import { PageDoor } from "../../src/cli/demo/page-door.ts";
import { Plant } from "../../src/cli/demo/plant.ts";
import type { Label } from "../../src/core/ids.ts";
import type { Inspected } from "../../src/visualiser/inspected.ts";
import { streamUrl } from "../../src/visualiser/stream-address.ts";
import { requireServer } from "../support/servers.ts";
import { waitUntil } from "../support/wait-until.ts";
import { Onlooker } from "../visualiser/stream-rig.ts";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export async function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: requireServer("chromium"), args: FLAGS });
}

/** A page that notes what must not be: errors, and requests to any host that is not of its pair. */
export interface WatchedPage {
  readonly page: Page;
  readonly errors: string[];
  readonly strangers: string[];
}

/** @param streams of the pair, to which the page may go over */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
  streams: readonly string[] = [],
): Promise<WatchedPage> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce", ...options });
  const errors: string[] = [];
  const strangers: string[] = [];
  page.on("console", (message) => void (message.type() === "error" && errors.push(message.text())));
  page.on("pageerror", (error) => void errors.push(error.message));
  const { host } = new URL(url);
  const note = (asked: string): void => {
    if (new URL(asked).host !== host && !streams.some((stream) => asked.startsWith(stream))) strangers.push(asked);
  };
  page.on("request", (request) => note(request.url()));
  page.on("websocket", (socket) => note(socket.url()));
  await page.goto(url);
  return { page, errors, strangers };
}

export class Stage {
  readonly plant: Plant;
  readonly door: PageDoor;
  readonly keys: Keys;
  readonly address: string;

  private constructor(plant: Plant, keys: Keys, door: PageDoor, address: string) {
    this.plant = plant;
    this.keys = keys;
    this.door = door;
    this.address = address;
  }

  static async open(): Promise<Stage> {
    const plant = await Plant.start({ launcher: "src/cli/main.ts", redis: null });
    const keys = new Keys(plant);
    const door = new PageDoor(plant, keys);
    await untilSettled(plant);
    return new Stage(plant, keys, door, await door.open());
  }

  async close(): Promise<void> {
    this.door.close();
    await this.plant.close();
  }

  url(label: Label): string {
    return this.plant.engines[label].url;
  }

  /** Where both engines' streams are. */
  get streams(): readonly string[] {
    return (["a", "b"] as const).map((label) => streamUrl(this.url(label)).href);
  }

  leader(): Promise<Label> {
    return leaderOf(this.plant);
  }

  /** Everything that an engine has recorded in its present run. */
  async traceOf(label: Label): Promise<Inspected[]> {
    const onlooker = new Onlooker(this.url(label), "?only=own");
    await waitUntil(() => {
      const last = onlooker.of("hello")[0]?.seq;
      return last !== undefined && (onlooker.seqs(label).at(-1) ?? 0) >= last;
    });
    onlooker.socket.terminate();
    const told = [...onlooker.of("hello"), ...onlooker.of("events")];
    return told.flatMap(({ events }) => events);
  }
}

export const engineName = (label: Label): string => `Engine ${label.toUpperCase()}`;

/** Text of the tally, once it says what is expected. */
export async function tallySays(page: Page, ...words: readonly string[]): Promise<void> {
  await expect
    .poll(() => page.locator(".tally").innerText(), { timeout: 20_000 })
    .toMatch(new RegExp(words.join("[^]*"), "i"));
}

/** The active states of one drawing, by their paths. */
export async function activeIn(page: Page, engine: Label, machine: string): Promise<string[]> {
  const drawing = page.locator(`[id="${engine}:${machine}"]`).locator("xpath=..");
  return drawing
    .locator(".state.active")
    .evaluateAll((states) => states.map((state) => state.getAttribute("data-path") ?? ""));
}
