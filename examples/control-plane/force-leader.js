/**
 * A control plane that puts an engine on air: node force-leader.js http://127.0.0.1:7402 "router maintenance"
 * The secret comes from CONTROL_PLANE_SECRET. Every try bears the same request id, so that the role moves once however
 * often the way to the engine breaks, and the epoch that was seen, so that it moves only from there.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

const MAX_TRIES = 5;
const [url, reason = "by the control plane"] = process.argv.slice(2);
const secret = process.env.CONTROL_PLANE_SECRET;
if (url === undefined || secret === undefined) {
  console.error("usage: CONTROL_PLANE_SECRET=… node force-leader.js URL [REASON]");
  process.exit(2);
}

const { epoch } = await (await fetch(`${url}/api/peer/health`)).json();
const body = JSON.stringify({ mode: "graceful", reason, requestId: `req_${randomUUID()}`, expectedEpoch: epoch });

for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
  const response = await fetch(`${url}/api/peer/force-leader`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-control-plane-secret": secret },
    body,
    signal: AbortSignal.timeout(5_000),
  }).catch(() => null);
  if (response !== null && response.status !== 503) {
    console.log(await response.text());
    process.exit(response.ok ? 0 : 1);
  }
  await delay(200 * tries);
}
console.error(`no answer from ${url} in ${MAX_TRIES} tries`);
process.exit(3);
