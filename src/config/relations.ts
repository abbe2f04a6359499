/**
 * Purpose: what must hold between keys: the timings that keep the protocol safe [VT6], access on a public address, and
 * what this version does not have.
 * Keeps true: a key is never accepted and then without effect.
 */
import { isLoopback } from "../core/loopback.ts";
import { brokenRelations } from "../core/settings.ts";
import { type Fault, fault } from "./fault.ts";
import type { ConfigInput } from "./schema.ts";
import type { Config } from "./types.ts";

/** Every relation that the configuration breaks. */
export function relationFaults(config: Config): Fault[] {
  return [
    ...brokenRelations(config.failover).map(({ key, value, bound, why }) =>
      fault(key, value, `must be ${bound}: ${why}`),
    ),
    ...linkFaults(config),
    ...repeated(
      config.auth.tokens.map(({ name }) => name),
      "auth.tokens",
    ),
    ...repeated(
      config.changeover.map(({ name }) => name),
      "changeover",
    ),
    ...accessFaults(config),
  ];
}

/** What belongs to a later version: anything but its inert default is refused, so that nobody relies on it. */
export function laterStageFaults(input: ConfigInput): Fault[] {
  const faults: Fault[] = [];
  if (input.federation.mode !== "sync") {
    faults.push(fault("federation.mode", input.federation.mode, "this version has no federation; must be sync"));
  }
  if (input.federation.peers.length > 0) {
    faults.push(fault("federation.peers", undefined, "this version has no federation; must be an empty list"));
  }
  return faults;
}

function linkFaults({ peer, listen }: Config): Fault[] {
  const names = peer.links.map(({ name }) => name);
  const own = peer.links.flatMap(({ url }, at) => {
    const { hostname, port } = new URL(url);
    const isOwn = listen.port !== 0 && Number(port) === listen.port && sameHost(hostname, listen.host);
    return isOwn
      ? [fault(`peer.links[${at}].url`, url, "is this engine's own address; must be the other engine's")]
      : [];
  });
  return [...repeated(names, "peer.links"), ...own];
}

function accessFaults({ listen, auth }: Config): Fault[] {
  if (isLoopback(listen.host) || auth.tokens.length > 0) return [];
  return [
    fault(
      "listen.host",
      listen.host,
      "an address that others can reach needs auth.tokens (one of role peer and one of role operator); or listen on 127.0.0.1",
    ),
  ];
}

function repeated(names: readonly string[], key: string): Fault[] {
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  return twice === undefined ? [] : [fault(key, twice, "stands twice; names must differ")];
}

function sameHost(one: string, other: string): boolean {
  return one === other || (isLoopback(one) && isLoopback(other));
}
