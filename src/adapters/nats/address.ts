/**
 * Reads an address of NATS (`outbox.url`, `witness.url`): `nats://[user:password@]host[:port][,host[:port]…]`, or
 * `tls://…`. Anything else is refused at start, naming the field. A password never appears in an error.
 */
import { ChangeoverError } from "../../core/errors.ts";

export interface NatsAddress {
  /** `host:port`, the servers of one cluster. */
  readonly servers: readonly string[];
  readonly tls: boolean;
  /** With a password a user, without one a token; null where the URL holds neither. */
  readonly user: string | null;
  readonly password: string | null;
}

/** What is read, and the key of the configuration that it stands under. */
interface Setting {
  readonly field: string;
  readonly url: string;
}

const URL_FORM = /^(nats|tls):\/\/(?:([^@/]*)@)?([^@/?#]+)\/?$/;
const HOST_FORM = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/;
const NATS_PORT = "4222";
const MAX_HOSTS = 32;

/** @throws ChangeoverError `invalid_configuration` naming the field, the value without its password, and the form */
export function parseNatsUrl(url: string, field = "outbox.url"): NatsAddress {
  const setting = { field, url };
  const form = URL_FORM.exec(url);
  const hosts = form?.[3]?.split(",") ?? [];
  if (form === null || hosts.length > MAX_HOSTS) throw invalid(setting);
  const servers = hosts.map((text) => {
    const host = HOST_FORM.exec(text);
    const port = Number(host?.[2] ?? NATS_PORT);
    if (host?.[1] === undefined || port < 1 || port > 65_535) throw invalid(setting);
    return `${host[1]}:${port}`;
  });
  return { servers, tls: form[1] === "tls", ...access(form[2] ?? "", setting) };
}

function access(userInfo: string, setting: Setting): Pick<NatsAddress, "user" | "password"> {
  const colon = userInfo.indexOf(":");
  try {
    const user = decodeURIComponent(colon < 0 ? userInfo : userInfo.slice(0, colon));
    const password = decodeURIComponent(colon < 0 ? "" : userInfo.slice(colon + 1));
    return { user: user || null, password: password || null };
  } catch {
    throw invalid(setting);
  }
}

function invalid({ field, url }: Setting): ChangeoverError {
  const bound = "nats://[user:password@]host:port, up to 32 hosts with commas between, tls:// for TLS";
  const at = url.lastIndexOf("@");
  const value = at < 0 ? url : `${/^[a-z]*:\/\//.exec(url)?.[0] ?? ""}***@${url.slice(at + 1)}`;
  return new ChangeoverError("invalid_configuration", `${field}: ${value} is not understood; expected ${bound}`, {
    details: { field, value, bound },
  });
}
