/**
 * How far the page is behind the engines. The page itself notes the moment at which each drawing was lit, and what was lit
 * in it; the engines' own traces say when it happened. Both read the clock of the same machine.
 */
import type { Page } from "playwright-core";
import { expect } from "vitest";
import type { Label } from "../../src/core/ids.ts";
import type { Inspected } from "../../src/visualiser/inspected.ts";
import { activePaths } from "../../src/visualiser/page/state-paths.ts";

/** One drawing as it was lit at one moment. */
interface Lit {
  readonly engine: Label;
  readonly machine: string;
  /** Of the event that it shows. */
  readonly seq: number;
  readonly atUnixMs: number;
  readonly active: readonly string[];
}

/** Notes what one page lights, from `watch` on. */
export class LitNotes {
  readonly #page: Page;
  #lit: Lit[] = [];

  private constructor(page: Page) {
    this.#page = page;
  }

  static async of(page: Page): Promise<LitNotes> {
    await page.evaluate(watch);
    return new LitNotes(page);
  }

  /** Forgets what was lit so far. */
  async clear(): Promise<void> {
    await this.#take();
    this.#lit = [];
  }

  /**
   * For every change of state in a trace: after how many ms its drawing was lit, or that of a later change of the same
   * statechart, where several fell into one frame. Waits until all have been.
   */
  async behindMs(engine: Label, trace: readonly Inspected[]): Promise<readonly number[]> {
    const changes = trace.filter(({ type }) => type === "transition");
    await expect
      .poll(async () => (await this.#take(), changes.filter((one) => !this.#firstOf(engine, one))))
      .toEqual([]);
    return changes.map((one) => (this.#firstOf(engine, one)?.atUnixMs ?? Infinity) - one.atUnixMs);
  }

  /** Drawings that have shown anything but what the trace says of the event that they stand at. */
  untrue(engine: Label, trace: readonly Inspected[]): readonly Lit[] {
    const bySeq = new Map(trace.map((entry) => [entry.seq, entry]));
    return this.#lit.filter((one) => {
      const entry = one.engine === engine ? bySeq.get(one.seq) : undefined;
      return entry !== undefined && [...one.active].sort().join() !== activePaths(entry.to).sort().join();
    });
  }

  #firstOf(engine: Label, { machine, seq }: Inspected): Lit | undefined {
    return this.#lit.find((one) => one.engine === engine && one.machine === machine && one.seq >= seq);
  }

  async #take(): Promise<void> {
    this.#lit.push(...(await this.#page.evaluate(() => (globalThis as unknown as { lit: Lit[] }).lit.splice(0))));
  }
}

/** Runs in the page. */
function watch(): void {
  const lit: unknown[] = [];
  (globalThis as unknown as { lit: unknown[] }).lit = lit;
  new MutationObserver((mutations) => {
    const atUnixMs = Date.now();
    for (const drawing of new Set(mutations.map(({ target }) => target as HTMLElement))) {
      const [engine, machine] = (drawing.querySelector(".frame")?.id ?? "").split(":");
      const states = drawing.querySelectorAll<SVGGElement>(".state.active");
      const active = [...states].map((state) => state.dataset["path"] ?? "");
      lit.push({ engine, machine, seq: Number(drawing.dataset["seq"]), atUnixMs, active });
    }
  }).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["data-seq"] });
}
