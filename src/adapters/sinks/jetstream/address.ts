/**
 * Purpose: what `outbox.url` names for NATS: `nats://[user:password@]host[:port][,host[:port]…]`, or `tls://…`.
 * Keeps true: a form that cannot be meant is refused at start, naming the field; a password never appears in an error.
 */
import { ChangeoverError } from "../../../core/errors.ts";

export interface NatsAddress {
  /** `host:port`, the servers of one cluster. */
  readonly servers: readonly string[];
  readonly tls: boolean;
  /** With a password a user, without one a token; null where the URL holds neither. */
  readonly user: string | null;
  readonly password: string | null;
}

const URL_FORM = /^(nats|tls):\/\/(?:([^@/]*)@)?([^@/?#]+)\/?$/;
const HOST_FORM = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/;
const NATS_PORT = "4222";
const MAX_HOSTS = 32;

/** @throws ChangeoverError `invalid_configuration` naming the field, the value without its password, and the form */
export function parseNatsUrl(url: string): NatsAddress {
  const form = URL_FORM.exec(url);
  const hosts = form?.[3]?.split(",") ?? [];
  if (form === null || hosts.length > MAX_HOSTS) throw invalid(url);
  const servers = hosts.map((text) => {
    const host = HOST_FORM.exec(text);
    const port = Number(host?.[2] ?? NATS_PORT);
    if (host?.[1] === undefined || port < 1 || port > 65_535) throw invalid(url);
    return `${host[1]}:${port}`;
  });
  return { servers, tls: form[1] === "tls", ...access(form[2] ?? "", url) };
}

function access(userInfo: string, url: string): Pick<NatsAddress, "user" | "password"> {
  const colon = userInfo.indexOf(":");
  try {
    const user = decodeURIComponent(colon < 0 ? userInfo : userInfo.slice(0, colon));
    const password = decodeURIComponent(colon < 0 ? "" : userInfo.slice(colon + 1));
    return { user: user || null, password: password || null };
  } catch {
    throw invalid(url);
  }
}

function invalid(url: string): ChangeoverError {
  const bound = "nats://[user:password@]host:port, up to 32 hosts with commas between, tls:// for TLS";
  const at = url.lastIndexOf("@");
  const value = at < 0 ? url : `${/^[a-z]*:\/\//.exec(url)?.[0] ?? ""}***@${url.slice(at + 1)}`;
  return new ChangeoverError("invalid_configuration", `outbox.url: ${value} is not understood; expected ${bound}`, {
    details: { field: "outbox.url", value, bound },
  });
}
