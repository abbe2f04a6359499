/** A scoreboard that cannot fail: run it twice, with the two configurations, and both count the same. */
import { loadConfig, startHost } from "changeover";

class Scoreboard {
  #state = { home: 0, away: 0, epoch: 0, seq: 0 };

  validate(kind, payload) {
    if (kind !== "POST /score") return `kind is "${kind}": must be "POST /score"`;
    const isTeam = payload?.team === "home" || payload?.team === "away";
    return isTeam && Number.isInteger(payload.points) ? null : 'payload must be {"team": "home" | "away", "points": 3}';
  }
  execute({ epoch, seq, payload }) {
    const isRepeated = epoch < this.#state.epoch || (epoch === this.#state.epoch && seq <= this.#state.seq);
    if (isRepeated) return { ok: true };
    const { [payload.team]: points } = this.#state;
    this.#state = { ...this.#state, [payload.team]: points + payload.points, epoch, seq };
    return { ok: true };
  }
  snapshot() {
    return this.#state;
  }
  restore(state) {
    this.#state = state;
  }
  onRole({ role, epoch }) {
    console.log(`${role} at epoch ${epoch}`);
  }
  health() {
    return "ok";
  }
  programSource() {
    return `${this.#state.home}:${this.#state.away}`;
  }
  read() {
    return { status: 200, body: { home: this.#state.home, away: this.#state.away } };
  }
  async close() {}
}

const host = await startHost(loadConfig(process.argv[2], process.env), { engine: new Scoreboard() });
console.log(`ready at ${host.url}`);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => host.close());
