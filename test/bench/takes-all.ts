/** An engine that takes every command and does nothing, so that what is measured is the coordinator. */
import type { Json } from "../../src/core/canonical-json.ts";
import type { Command } from "../../src/core/command.ts";
import type { Engine, EngineHealth, EngineRead, ExecuteOutcome } from "../../src/ports/engine.ts";

export class TakesAll implements Engine {
  #seq = 0;

  validate(): null {
    return null;
  }

  execute({ seq }: Command): ExecuteOutcome {
    this.#seq = Math.max(this.#seq, seq);
    return { ok: true };
  }

  snapshot(): Json {
    return { seq: this.#seq };
  }

  restore(state: Json): void {
    this.#seq = (state as { readonly seq: number }).seq;
  }

  onRole(): void {}

  health(): EngineHealth {
    return "ok";
  }

  programSource(): string {
    return "bench";
  }

  read(_path: string): EngineRead {
    return { status: 200, body: {} };
  }

  async close(): Promise<void> {}
}
