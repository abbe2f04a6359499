/** The `PeerProbe` port over the simulated network [DP1]: what a connection attempt at every address tells. */
import { otherLabel } from "../../core/ids.ts";
import type { Label } from "../../core/ids.ts";
import { PROOF_GRACE_MS, type PeerProbe, type ProbeResult } from "../../ports/peer-channel.ts";
import type { ChannelGround } from "./sim-peer-channel.ts";
import type { Life } from "../ground/scheduler.ts";
import type { Link } from "../ground/network.ts";

/** A connection that was accepted and reset is asked again so soon: the kernel was about to close the sockets. */
const ASK_AGAIN_MS = 1;

/** The probe of one life of a process. */
export class SimPeerProbe implements PeerProbe {
  readonly #ground: ChannelGround;
  readonly #life: Life;
  readonly #label: Label;

  constructor(components: { readonly ground: ChannelGround; readonly life: Life }, init: { readonly label: Label }) {
    this.#ground = components.ground;
    this.#life = components.life;
    this.#label = init.label;
  }

  probe(budgetMs: number, closed: ReadonlySet<string> = new Set()): Promise<ProbeResult> {
    const { scheduler, links } = this.#ground;
    const endMs = scheduler.nowMs + budgetMs;
    return new Promise((resolve) => {
      let refused = 0;
      const answered = (result: "refused" | "alive", link: Link): void => {
        if (result === "refused") refused += 1;
        if (result === "alive" || refused === links.length) resolve(result);
        else if (closed.has(link.name)) scheduler.after(PROOF_GRACE_MS, () => resolve("refused"), this.#life, "timer");
      };
      for (const link of links) this.#ask(link, endMs, (result) => answered(result, link));
      scheduler.at(endMs, () => resolve("unknown"), this.#life, "timer");
    });
  }

  #ask(link: Link, endMs: number, answered: (result: "refused" | "alive") => void): void {
    const { scheduler, machines } = this.#ground;
    const there = link.from[this.#label];
    const back = link.from[otherLabel(this.#label)];
    scheduler.after(there.delayMs(), () => {
      if (there.cut || scheduler.nowMs > endMs) return;
      const presence = machines[otherLabel(this.#label)].presence();
      if (presence === "closing") {
        scheduler.after(ASK_AGAIN_MS, () => this.#ask(link, endMs, answered));
      } else if (presence === "listening" || presence === "refusing") {
        const result = presence === "listening" ? "alive" : "refused";
        scheduler.after(back.delayMs(), () => {
          if (!back.cut) scheduler.enter(this.#life, "arrival", () => answered(result));
        });
      }
    });
  }
}
