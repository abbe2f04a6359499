/**
 * The page that shows the statecharts, `/machines/`.
 * It asks no host but this pair's for anything, and runs no script but its own files. Its files are the same
 * for everybody and hold nothing of the pair, so they need no token: the page asks for one and shows it to the routes that
 * do.
 */
import { existsSync } from "node:fs";
import fastifyStatic from "@fastify/static";
import type { FastifyPluginAsync } from "fastify";
import type { App, HttpComponents } from "../components.ts";
import { pageHeaders } from "../access.ts";
import { problem, sendProblem } from "../problem.ts";

const HIDDEN = { config: { access: "page" }, schema: { hide: true } } as const;

/** Registers the page; where it was not built, says how to have it. */
export async function pageRoutes(app: App, { pageFolder, coordinator }: HttpComponents): Promise<void> {
  app.get("/machines", HIDDEN, (_request, reply) => reply.redirect("machines/", 308));
  if (pageFolder !== null && existsSync(pageFolder)) {
    await app.register(pageOf(pageFolder, () => coordinator.state().peer.url));
    return;
  }
  app.get("/machines/", HIDDEN, (_request, reply) => {
    sendProblem(reply, problem("not_found", "the page was not built here: npm run build"));
  });
}

/**
 * The files of the page as a plugin, also for a program that shows nothing but a recorded run.
 *
 * @param peerUrl says where the page finds the peer when this host is gone
 */
export function pageOf(folder: string, peerUrl: () => string | null = () => null): FastifyPluginAsync {
  return async (scope) => {
    scope.addHook("onRoute", (route) => {
      route.schema = { ...route.schema, hide: true };
    });
    await scope.register(fastifyStatic, {
      root: folder,
      prefix: "/machines/",
      wildcard: false,
      index: "index.html",
      decorateReply: false,
      setHeaders: (reply) => {
        for (const [name, value] of Object.entries(pageHeaders(peerUrl()))) reply.header(name, value);
      },
    });
  };
}
