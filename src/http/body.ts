/**
 * Purpose: reads request bodies: JSON only, strictly, large ones in slices; nothing at all counts as no body.
 */
import type { FastifyInstance } from "fastify";
import type { Json } from "../core/canonical-json.ts";
import type { Clock } from "../ports/clock.ts";
import { PATIENT_ABOVE_BYTES } from "./limits.ts";
import { findInexactNumber, NumberNotExact } from "../json/exact-numbers.ts";
import { parseJson, parseJsonPatiently } from "../json/read.ts";
import { InvalidInput, isTolerantBody, UnsupportedMediaType } from "./validation.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** What the body holds is stored and given to others, so an integer that would change is refused. */
    keepsNumbers?: boolean;
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
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body, done: Done) => {
    const bytes = body as Buffer;
    const inexact = request.routeOptions.config.keepsNumbers === true ? findInexactNumber(bytes.toString()) : null;
    if (bytes.length === 0) done(null, undefined);
    else if (inexact !== null) done(new NumberNotExact(inexact));
    else if (bytes.length <= PATIENT_ABOVE_BYTES) parseAtOnce(bytes, done);
    else parseJsonPatiently(bytes, (fn) => clock.soon(fn)).then((value) => done(null, value), done);
  });
  // Clients that send nothing say all kinds of things about it.
  app.addContentTypeParser("*", (request, _payload, done: Done) => {
    const { "content-length": length, "transfer-encoding": encoding } = request.headers;
    if (encoding === undefined && (length === undefined || length === "0")) done(null, undefined);
    else done(new UnsupportedMediaType());
  });
}

function parseAtOnce(bytes: Buffer, done: Done): void {
  let value: Json;
  try {
    value = parseJson(bytes);
  } catch (error) {
    done(error as Error);
    return;
  }
  done(null, value);
}
