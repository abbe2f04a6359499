/**
 * Purpose: what `witness.url` names: one Redis, the one that Sentinels point to, or a Cluster.
 * Keeps true: a form that cannot be meant is refused at start, naming the field; a password never appears in an error.
 */
import { ChangeoverError } from "../../core/errors.ts";

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

interface Access {
  readonly username: string | null;
  readonly password: string | null;
  readonly tls: boolean;
}

/** `single`: `redis://[user:password@]host[:port][/db]`. */
export interface SingleAddress extends Access {
  readonly kind: "single";
  readonly node: HostPort;
  readonly db: number;
}

/** `sentinel`: `redis+sentinel://[user:password@]host[:port],host[:port]/NAME`; NAME is what the Sentinels watch. */
export interface SentinelAddress extends Access {
  readonly kind: "sentinel";
  readonly sentinels: readonly HostPort[];
  readonly name: string;
}

/** `cluster`: `redis+cluster://[user:password@]host[:port],host[:port]`. */
export interface ClusterAddress extends Access {
  readonly kind: "cluster";
  readonly nodes: readonly HostPort[];
}

export type RedisAddress = SingleAddress | SentinelAddress | ClusterAddress;

const FORMS =
  "redis://host:port/db, redis+sentinel://host:port,host:port/NAME or redis+cluster://host:port,host:port (rediss… for TLS)";
const URL_FORM = /^redis(s?)(\+sentinel|\+cluster)?:\/\/(?:([^@/]*)@)?([^@/?#]+)(?:\/([^/?#]*))?$/;
const HOST_FORM = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/;
const REDIS_PORT = 6379;
const SENTINEL_PORT = 26379;
const MAX_HOSTS = 32;

/**
 * Reads `witness.url`. TLS is asked for by `rediss`, before `+sentinel` and `+cluster` too.
 *
 * @throws ChangeoverError `invalid_configuration` naming the field, the value without its password, and the forms
 */
export function parseRedisUrl(url: string): RedisAddress {
  const form = URL_FORM.exec(url);
  if (form === null) throw invalid(url, FORMS);
  const [, secure, topology, userInfo, hosts = "", path = ""] = form;
  const access = { ...parseAccess(userInfo, url), tls: secure === "s" };
  if (topology === undefined) {
    const [node, ...others] = parseHosts(hosts, REDIS_PORT, url);
    if (node === undefined || others.length > 0) throw invalid(url, "one host for redis://");
    if (!/^\d{0,5}$/.test(path)) throw invalid(url, "a database number after the slash");
    return { kind: "single", ...access, node, db: Number(path) };
  }
  if (topology === "+sentinel") {
    if (path === "") throw invalid(url, "the name that the Sentinels watch after the slash");
    return { kind: "sentinel", ...access, sentinels: parseHosts(hosts, SENTINEL_PORT, url), name: decode(path, url) };
  }
  if (path !== "" && path !== "0") throw invalid(url, "database 0: a Redis Cluster has no other");
  return { kind: "cluster", ...access, nodes: parseHosts(hosts, REDIS_PORT, url) };
}

function parseAccess(userInfo: string | undefined, url: string): Pick<Access, "username" | "password"> {
  if (userInfo === undefined || userInfo === "") return { username: null, password: null };
  const colon = userInfo.indexOf(":");
  const [user, password] = colon < 0 ? [userInfo, ""] : [userInfo.slice(0, colon), userInfo.slice(colon + 1)];
  return { username: decode(user, url) || null, password: decode(password, url) || null };
}

function parseHosts(list: string, defaultPort: number, url: string): HostPort[] {
  const hosts = list.split(",");
  if (hosts.length > MAX_HOSTS) throw invalid(url, `at most ${MAX_HOSTS} hosts`);
  return hosts.map((text) => {
    const form = HOST_FORM.exec(text);
    const port = Number(form?.[2] ?? defaultPort);
    if (form?.[1] === undefined || port < 1 || port > 65_535) throw invalid(url, "host:port with a port of 1 … 65535");
    return { host: form[1].replace(/^\[|\]$/g, ""), port };
  });
}

function decode(text: string, url: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(url, "percent signs written as %25");
  }
}

function invalid(url: string, bound: string): ChangeoverError {
  const value = withoutSecrets(url);
  return new ChangeoverError("invalid_configuration", `witness.url: ${value} is not understood; expected ${bound}`, {
    details: { field: "witness.url", value, bound },
  });
}

/** Drops everything between the scheme and the last `@`: a password may itself hold any sign. */
function withoutSecrets(url: string): string {
  const at = url.lastIndexOf("@");
  if (at < 0) return url;
  const scheme = /^[a-z+]*:\/\//.exec(url)?.[0] ?? "";
  return `${scheme}***@${url.slice(at + 1)}`;
}
