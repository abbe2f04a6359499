/** Purpose: HTTP addresses that follow from a configuration. */
import type { Config } from "../config/types.ts";

/** `ws://host:port/…` as `http://host:port`, `wss:` as `https:`. */
export function httpAddress(link: string): string {
  const { protocol, host } = new URL(link);
  return `${protocol === "wss:" ? "https" : "http"}://${host}`;
}

/** Where clients find the peer: as configured, else where the first link leads. */
export function peerAddress({ peer }: Config): string | null {
  const [first] = peer.links;
  return peer.url ?? (first === undefined ? null : httpAddress(first.url));
}

/** Where a listener on `host` and `port` is found. */
export function listenAddress(host: string, port: number, scheme: "http" | "https" = "http"): string {
  return `${scheme}://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
}
