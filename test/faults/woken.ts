/** Commands that wait in the socket of an engine that is frozen, and what it answers once it wakes. */
import { request } from "node:http";

export interface WokenAnswer {
  /** null: the connection ended without one. */
  readonly status: number | null;
  readonly epoch: number | null;
}

const COUNT = 10;
const ANSWER_WITHIN_MS = 15_000;

/** Sends them now; resolves with the answers. */
export async function askWoken(url: string): Promise<readonly WokenAnswer[]> {
  return Promise.all(Array.from({ length: COUNT }, async (_command, n) => send(url, n)));
}

async function send(url: string, n: number): Promise<WokenAnswer> {
  const nothing: WokenAnswer = { status: null, epoch: null };
  return new Promise((resolve) => {
    const options = { method: "POST", headers: { "content-type": "application/json" }, timeout: ANSWER_WITHIN_MS };
    const call = request(`${url}/api/commands`, options, (response) => {
      let text = "";
      response.on("data", (piece: Buffer) => (text += piece.toString()));
      response.on("end", () => {
        const { epoch } = JSON.parse(text) as { readonly epoch?: number };
        resolve({ status: response.statusCode ?? null, epoch: epoch ?? null });
      });
      response.on("error", () => resolve(nothing));
    });
    call.on("error", () => resolve(nothing));
    call.on("timeout", () => call.destroy());
    call.end(JSON.stringify({ kind: `POST /woken/${n}`, payload: { n } }));
  });
}
