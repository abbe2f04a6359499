/**
 * Puts the HTTP surface together, without listening, so that it can be tested by injection and embedded.
 * Every answer has a request id and, when it is a refusal, is a problem document; every route has stated its
 * access and its schema.
 * It does not know addresses and sockets (`server.ts`).
 */
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  type onRequestHookHandler,
  type RouteOptions,
} from "fastify";
import { type IncomingMessage, maxHeaderSize, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import {
  accessOf,
  guard,
  type Identify,
  identifier,
  allowOrigins,
  browserAccess,
  METHODS,
  WrongSecrets,
} from "./access.ts";
import { readJsonBodies, rawAnswer, REQUEST_ID_HEADER, requestNamer } from "./body.ts";
import { requireCertificate } from "./server.ts";
import type { App, HttpComponents, HttpInit } from "./components.ts";
import { ControlChannel } from "./control-channel.ts";
import { answerFailures, problemOf } from "./failures.ts";
import {
  BODY_LIMIT_BYTES,
  CONNECTION_CHECK_MS,
  CONNECTION_TIMEOUT_MS,
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_MS,
  MAX_PARAM_CHARS,
  REQUEST_TIMEOUT_MS,
} from "./limits.ts";
import { machineStream, peerChannel, type Channel, Upgrades } from "./upgrades.ts";
import { type Problem, problem, type ProblemCode, problemDocument, sendProblem, statusOf } from "./problem.ts";
import { canonicalUrl, RouteTable } from "./route-table.ts";
import { routes } from "./routes.ts";
import { NAMED_SCHEMAS } from "./schemas/named.ts";
import { validatorCompiler } from "./validation.ts";

declare module "fastify" {
  interface FastifyInstance {
    /** Every route of this surface, with its access. */
    routeTable: RouteTable;
    /** The guesses at the control plane's secret. */
    wrongSecrets: WrongSecrets;
    /** Closes the sockets whose tokens are no longer in force. */
    revalidateSockets(): void;
  }
}

/**
 * Builds the HTTP surface.
 *
 * @param components collaborators; none is closed with the app
 * @param init label, version, secrets
 * @returns a Fastify instance that does not listen; `listen` of `server.ts` does, or `inject` for tests
 */
export async function buildApp(components: HttpComponents, init: HttpInit): Promise<App> {
  const nameRequest = requestNamer(components.ids);
  const { corsOrigins = [] } = init;
  const browsers = browserAccess(init.secrets.tokens.length === 0, corsOrigins);
  const identify = identifier(init.secrets, browsers);
  const control = new ControlChannel(components);
  const channels: Channel[] = [control];
  if (components.peerSockets !== null) channels.push(peerChannel(components.peerSockets));
  const { machineViewers } = components;
  if (machineViewers !== null) channels.push(machineStream(machineViewers));
  const upgrades = new Upgrades({ identify, browsers, nameRequest }, channels);
  const app: App = newFastify(nameRequest, upgrades, init.tls ?? null);
  upgrades.attach(app.server);
  app.addHook("preClose", (done) => {
    control.close();
    machineViewers?.close();
    upgrades.close();
    done();
  });
  app.decorate("routeTable", new RouteTable());
  app.decorate("wrongSecrets", new WrongSecrets());
  app.decorate("revalidateSockets", () => upgrades.revalidate());
  app.decorateRequest("caller");
  app.setValidatorCompiler(validatorCompiler);
  for (const schema of NAMED_SCHEMAS) app.addSchema(schema);
  readJsonBodies(app, components.clock);
  answerFailures(app, components.logger);
  app.addHook("onRequest", inTurn());
  app.addHook("onRequest", (request, reply, done) => {
    reply.header(REQUEST_ID_HEADER, request.id);
    const refusal = hostFault(request.raw) ?? browsers.refuseHost(request.headers);
    if (refusal === null) done();
    else sendProblem(reply, refusal);
  });
  await allowOrigins(app, corsOrigins);
  answerUnknown(app);
  // RFC 9110, 10.1.1: what is expected beyond `100-continue` may be passed over.
  app.server.on("checkExpectation", (request, response) => app.server.emit("request", request, response));
  app.server.on("connect", (request: IncomingMessage, socket: Duplex) => refuseTunnel(socket, nameRequest(request)));
  app.addHook("onRoute", (route) => prepareRoute(app, route, identify, init.tls?.ca !== undefined));
  await routes(app, components, init, channels);
  await app.ready();
  return app;
}

function newFastify(nameRequest: ReturnType<typeof requestNamer>, upgrades: Upgrades, tls: HttpInit["tls"]): App {
  const server = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    connectionsCheckingInterval: CONNECTION_CHECK_MS,
    // Checked in `onRequest`, so that this answer too is a problem document.
    requireHostHeader: false,
    shouldUpgradeCallback: (request: Parameters<Upgrades["wants"]>[0]) => upgrades.wants(request),
  };
  const options: FastifyServerOptions = {
    // A line for every request costs a third of the throughput; what fails is logged by `failures.ts`.
    logger: false,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: "idle",
    // While the engine steps down, `/leader` must say so as long as it is asked.
    return503OnClosing: false,
    requestIdHeader: false,
    rewriteUrl: ({ url }) => canonicalUrl(url ?? "/"),
    genReqId: nameRequest,
    routerOptions: { maxParamLength: MAX_PARAM_CHARS },
    frameworkErrors: (error, request, reply) => {
      reply.header(REQUEST_ID_HEADER, request.id);
      sendProblem(reply, problemOf(error));
    },
    clientErrorHandler: (error, socket) => answerBadBytes(error, socket, nameRequest({ headers: {} })),
  };
  if (tls === null || tls === undefined) return Fastify({ ...options, http: server }).withTypeProvider();
  // Nobody is refused before the route is known: only some of them ask for a certificate.
  const secure = { ...server, ...tls, requestCert: tls.ca !== undefined, rejectUnauthorized: false };
  // An HTTPS server is used here in nothing but what it has in common with an HTTP one.
  return Fastify({ ...options, https: secure } as FastifyServerOptions).withTypeProvider();
}

/**
 * Requests of one connection are looked at in turn, each once the answer before it has been read. Whoever sends many and
 * reads nothing would fill the memory with answers otherwise. A connection that closes takes those that wait with it.
 */
function inTurn(): onRequestHookHandler {
  const answers = new WeakMap<Socket, ServerResponse>();
  return ({ raw }, reply, done) => {
    const { socket } = raw;
    const before = answers.get(socket);
    answers.set(socket, reply.raw);
    if (before === undefined || before.writableFinished) return done();
    before.once("close", () => {
      if (!socket.destroyed) done();
    });
  };
}

/** RFC 9112, 3.2: one header Host in every request of HTTP/1.1, and never two. */
function hostFault({ httpVersion, headers, rawHeaders }: IncomingMessage): Problem | null {
  if (headers.host === undefined) {
    return httpVersion === "1.1" ? problem("invalid_request", "the header Host is missing") : null;
  }
  const hosts = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === "host").length;
  return hosts > 1 ? problem("invalid_request", `the header Host stands ${hosts} times, must stand once`) : null;
}

/** What Node could not read as a request. */
function answerBadBytes(error: Error & { readonly code?: string }, socket: Socket, requestId: string): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const codes: Readonly<Record<string, ProblemCode>> = {
    ERR_HTTP_REQUEST_TIMEOUT: "request_timeout",
    HPE_HEADER_OVERFLOW: "headers_too_large",
  };
  const code = codes[error.code ?? ""] ?? "invalid_request";
  const detail =
    code === "headers_too_large"
      ? `the head of the request has more than ${maxHeaderSize} bytes, or too many lines`
      : "the bytes received are not a whole HTTP request";
  const document = problemDocument(problem(code, detail));
  socket.end(rawAnswer(statusOf(code), requestId, document));
}

/** Gives a route its guard and its serialiser as it is registered. */
function prepareRoute(app: FastifyInstance, route: RouteOptions, identify: Identify, mutualTls: boolean): void {
  // The one route without a path of its own: where the CORS plugin answers preflights.
  if (route.url === "*") return;
  const access = accessOf(route.url, route.config?.access);
  app.routeTable.add(route.method, route.url, access);
  const certificate = mutualTls && route.config?.certificate === true ? requireCertificate : null;
  const checks = [certificate, guard(access, identify)].filter((check) => check !== null);
  route.onRequest = [...checks, ...[route.onRequest ?? []].flat()];
  // A compiled serialiser is faster, but drops what its schema does not name and refuses what it does not foresee.
  if (route.config?.hot !== true) route.serializerCompiler = () => JSON.stringify;
}

/** Who calls what does not exist is told so, whatever the body: before it is read, and once more where a plugin found nothing. */
function answerUnknown(app: FastifyInstance): void {
  const answer = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const methods = app.routeTable.methodsAt(request.url);
    if (methods.length === 0 || methods.includes(request.method)) {
      return sendProblem(reply, problem("not_found", "there is nothing at this path"));
    }
    reply.header("allow", methods.join(", "));
    return sendProblem(reply, problem("method_not_allowed", `this path knows ${methods.join(", ")}`));
  };
  app.addHook("onRequest", (request, reply, done) => {
    if (request.is404) answer(request, reply);
    else done();
  });
  app.setNotFoundHandler(answer);
}

/** CONNECT asks for a way to another host, which this is none. Node closes the connection without a word otherwise. */
function refuseTunnel(socket: Duplex, requestId: string): void {
  const refusal = problem("method_not_allowed", "this server opens no tunnels");
  socket.on("error", () => socket.destroy());
  socket.end(rawAnswer(statusOf(refusal.code), requestId, problemDocument(refusal), { allow: METHODS.join(", ") }));
}
