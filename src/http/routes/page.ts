/**
 * Purpose: the page that shows the statecharts, `/machines/`.
 * Keeps true: it asks no other host for anything, and runs no script but its own files. Its files are the same for
 * everybody and hold nothing of the pair, so they need no token: the page asks for one and shows it to the routes that do.
 */
import { existsSync } from "node:fs";
import fastifyStatic from "@fastify/static";
import type { App, HttpComponents } from "../components.ts";
import { problem, sendProblem } from "../problem.ts";
import { PAGE_HEADERS } from "../page-headers.ts";

/** Registers the page; where it was not built, says how to have it. */
export async function pageRoutes(app: App, { pageFolder }: HttpComponents): Promise<void> {
  const config = { access: "page" } as const;
  app.get("/machines", { config, schema: { hide: true } }, (_request, reply) => reply.redirect("/machines/", 308));
  if (pageFolder === null || !existsSync(pageFolder)) {
    app.get("/machines/", { config, schema: { hide: true } }, (_request, reply) => {
      sendProblem(reply, problem("not_found", "the page was not built here: npm run build"));
    });
    return;
  }
  await app.register(async (scope) => {
    scope.addHook("onRoute", (route) => {
      route.schema = { ...route.schema, hide: true };
    });
    await scope.register(fastifyStatic, {
      root: pageFolder,
      prefix: "/machines/",
      wildcard: false,
      index: "index.html",
      decorateReply: false,
      setHeaders: (reply) => {
        for (const [name, value] of Object.entries(PAGE_HEADERS)) reply.header(name, value);
      },
    });
  });
}
