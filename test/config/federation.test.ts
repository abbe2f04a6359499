/** Federation and TLS in the configuration: what is taken, and how each fault is told. */
import { describe, expect, test } from "vitest";
import { resolveConfig } from "../../src/config/load.ts";
import type { ChangeoverError } from "../../src/core/errors.ts";

const MINIMAL = { pair: "studio-1", label: "a", peer: { links: [{ name: "red", url: "ws://127.0.0.1:7402" }] } };
const WEST = { name: "west", endpoint: "https://west-a:7401" };

const withPeers = (...peers: readonly object[]) => ({ ...MINIMAL, federation: { peers } });

function refusal(keys: unknown): string {
  try {
    resolveConfig(keys);
  } catch (error) {
    expect((error as ChangeoverError).code).toBe("invalid_configuration");
    return (error as ChangeoverError).message;
  }
  throw new Error("the configuration was taken");
}

test("what is left out has its default; a peer is asked", () => {
  const { federation, listen } = resolveConfig(withPeers(WEST));
  const peer = { ...WEST, mode: "sync" };
  expect(federation).toEqual({
    mode: "sync",
    intervalMs: 30_000,
    timeoutMs: 15_000,
    signatures: "auto",
    peers: [peer],
  });
  expect(listen.tls).toBeNull();
});

test("everything that may be said of a peer", () => {
  const files = { ca: "/etc/ca.pem", cert: "/etc/own.pem", key: "/etc/own.key" };
  const pin = { id: "eng_V1StGXR8", key: `sha256:${"0a".repeat(16)}` };
  const peer = { ...WEST, ...files, mode: "paused", token: { env: "WEST_TOKEN" }, pin };
  expect(resolveConfig(withPeers(peer)).federation.peers).toEqual([peer]);
});

test("the variables that tokens are read from are known", () => {
  const keys = withPeers({ ...WEST, token: { env: "CHANGEOVER_WEST" } });
  expect(resolveConfig(keys, { CHANGEOVER_WEST: "x" }).federation.peers).toHaveLength(1);
});

describe("what is refused, with the key, the value and the bound", () => {
  test.each<[string, object, RegExp]>([
    [
      "a mode that is none",
      { ...MINIMAL, federation: { mode: "push" } },
      /federation\.mode is "push": must be one of sync, publish, subscribe/,
    ],
    [
      "an interval below its bound",
      { ...MINIMAL, federation: { intervalMs: 10 } },
      /intervalMs is 10: must be a whole number from 1000/,
    ],
    [
      "a signature mode that is none",
      { ...MINIMAL, federation: { signatures: "on" } },
      /signatures is "on": must be one of off, auto, warn, enforce/,
    ],
    ["no endpoint", withPeers({ name: "west" }), /peers\[0\]\.endpoint: missing/],
    ["a name with a colon", withPeers({ ...WEST, name: "a:b" }), /peers\[0\]\.name is "a:b"/],
    ["a name that is taken", withPeers({ ...WEST, name: "hub" }), /peers\[0\]\.name is "hub": must not be hub or pair/],
    ["a name twice", withPeers(WEST, { ...WEST, endpoint: "https://x" }), /peers\[1\]\.name is "west": stands twice/],
    ["an endpoint twice", withPeers(WEST, { ...WEST, name: "x" }), /peers\[1\]\.endpoint .* stands twice/],
    ["another scheme", withPeers({ ...WEST, endpoint: "ftp://x" }), /peers\[0\]\.endpoint is "ftp:\/\/x"/],
    ["a query", withPeers({ ...WEST, endpoint: "https://x/?a" }), /must have no query/],
    ["its own address", withPeers({ ...WEST, endpoint: "http://localhost:7401" }), /is this engine's own address/],
    ["a pin that is no id", withPeers({ ...WEST, pin: { id: "west" } }), /peers\[0\]\.pin\.id is "west"/],
    ["a pin that is no fingerprint", withPeers({ ...WEST, pin: { key: "abc" } }), /peers\[0\]\.pin\.key is "abc"/],
    [
      "an authority without TLS",
      withPeers({ ...WEST, endpoint: "http://x", ca: "/c" }),
      /peers\[0\]\.ca is "\/c": means nothing over http/,
    ],
    ["a certificate without its key", withPeers({ ...WEST, cert: "/c" }), /peers\[0\]\.key: missing/],
    ["a key without its certificate", withPeers({ ...WEST, key: "/k" }), /peers\[0\]\.cert: missing/],
    ["TLS without a key", { ...MINIMAL, listen: { tls: { cert: "/c" } } }, /listen\.tls\.key: missing/],
  ])("%s", (_what, keys, told) => {
    expect(refusal(keys)).toMatch(told);
  });

  test("a password in an endpoint, which is not shown", () => {
    const told = refusal(withPeers({ ...WEST, endpoint: "https://ops:hush@x" }));
    expect(told).toMatch(/peers\[0\]\.endpoint is "https:\/\/\*\*\*@.*: must have no user or password/);
    expect(told).not.toContain("hush");
  });

  test("a password in the hub's address, which is not shown", () => {
    const told = refusal({ ...MINIMAL, replication: { hub: { url: "https://ops:hush@x" } } });
    expect(told).toMatch(/replication\.hub\.url is ".*\*\*\*@.*: must have no user or password/);
    expect(told).not.toContain("hush");
  });
});
