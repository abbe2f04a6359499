/** The page may listen to its own host and to the one peer of its engine, and to nobody else. */
import { expect, test } from "vitest";
import { pageHeaders } from "../../src/http/access.ts";

function connectSources(peerUrl: string | null): string[] {
  const policy = pageHeaders(peerUrl)["content-security-policy"] ?? "";
  return (/connect-src ([^;]*);/.exec(policy)?.[1] ?? "").split(" ");
}

test.each([
  [null, ["'self'"]],
  ["http://10.0.0.2:7402", ["'self'", "ws://10.0.0.2:7402"]],
  ["https://b.studio.example/behind/a/proxy?x=1;script-src", ["'self'", "wss://b.studio.example"]],
  // The policy has no word for such an address: the page stays with its own host.
  ["http://[::1]:7402", ["'self'"]],
])("peer %s", (peerUrl, sources) => {
  expect(connectSources(peerUrl)).toEqual(sources);
});
