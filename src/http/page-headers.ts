/**
 * Purpose: what a browser is told of the page, so that it can do nothing but show itself, speak to its own host, and
 * listen to the one peer that this engine is configured with.
 */

/** @param peerUrl the peer's HTTP surface, whose stream the page may go over to; null: it may go nowhere else */
export function pageHeaders(peerUrl: string | null): Readonly<Record<string, string>> {
  const connect = ["'self'", ...peerStream(peerUrl)].join(" ");
  return {
    "content-security-policy":
      `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src ${connect}; ` +
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
  };
}

/** WebSocket alone: nothing is ever asked or written there. The policy has no word for an IPv6 address. */
function peerStream(peerUrl: string | null): string[] {
  if (peerUrl === null) return [];
  const { protocol, host } = new URL(peerUrl);
  return host.startsWith("[") ? [] : [`${protocol === "https:" ? "wss" : "ws"}://${host}`];
}
