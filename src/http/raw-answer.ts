/**
 * Purpose: a whole HTTP answer as text, for connections that never become a Fastify request: bad bytes, refused upgrades.
 */
import { STATUS_CODES } from "node:http";
import type { Json } from "../core/canonical-json.ts";
import { PROBLEM_MEDIA_TYPE } from "./problem.ts";
import { REQUEST_ID_HEADER } from "./request-id.ts";

/** The answer, after which the connection is closed. */
export function rawAnswer(
  status: number,
  requestId: string,
  document: Readonly<Record<string, Json>>,
  headers: Readonly<Record<string, string>> = {},
): string {
  const body = JSON.stringify(document);
  const all = {
    ...headers,
    "content-type": PROBLEM_MEDIA_TYPE,
    "content-length": String(Buffer.byteLength(body)),
    [REQUEST_ID_HEADER]: requestId,
    connection: "close",
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.join("")}\r\n${body}`;
}
