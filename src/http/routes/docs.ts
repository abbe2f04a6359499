/**
 * The OpenAPI document of this surface and a page to read it on.
 * The document is made from the schemas that validate; the page asks no other host for anything.
 */
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import { Type } from "typebox";
import type { App, HttpInit } from "../components.ts";
import { GUARDED, refusals } from "../schemas/common.ts";
import { PROBLEM_MEDIA_TYPE } from "../problem.ts";
import { isOptionalBody } from "../validation.ts";

/** Must be registered before any route, so that it hears of all of them. */
export async function describeRoutes(app: App, { version }: HttpInit): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Changeover",
        version,
        description:
          "Coordination of two engines that render the same programme. Everything under `/api` also answers under `/api/v1`.",
        license: { name: "MIT", identifier: "MIT" },
      },
      components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
    },
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) => (json["$id"] as string | undefined) ?? `def-${index}`,
    },
    transform: ({ schema, url, route }) => {
      const access = route.config?.access;
      const secured = access === "exempt" ? { security: [] } : { security: [{ bearer: [] }] };
      return { schema: { ...schema, ...secured }, url };
    },
    transformObject: (document) => {
      if (!("openapiObject" in document)) throw new Error("broken invariant: the document is OpenAPI 3");
      const paths = (document.openapiObject.paths ?? {}) as Record<string, Record<string, Operation>>;
      for (const [path, operations] of Object.entries(paths)) {
        // OpenAPI has no wildcard: what follows the path is a parameter with a name.
        const told = path.replace("{*}", "{path}");
        for (const [method, operation] of Object.entries(operations)) {
          // A route with several methods has one object for all of them.
          operations[method] = describe(method, told, { ...operation });
        }
        if (told === path) continue;
        paths[told] = operations;
        Reflect.deleteProperty(paths, path);
      }
      // Relative to the document, so that it also holds below a path that a proxy adds.
      document.openapiObject.servers = [{ url: "." }];
      return document.openapiObject;
    },
  });
}

/** What is completed of an operation. */
interface Operation {
  operationId?: string;
  readonly parameters?: { name: string }[];
  responses?: Record<string, object>;
  readonly requestBody?: { required: boolean; readonly content: Record<string, { readonly schema: unknown }> };
}

/** What every operation has: a name for generated clients, the refusal of a foreign host, and whether its body is optional. */
function describe(method: string, path: string, operation: Operation): Operation {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  operation.operationId = method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  for (const parameter of operation.parameters ?? []) if (parameter.name === "*") parameter.name = "path";
  operation.responses = { ...operation.responses };
  operation.responses["421"] ??= {
    description: "`misdirected_request`",
    content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: "#/components/schemas/Problem" } } },
  };
  const { requestBody } = operation;
  // The plugin takes every body for required.
  const schema = requestBody?.content["application/json"]?.schema;
  if (requestBody !== undefined && isOptionalBody(schema)) requestBody.required = false;
  return operation;
}

export async function docsRoutes(app: App): Promise<void> {
  app.get(
    "/openapi.json",
    {
      config: { access: "view" },
      schema: {
        summary: "This document",
        tags: ["docs"],
        response: {
          200: Type.Unsafe<unknown>({ type: "object", additionalProperties: true }),
          ...refusals(...GUARDED),
        },
      },
    },
    (_request, reply) => {
      reply.send(app.swagger());
    },
  );
  await app.register(swaggerUi, {
    routePrefix: "/docs",
    staticCSP: true,
    transformStaticCSP: ownHostOnly,
    transformSpecification: (document) => ({ ...document, servers: [{ url: ".." }] }),
    transformSpecificationClone: false,
    // Below /docs/ the page's own addresses are relative, so that it also works under a path that a proxy adds.
    uiHooks: {
      onRequest: (request, reply, done) => {
        if (request.url === "/docs") reply.redirect("docs/", 308);
        else done();
      },
    },
  });
}

/** The plugin's policy allows pictures and styles from elsewhere, and wants TLS, which an engine on a plant need not have. */
function ownHostOnly(policy: string): string {
  return policy
    .replaceAll(" https:", "")
    .replaceAll(" validator.swagger.io", "")
    .replace("upgrade-insecure-requests;", "");
}
