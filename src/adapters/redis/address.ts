/**
 * What a setting of Redis (`witness.url`, `outbox.url`) names: one Redis, the one that Sentinels point to, or a Cluster.
 * A form that cannot be meant is refused at start, naming the field; a password never appears in an error.
 */
import { ChangeoverError } from "../../core/errors.ts";
import { ReplyError } from "ioredis";
import { systemCodeReason, systemReason } from "../connection-reason.ts";

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

/** What is read, and the key of the configuration that it stands under. */
interface Setting {
  readonly field: string;
  readonly url: string;
}

const FORMS =
  "redis://host:port/db, redis+sentinel://host:port,host:port/NAME or redis+cluster://host:port,host:port (rediss… for TLS)";
const URL_FORM = /^redis(s?)(\+sentinel|\+cluster)?:\/\/(?:([^@/]*)@)?([^@/?#]+)(?:\/([^/?#]*))?$/;
const HOST_FORM = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/;
const REDIS_PORT = 6379;
const SENTINEL_PORT = 26379;
const MAX_HOSTS = 32;

/**
 * Reads the setting `field`. TLS is asked for by `rediss`, before `+sentinel` and `+cluster` too.
 *
 * @throws ChangeoverError `invalid_configuration` naming the field, the value without its password, and the forms
 */
export function parseRedisUrl(url: string, field = "witness.url"): RedisAddress {
  const setting = { field, url };
  const form = URL_FORM.exec(url);
  if (form === null) throw invalid(setting, FORMS);
  const [, secure, topology, userInfo, hosts = "", path = ""] = form;
  const access = { ...parseAccess(userInfo, setting), tls: secure === "s" };
  if (topology === undefined) {
    const [node, ...others] = parseHosts(hosts, REDIS_PORT, setting);
    if (node === undefined || others.length > 0) throw invalid(setting, "one host for redis://");
    if (!/^\d{0,5}$/.test(path)) throw invalid(setting, "a database number after the slash");
    return { kind: "single", ...access, node, db: Number(path) };
  }
  if (topology === "+sentinel") {
    if (path === "") throw invalid(setting, "the name that the Sentinels watch after the slash");
    return {
      kind: "sentinel",
      ...access,
      sentinels: parseHosts(hosts, SENTINEL_PORT, setting),
      name: decode(path, setting),
    };
  }
  if (path !== "" && path !== "0") throw invalid(setting, "database 0: a Redis Cluster has no other");
  return { kind: "cluster", ...access, nodes: parseHosts(hosts, REDIS_PORT, setting) };
}

function parseAccess(userInfo: string | undefined, setting: Setting): Pick<Access, "username" | "password"> {
  if (userInfo === undefined || userInfo === "") return { username: null, password: null };
  const colon = userInfo.indexOf(":");
  const [user, password] = colon < 0 ? [userInfo, ""] : [userInfo.slice(0, colon), userInfo.slice(colon + 1)];
  return { username: decode(user, setting) || null, password: decode(password, setting) || null };
}

function parseHosts(list: string, defaultPort: number, setting: Setting): HostPort[] {
  const hosts = list.split(",");
  if (hosts.length > MAX_HOSTS) throw invalid(setting, `at most ${MAX_HOSTS} hosts`);
  return hosts.map((text) => {
    const form = HOST_FORM.exec(text);
    const port = Number(form?.[2] ?? defaultPort);
    if (form?.[1] === undefined || port < 1 || port > 65_535)
      throw invalid(setting, "host:port with a port of 1 … 65535");
    return { host: form[1].replace(/^\[|\]$/g, ""), port };
  });
}

function decode(text: string, setting: Setting): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(setting, "percent signs written as %25");
  }
}

function invalid({ field, url }: Setting, bound: string): ChangeoverError {
  const value = withoutSecrets(url);
  return new ChangeoverError("invalid_configuration", `${field}: ${value} is not understood; expected ${bound}`, {
    details: { field, value, bound },
  });
}

/** Drops everything between the scheme and the last `@`: a password may itself hold any sign. */
function withoutSecrets(url: string): string {
  const at = url.lastIndexOf("@");
  if (at < 0) return url;
  const scheme = /^[a-z+]*:\/\//.exec(url)?.[0] ?? "";
  return `${scheme}***@${url.slice(at + 1)}`;
}

// Why Redis gave no answer, in words that are safe to log and to show. Nothing of the error's own text gets out, since
// it may hold a host, a key, an argument or a password.

/** By the first word of an error reply: the server's own code. */
const REPLIES: Readonly<Record<string, string>> = {
  NOAUTH: "password required",
  WRONGPASS: "wrong password",
  NOPERM: "not permitted to this user",
  DENIED: "the server is in protected mode",
  READONLY: "the server is a replica",
  MASTERDOWN: "the server is a replica without its source",
  NOREPLICAS: "too few replicas",
  MISCONF: "the server cannot write to its disk",
  OOM: "the server is out of memory",
  LOADING: "the server is loading its data",
  BUSY: "the server is busy with a script",
  CLUSTERDOWN: "the cluster is down",
  MOVED: "the cluster is moving the key",
  ASK: "the cluster is moving the key",
  TRYAGAIN: "the cluster is moving the key",
  WRONGTYPE: "a key of the pair is not changeover's",
};

/** Whether the server itself answered with an error: then nothing was done (see `redis-witness.ts`). */
export function isErrorReply(error: unknown): boolean {
  return error instanceof ReplyError;
}

/** The server's code of an error reply (`NOSCRIPT`, `READONLY`); the empty text for anything else. */
export function replyCode(error: unknown): string {
  return isErrorReply(error) ? ((error as Error).message.split(" ", 1)[0] ?? "") : "";
}

/** Safe words for `error`. */
export function reasonOf(error: unknown): string {
  if (isErrorReply(error)) return replyReason(replyCode(error)) ?? "the server refused the call";
  if (!(error instanceof Error)) return "connection failed";
  const reason = systemReason(error);
  if (reason !== null) return reason;
  if (error.message.startsWith("Socket timeout")) return "no answer on the connection";
  if (error.message.startsWith("All sentinels are unreachable")) return sentinelReason(error.message);
  return "connection closed";
}

/** Ours and the server's own word for it, for people who search the web for the latter. */
function replyReason(code: string): string | null {
  const reason = REPLIES[code];
  return reason === undefined ? null : `${reason} (${code})`;
}

/** ioredis gives the last Sentinel's failure only as text: its code is looked for, the rest stays out. */
function sentinelReason(message: string): string {
  const words = message.match(/\b[A-Z][A-Z_]+\b/g) ?? [];
  const known = words.map((word) => replyReason(word) ?? systemCodeReason(word)).find((reason) => reason !== null);
  if (known !== undefined) return `no Sentinel answers: ${known}`;
  return /certificate|SSL|TLS/.test(message) ? "no Sentinel answers: TLS refused" : "no Sentinel knows the server";
}
