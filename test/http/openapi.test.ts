/** The document that describes the surface, and that the surface keeps to it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { conforms, type TSchema } from "./schema-check.ts";
import { buildRig, type Rig } from "./rig.ts";

interface Operation {
  readonly summary?: string;
  readonly operationId?: string;
  readonly security?: readonly object[];
  readonly requestBody?: { readonly required: boolean; readonly content: Record<string, { readonly schema: TSchema }> };
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: TSchema }> }>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, TSchema> };
}

let rig: Rig;
let document: Document;
beforeAll(async () => {
  rig = await buildRig();
  document = (await rig.get("/openapi.json")).json<Document>();
});
afterAll(() => rig.app.close());

const operations = (): (readonly [string, Operation])[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
  );

describe("GET /openapi.json", () => {
  it("is OpenAPI 3.1 and names every route and every shape", () => {
    expect(document.openapi).toBe("3.1.0");
    const isPage = (url: string): boolean => ["/docs", "/machines"].some((page) => url.startsWith(page));
    const own = rig.app.routeTable.entries().filter(({ url, method }) => !isPage(url) && method !== "HEAD");
    const wanted = own.map(({ method, url }) => `${method} ${url.replaceAll(/:(\w+)/g, "{$1}")}`).sort();
    expect(
      operations()
        .map(([name]) => name)
        .sort(),
    ).toEqual(wanted.map((name) => name.replace("/*", "/{path}")));
    expect(Object.keys(document.components.schemas)).toEqual(
      expect.arrayContaining(["Problem", "PeerHealth", "StateSnapshot", "State", "Conflict"]),
    );
  });

  it("T2: redocly lint has nothing to say, and every operation has a name of its own", () => {
    const folder = mkdtempSync(join(tmpdir(), "changeover-openapi-"));
    const file = join(folder, "openapi.json");
    writeFileSync(file, JSON.stringify(document));
    const { stdout, stderr, status } = spawnSync("npx", ["redocly", "lint", file, "--format=json"], {
      encoding: "utf8",
      env: { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" },
    });
    rmSync(folder, { recursive: true });
    expect(status, stderr).toBe(0);
    expect((JSON.parse(stdout) as { problems: unknown[] }).problems).toEqual([]);
    const ids = operations().map(([, { operationId }]) => operationId);
    expect(ids).toContain("getApiPeerHealth");
    expect(new Set(ids).size).toBe(ids.length);
  }, 60_000);

  it("gives every operation a summary, says which need a token, and which bodies may be left out", () => {
    for (const [name, operation] of operations()) expect(operation.summary, name).toBeTruthy();
    const open = operations().filter(([, { security }]) => security?.length === 0);
    expect(open).toHaveLength(10);
    const required = operations().flatMap(([name, { requestBody }]) => (requestBody?.required ? [name] : []));
    expect(required.sort()).toEqual([
      "POST /api/commands",
      "POST /api/conflicts/{id}/resolve",
      "POST /api/maintenance",
      "POST /api/pair/adopt",
      "POST /api/peer/stall",
      "POST /api/sync/state-snapshot",
      "POST /sync/compare",
      "POST /sync/push",
      "PUT /api/records/{entity}/{field}",
    ]);
  });

  it("says of every route what else it may answer, and of those with a body how that may be wrong", () => {
    for (const [name, { responses, requestBody }] of operations()) {
      if (/ \/(leader|follower|live|ready|api\/peer\/health)$/.test(name)) continue;
      const takesBody = requestBody !== undefined || /^(POST|PUT|PATCH|DELETE) \/engine/.test(name);
      const wanted = takesBody ? ["400", "413", "415", "default"] : ["default"];
      expect(Object.keys(responses), name).toEqual(expect.arrayContaining(wanted));
    }
  });

  it("names no schema that it does not hold", () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref);
    expect(refs.length).toBeGreaterThan(20);
    for (const ref of refs) {
      expect(Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`)).toContain(ref);
    }
  });
});

describe("answers", () => {
  const reads = () =>
    operations().filter(([name, { responses }]) => {
      const isOwn = name.startsWith("GET ") && !name.includes("{") && !name.includes("channel");
      return isOwn && responses["200"]?.content?.["application/json"] !== undefined;
    });

  it("have exactly the fields that the document says", async () => {
    expect(reads().length).toBeGreaterThan(12);
    for (const [name, { responses }] of reads()) {
      const schema = responses["200"]?.content?.["application/json"]?.schema as TSchema;
      const answer = await rig.get(name.slice("GET ".length));
      expect(conforms(document.components.schemas, schema, answer.json()), `${name}: ${answer.body}`).toBe(true);
    }
  });

  it("of writes as well", async () => {
    const writes = [
      ["POST", "/api/commands", { kind: "x", payload: 1 }],
      ["POST", "/api/handover", {}],
      ["POST", "/api/maintenance", { on: true }],
      ["POST", "/api/sync/reconcile-lock", {}],
    ] as const;
    for (const [method, path, body] of writes) {
      const schema =
        document.paths[path]?.[method.toLowerCase()]?.responses["200"]?.content?.["application/json"]?.schema;
      const answer = await rig.post(path, body);
      expect(conforms(document.components.schemas, schema as TSchema, answer.json()), `${path}: ${answer.body}`).toBe(
        true,
      );
    }
  });
});

describe("GET /docs", () => {
  it("is a page that asks no other host for anything", async () => {
    const page = await rig.get("/docs/");
    expect(page.statusCode).toBe(200);
    const assets = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? "");
    expect(assets.length).toBeGreaterThan(3);
    for (const asset of assets) {
      expect(asset).toMatch(/^\.\//);
      expect((await rig.get(`/docs/${asset.slice(2)}`)).statusCode, asset).toBe(200);
    }
    const policy = String(page.headers["content-security-policy"]);
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toMatch(/https:|validator|upgrade-insecure/);
  });
});
