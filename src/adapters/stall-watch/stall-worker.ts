/**
 * The program of the thread that watches the event loop [EN5]. When the loop has stood still for longer than `stallMs`, it
 * offers the role to the peer over a connection of its own, again and again until the peer has answered.
 *
 * Where a loop may stand still for longer than a silent peer is waited for, the thread vouches for it until then.
 *
 * Only what the loop itself did counts. Time in which the whole process stood still, or in which the loop was ready to run
 * and got no core, is not held against it: a leader on a busy machine is slow, and not stalled.
 */
import { sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { type StallAnswer, type StallReport, stallText } from "../../core/stall.ts";
import type { StallOutcome } from "../../ports/stall-watch.ts";
import { ARMED, GIVEN, SharedLoop } from "./shared-loop.ts";
import type { WatchTask } from "./worker-stall-watch.ts";

/** Pause between two looks while this engine does not lead, ms: it is watched from this long after it began to. */
const REST_MS = 250;
/** A look that comes later than this after its time means that this thread stood still, too, ms. */
const LATE_MS = 5;
const ASK_MS = 500;
const ASK_AGAIN_MS = 100;
const MAX_ANSWER_BYTES = 16_384;
const NS_IN_MS = 1e6;
/** Of the thread of the event loop: ns on a core, ns ready to run without one, slices. */
const SCHEDULED = `/proc/self/task/${process.pid}/schedstat`;

/** What became of one question. `undelivered`: the peer certainly did not get it. */
type Asked = StallAnswer | "undelivered" | "unknown";

const task = workerData as WatchTask;
const loop = new SharedLoop(task.buffer);
const { vouchEveryMs } = task;
const limitMs = task.stallMs + task.beatMs;

const nowMs = (): number => Number(process.hrtime.bigint()) / NS_IN_MS;

/** How long the loop's thread has waited for a core since it began, ms; 0 where the system does not tell. */
function starvedMs(): number {
  try {
    return Number(readFileSync(SCHEDULED, "latin1").split(" ")[1]) / NS_IN_MS;
  } catch {
    return 0;
  }
}

async function watch(): Promise<never> {
  let seenNs = -1n;
  let forgivenMs = 0;
  let lastMs = nowMs();
  let lastStarvedMs = starvedMs();
  let refusal: StallOutcome | null = null;
  let vouchedMs = 0;
  for (let pauseMs = REST_MS; ;) {
    await delay(pauseMs);
    const now = nowMs();
    const starved = starvedMs();
    const lateMs = now - lastMs - pauseMs;
    const missedMs = (lateMs > LATE_MS ? lateMs : 0) + starved - lastStarvedMs;
    lastMs = now;
    lastStarvedMs = starved;
    const beatNs = loop.beatNs;
    const sinceMs = now - Number(beatNs) / NS_IN_MS;
    // What was missed in the pause of the beat is forgiven whole: it may have been before the beat or after it.
    forgivenMs = beatNs === seenNs ? forgivenMs + missedMs : Math.min(missedMs, sinceMs);
    // Told once the loop can hear it, and only the last one.
    if (beatNs !== seenNs && refusal !== null) parentPort?.postMessage(refusal);
    if (beatNs !== seenNs) refusal = null;
    seenNs = beatNs;
    const stoodMs = sinceMs - forgivenMs;
    const isArmed = loop.state === ARMED;
    // The next look is when the limit would be reached, so that watching a loop that runs costs next to nothing.
    pauseMs = isArmed ? Math.max(1, limitMs - stoodMs) : REST_MS;
    if (vouchEveryMs !== null && isArmed) pauseMs = Math.min(pauseMs, vouchEveryMs / 2);
    if (!isArmed || stoodMs <= limitMs) {
      // The peer counts the silence, not what the loop could do about it.
      const isDue = vouchEveryMs !== null && sinceMs >= vouchEveryMs && now >= vouchedMs + vouchEveryMs;
      if (!isArmed || !isDue) continue;
      vouchedMs = now;
      void ask({ epoch: loop.epoch, n: loop.n, stoodMs: Math.round(sinceMs), stalled: false });
      continue;
    }
    refusal = await giveAway(beatNs, stoodMs);
    pauseMs = ASK_AGAIN_MS;
    lastMs = nowMs();
    lastStarvedMs = starvedMs();
  }
}

/** Offers the role until the peer has said yes or no. Returns the refusal; null: there was none. */
async function giveAway(beatNs: bigint, stoodMs: number): Promise<StallOutcome | null> {
  if (!loop.change(ARMED, GIVEN)) return null;
  const { epoch, n } = loop;
  const beganMs = nowMs() - stoodMs;
  // It ran again in between.
  if (loop.beatNs !== beatNs) {
    loop.change(GIVEN, ARMED);
    return null;
  }
  for (;;) {
    const moment = { epoch, n, stoodMs: Math.round(nowMs() - beganMs), stalled: true };
    const told = { epoch, stoodMs: moment.stoodMs };
    const asked = await ask(moment);
    if (asked === "unknown") {
      if (loop.beatNs === beatNs) {
        await delay(ASK_AGAIN_MS);
        continue;
      }
      // The loop runs again, and nobody knows whether the peer leads.
      parentPort?.postMessage({ ...told, taken: null, detail: "the peer gave no answer" } satisfies StallOutcome);
      return null;
    }
    if (asked !== "undelivered" && asked.taken) {
      parentPort?.postMessage({ ...told, taken: true, detail: asked.detail } satisfies StallOutcome);
      return null;
    }
    loop.change(GIVEN, ARMED);
    return { ...told, taken: false, detail: asked === "undelivered" ? "the peer does not answer" : asked.detail };
  }
}

/** Asks at every address of the peer at once. */
async function ask(moment: Pick<StallReport, "epoch" | "n" | "stoodMs" | "stalled">): Promise<Asked> {
  const { pair, label, engineId, incarnation } = task;
  const report: StallReport = { pair, label, engineId, incarnation, ...moment, signature: "" };
  const signature = sign(null, Buffer.from(stallText(report)), task.key).toString("base64url");
  const body = JSON.stringify({ ...report, signature });
  const answers: Asked[] = [];
  return new Promise((resolve) => {
    for (const url of task.peerUrls) {
      void post(url, body).then((answer) => {
        answers.push(answer);
        if (typeof answer === "object" && answer.taken) resolve(answer);
        else if (answers.length === task.peerUrls.length) resolve(worstOf(answers));
      });
    }
    if (task.peerUrls.length === 0) resolve("undelivered");
  });
}

/** Not knowing outweighs a refusal: one copy may have been taken. */
function worstOf(answers: readonly Asked[]): Asked {
  if (answers.includes("unknown")) return "unknown";
  return answers.find((answer) => answer !== "undelivered") ?? "undelivered";
}

function post(peerUrl: string, body: string): Promise<Asked> {
  const url = new URL("/api/peer/stall", peerUrl.replace(/^ws/, "http"));
  const { token, ca } = task;
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  };
  const options = { method: "POST", headers, agent: false as const, ...(ca === undefined ? {} : { ca }) };
  return new Promise((resolve) => {
    let isConnected = false;
    const request = url.protocol === "https:" ? httpsRequest(url, options) : httpRequest(url, options);
    const timer = setTimeout(() => request.destroy(new Error("no answer in time")), ASK_MS);
    const settle = (asked: Asked): void => {
      clearTimeout(timer);
      resolve(asked);
    };
    request.on("socket", (socket) => socket.once("connect", () => (isConnected = true)));
    request.on("error", () => settle(isConnected ? "unknown" : "undelivered"));
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= MAX_ANSWER_BYTES) chunks.push(chunk);
      });
      response.on("error", () => settle("unknown"));
      response.on("end", () => settle(answerOf(response.statusCode ?? 0, Buffer.concat(chunks).toString("utf8"))));
    });
    request.end(body);
  });
}

/** Any other answer is a refusal: an older version, a wrong token. */
function answerOf(status: number, text: string): Asked {
  try {
    const { taken, detail } = JSON.parse(text) as Partial<StallAnswer>;
    if (status === 200 && typeof taken === "boolean") return { taken, detail: String(detail) };
    return { taken: false, detail: `the peer answers HTTP ${status}: ${String(detail).slice(0, 200)}` };
  } catch {
    return { taken: false, detail: `the peer answers HTTP ${status}` };
  }
}

await watch();
