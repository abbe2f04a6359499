/**
 * Looks at the engines from outside, as a load balancer and an engineer would, and waits for what must come.
 * Every wait has a bound and says what it waited for.
 */
import { Agent, get } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { CoordinatorState } from "../../coordinator/types.ts";
import { CliError, EXIT } from "../exit.ts";

const agent = new Agent({ keepAlive: true, maxSockets: 8 });
const ANSWER_WITHIN_MS = 300;
const POLL_MS = 10;

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/** One GET; null when there is no answer in time. */
export async function ask(url: string, withinMs = ANSWER_WITHIN_MS): Promise<HttpAnswer | null> {
  return new Promise((resolve) => {
    const request = get(url, { agent, timeout: withinMs }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(pieces).toString() }));
      response.on("error", () => resolve(null));
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(null));
  });
}

/** Whether the engine says at this moment that it may act as leader. */
export async function leads(url: string): Promise<boolean> {
  return (await ask(`${url}/leader`))?.status === 200;
}

/** The engine's whole state; null when it does not answer. */
export async function stateOf(url: string): Promise<CoordinatorState | null> {
  const answer = await ask(`${url}/api/state`);
  return answer?.status === 200 ? (JSON.parse(answer.text) as CoordinatorState) : null;
}

/** The checksum of the engine's state; null when it cannot say. */
export async function checksumOf(url: string): Promise<string | null> {
  const answer = await ask(`${url}/api/sync/state-snapshot`, 2_000);
  return answer?.status === 200 ? (JSON.parse(answer.text) as { checksum: string }).checksum : null;
}

/**
 * Asks until `holds` says yes.
 *
 * @param pollMs pause between two questions; 0 asks again at once, for measuring
 * @returns how long it took, ms
 * @throws CliError when it has not come within `withinMs`
 */
export async function until(
  what: string,
  holds: () => Promise<boolean>,
  { withinMs = 15_000, pollMs = POLL_MS }: { withinMs?: number; pollMs?: number } = {},
): Promise<number> {
  const sinceMs = performance.now();
  while (!(await holds())) {
    if (performance.now() - sinceMs > withinMs) {
      throw new CliError(EXIT.failed, `${what}: not within ${withinMs / 1_000} s`);
    }
    if (pollMs > 0) await delay(pollMs);
  }
  return performance.now() - sinceMs;
}

/** Ends the connections that were kept open. */
export function stopObserving(): void {
  agent.destroy();
}
