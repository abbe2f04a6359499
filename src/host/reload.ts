/**
 * Takes new tokens, a new control plane secret and new certificates into a running engine. What cannot be used changes
 * nothing; what changed is logged by its key, never by its value.
 *
 * The peer token stays: both ends of the peer channel derive their secret from it, so it changes only with a restart.
 */
import type { Secrets, TokenSecret } from "../config/secrets.ts";
import type { Config, ReloadReport } from "../config/types.ts";

/** The secrets that are in force. Anyone who checks a secret reads them at that moment. */
export class LiveSecrets implements Secrets {
  #tokens: readonly TokenSecret[];
  #controlPlaneSecret: string | null;

  constructor({ tokens, controlPlaneSecret }: Secrets) {
    this.#tokens = tokens;
    this.#controlPlaneSecret = controlPlaneSecret;
  }

  get tokens(): readonly TokenSecret[] {
    return this.#tokens;
  }

  get controlPlaneSecret(): string | null {
    return this.#controlPlaneSecret;
  }

  /** Puts new ones in force. */
  replace(next: Secrets): ReloadReport {
    const changed: string[] = [];
    const needsRestart: string[] = [];
    if (next.controlPlaneSecret !== this.#controlPlaneSecret) {
      this.#controlPlaneSecret = next.controlPlaneSecret;
      changed.push("auth.controlPlaneSecret");
    }
    // With or without tokens is a mode of the whole surface.
    const switchesMode = (next.tokens.length === 0) !== (this.#tokens.length === 0);
    const peers = (tokens: readonly TokenSecret[]) => tokens.filter(({ role }) => role === "peer");
    const others = (tokens: readonly TokenSecret[]) => tokens.filter(({ role }) => role !== "peer");
    if (switchesMode) needsRestart.push("auth.tokens");
    else {
      if (!isSame(peers(next.tokens), peers(this.#tokens))) needsRestart.push("auth.tokens of role peer");
      if (!isSame(others(next.tokens), others(this.#tokens))) {
        this.#tokens = [...peers(this.#tokens), ...others(next.tokens)];
        changed.push("auth.tokens");
      }
    }
    return { changed, needsRestart };
  }
}

/** The sections of the configuration that differ and that no reload applies. */
export function sectionsForRestart(before: Config, after: Config): string[] {
  const applied: ReadonlySet<string> = new Set(["auth", "listen"]);
  const keys = (Object.keys(after) as (keyof Config)[]).filter((key) => !applied.has(key));
  const { tls: tlsBefore, ...listenBefore } = before.listen;
  const { tls: tlsAfter, ...listenAfter } = after.listen;
  const listen = isSame(listenBefore, listenAfter) && (tlsBefore === null) === (tlsAfter === null) ? [] : ["listen"];
  return [...listen, ...keys.filter((key) => !isSame(before[key], after[key]))];
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
