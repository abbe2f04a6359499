/**
 * Looks at `GET /leader` of both engines from outside, as often as they answer, and keeps what it saw.
 * Keeps true: what counts is when a question was sent and when its answer came; an answer proves nothing about any
 * instant outside of that span, so that what is called a fault here is one.
 */
import { setTimeout as delay } from "node:timers/promises";
import { ask } from "../../src/cli/demo/observe.ts";
import type { Label } from "../../src/core/ids.ts";

/** One engine that said it may act, under one epoch. */
export interface Reign {
  readonly label: Label;
  readonly epoch: number;
  readonly firstAnswerMs: number;
  lastAskedMs: number;
  lastAnswerMs: number;
}

type Urls = Readonly<Record<Label, { readonly url: string }>>;

const ANSWER_WITHIN_MS = 150;
const PACE_MS = 3;

export class Recorder {
  /** In the order of their first answers. */
  readonly reigns: Reign[] = [];
  /** Who said it may act although a higher epoch had been seen to lead before it was asked [I6]. */
  readonly overtaken: string[] = [];
  samples = 0;
  #running = true;
  readonly #loops: readonly Promise<void>[];

  private constructor(engines: Urls) {
    this.#loops = (["a", "b"] as const).map((label) => this.#look(label, engines[label].url));
  }

  static watch({ engines }: { readonly engines: Urls }): Recorder {
    return new Recorder(engines);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
  }

  /** From the last answer of the leader before `label` at the highest epoch to the first of `label`, ms. */
  get lastGapMs(): number {
    const [before, after] = this.reigns.slice(-2);
    return before === undefined || after === undefined ? 0 : after.firstAnswerMs - before.lastAnswerMs;
  }

  async #look(label: Label, url: string): Promise<void> {
    while (this.#running) {
      const askedMs = performance.now();
      const answer = await ask(`${url}/leader`, ANSWER_WITHIN_MS);
      const answerMs = performance.now();
      this.samples += 1;
      if (answer?.status === 200) {
        this.#note(label, (JSON.parse(answer.text) as { readonly epoch: number }).epoch, askedMs, answerMs);
      }
      await delay(PACE_MS);
    }
  }

  #note(label: Label, epoch: number, askedMs: number, answerMs: number): void {
    const higher = this.reigns.find((reign) => reign.epoch > epoch && reign.firstAnswerMs < askedMs);
    if (higher !== undefined) {
      const sinceMs = (askedMs - higher.firstAnswerMs).toFixed(1);
      this.overtaken.push(`${label} at ${epoch}, ${sinceMs} ms after ${higher.label} at ${higher.epoch} was seen`);
    }
    const reign = this.reigns.find((known) => known.label === label && known.epoch === epoch);
    if (reign === undefined) {
      this.reigns.push({ label, epoch, firstAnswerMs: answerMs, lastAskedMs: askedMs, lastAnswerMs: answerMs });
    } else {
      reign.lastAskedMs = askedMs;
      reign.lastAnswerMs = answerMs;
    }
  }
}
