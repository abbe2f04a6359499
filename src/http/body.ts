/**
 * Reads request bodies: JSON only, strictly, large ones in slices; nothing at all counts as no body.
 */
import type { FastifyInstance } from "fastify";
import type { Json } from "../core/canonical-json.ts";
import type { Clock, Ids } from "../ports/basics.ts";
import { HEAR_OUT_MS, PATIENT_ABOVE_BYTES } from "./limits.ts";
import { findInexactNumber, NumberNotExact } from "../json/exact-numbers.ts";
import type { Source } from "../json/fault.ts";
import { parseJson, parseJsonPatiently } from "../json/read.ts";
import { InvalidInput, isTolerantBody, UnsupportedMediaType } from "./validation.ts";
import { type IncomingMessage, STATUS_CODES } from "node:http";
import { Readable } from "node:stream";
import { PROBLEM_MEDIA_TYPE } from "./problem.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** What the body holds is stored and given to others, so an integer that would change is refused. */
    keepsNumbers?: boolean;
    /** The body holds the state of an engine, which may have any name in it. */
    holdsState?: boolean;
  }
}

type Done = (error: Error | null, body?: Json) => void;

/** Replaces Fastify's parsers by the strict one. */
export function readJsonBodies(app: FastifyInstance, clock: Clock): void {
  // Fastify shows a validator the same null for JSON's null as for no body at all.
  app.addHook("preValidation", (request, _reply, done) => {
    const schema = request.routeOptions.schema?.body;
    const isNull = request.body === null && schema !== undefined && !isTolerantBody(schema);
    done(isNull ? new InvalidInput("", "body: is null, must be object") : undefined);
  });
  app.addHook("onSend", (request, reply, _payload, done) => {
    if (reply.raw.shouldKeepAlive || !isStillSending(request.raw)) done();
    else hearOut(request.raw, clock, done);
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body, done: Done) => {
    const bytes = body as Buffer;
    const coding = request.headers["content-encoding"] ?? "identity";
    if (coding.toLowerCase() !== "identity") {
      done(
        new UnsupportedMediaType(`content-encoding is ${coding}: send the body as it is, without a content-encoding`),
      );
      return;
    }
    const inexact = request.routeOptions.config.keepsNumbers === true ? findInexactNumber(bytes.toString()) : null;
    const source = request.routeOptions.config.holdsState === true ? "engine" : "stranger";
    if (bytes.length === 0) done(null, undefined);
    else if (inexact !== null) done(new NumberNotExact(inexact));
    else if (bytes.length <= PATIENT_ABOVE_BYTES) parseAtOnce(bytes, source, done);
    else parseJsonPatiently(bytes, (fn) => clock.soon(fn), { source }).then((value) => done(null, value), done);
  });
  // Clients that send nothing say all kinds of things about it.
  app.addContentTypeParser("*", (request, _payload, done: Done) => {
    const { "content-length": length, "transfer-encoding": encoding } = request.headers;
    if (encoding === undefined && (length === undefined || length === "0")) done(null, undefined);
    else done(new UnsupportedMediaType());
  });
}

const isStillSending = ({ headers, complete }: IncomingMessage): boolean =>
  !complete && (headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0);

/**
 * Reads the rest of a refused body for a while before the connection closes. Otherwise a caller that is still sending gets a
 * reset and never sees the answer [RFC 9112, 9.6].
 */
function hearOut(request: IncomingMessage, clock: Clock, done: () => void): void {
  const finish = (): void => {
    clock.clearTimeout(timer);
    request.off("end", finish).off("close", finish);
    done();
  };
  const timer = clock.setTimeout(finish, HEAR_OUT_MS);
  request.once("end", finish).once("close", finish).resume();
}

function parseAtOnce(bytes: Buffer, source: Source, done: Done): void {
  let value: Json;
  try {
    value = parseJson(bytes, source);
  } catch (error) {
    done(error as Error);
    return;
  }
  done(null, value);
}

// A name for every request, so that an answer and a line of the log can be put together. A caller's own name is taken
// over only when it is harmless in a header and in a log.

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

// A large value as the body of an answer, written in pieces so that it does not hold up heartbeats.

/** A text in pieces as a stream that lets others have their turn after every piece. */
export function textStream(pieces: Iterable<string>, soon: Clock["soon"]): Readable {
  return Readable.from(patiently(pieces, soon), { objectMode: false });
}

async function* patiently(pieces: Iterable<string>, soon: Clock["soon"]): AsyncGenerator<string, void, undefined> {
  for (const piece of pieces) {
    yield piece;
    await new Promise<void>((resolve) => soon(resolve));
  }
}

// A whole HTTP answer as text, for connections that never become a Fastify request: bad bytes, refused upgrades.

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
