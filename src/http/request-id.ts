/**
 * Purpose: a name for every request, so that an answer and a line of the log can be put together.
 * Keeps true: a caller's own name is taken over only when it is harmless in a header and in a log.
 */
import type { IncomingMessage } from "node:http";
import type { Ids } from "../ports/ids.ts";

export const REQUEST_ID_HEADER = "x-request-id";

const HARMLESS = /^[\w.:+/=-]{1,128}$/;

/** A function that names requests: the caller's name, or one that counts up from a fresh id. */
export function requestNamer(ids: Ids): (request: Pick<IncomingMessage, "headers">) => string {
  const own = ids.next("request");
  let count = 0;
  return ({ headers }) => {
    const given = headers[REQUEST_ID_HEADER];
    if (typeof given === "string" && HARMLESS.test(given)) return given;
    count += 1;
    return `${own}-${count.toString(36)}`;
  };
}
