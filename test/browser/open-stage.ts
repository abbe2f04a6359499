/** A stage with the demonstration's page open on it, for one suite. */
import type { Browser } from "playwright-core";
import { openBrowser, openPage, Stage, type WatchedPage } from "./stage.ts";

interface Opened {
  readonly browser: Browser;
  readonly set: Stage;
  readonly watched: WatchedPage;
}

export class OpenStage {
  #opened: Opened | null = null;

  async open(): Promise<void> {
    const [browser, set] = await Promise.all([openBrowser(), Stage.open()]);
    const watched = await openPage(browser, set.address, {}, set.streams);
    this.#opened = { browser, set, watched };
    await watched.page.waitForSelector(".state.active");
    await this.idle();
  }

  async close(): Promise<void> {
    await this.#opened?.browser.close();
    await this.#opened?.set.close();
  }

  get browser(): Browser {
    return this.#whole.browser;
  }

  get set(): Stage {
    return this.#whole.set;
  }

  get watched(): WatchedPage {
    return this.#whole.watched;
  }

  /** Presses a button of the page. */
  async press(title: string): Promise<void> {
    await this.watched.page.getByRole("button", { name: title }).first().click();
  }

  /** Waits until the fault that was pressed has been answered. */
  async idle(): Promise<void> {
    await this.watched.page.waitForSelector(".faults button:enabled");
  }

  get #whole(): Opened {
    if (this.#opened === null) throw new Error("the stage is not open");
    return this.#opened;
  }
}
