/**
 * Remembers every route as it is registered: who may call it, and which methods a path knows.
 * What it says is what Fastify routes by, since both hear of a route at the same moment.
 */
import type { Access } from "./access.ts";

/** Everything under `/api` also answers here: for clients that put the version of an API into its path. */
const VERSIONED = "/api/v1/";

/**
 * The address by which a route is known: `/api/v1/state` is `/api/state`, and so is `http://host/api/state`, as a request to
 * a proxy names it [RFC 9112, 3.2.2]. `url` may carry a query.
 */
export function canonicalUrl(url: string): string {
  const path = /^https?:\/\/[^/?#]*(\/.*)$/i.exec(url)?.[1] ?? url;
  return path.startsWith(VERSIONED) ? `/api/${path.slice(VERSIONED.length)}` : path;
}

export interface RouteEntry {
  readonly method: string;
  /** As registered: `/api/sync/reconcile-lock/:lockId`, `/engine/*`. */
  readonly url: string;
  readonly access: Access;
}

export class RouteTable {
  readonly #entries: RouteEntry[] = [];

  add(methods: string | readonly string[], url: string, access: Access): void {
    for (const method of [methods].flat()) this.#entries.push({ method, url, access });
  }

  entries(): readonly RouteEntry[] {
    return this.#entries;
  }

  /** The methods that a path knows, sorted; none for an unknown path. `path` may carry a query. */
  methodsAt(path: string): readonly string[] {
    const asked = path.split("?", 1)[0] ?? "";
    const methods = new Set(this.#entries.filter(({ url }) => matches(url, asked)).map(({ method }) => method));
    // Fastify does not tell of a plugin's second address with a slash at its end, but of its HEAD.
    if (methods.has("HEAD")) methods.add("GET");
    return [...methods].sort();
  }
}

function matches(url: string, path: string): boolean {
  const wanted = url.split("/");
  const given = path.split("/");
  if (wanted.at(-1) === "*") return given.length >= wanted.length && wanted.slice(0, -1).every(sameAs(given));
  return wanted.length === given.length && wanted.every(sameAs(given));
}

const sameAs = (given: readonly string[]) => (segment: string, at: number) =>
  segment === given[at] || (segment.startsWith(":") && given[at] !== "");
