/**
 * What must hold between the keys of federation and of TLS.
 * No secret stands in an address, and no two peers are one.
 */
import { sameHost } from "../core/loopback.ts";
import { accessInAddress, type Fault, fault } from "./check.ts";
import type { ClientTlsConfig, Config } from "./types.ts";

/** Names under which this engine keeps other places: its hub, and the other engine of its pair. */
const TAKEN_NAMES: readonly string[] = ["hub", "pair"];

export function federationFaults({ federation, replication, listen }: Config): Fault[] {
  const { peers } = federation;
  const { hub } = replication;
  const ofHub =
    hub === null
      ? []
      : [...endpointFaults("replication.hub.url", hub.url, listen), ...tlsFaults("replication.hub", hub.url, hub)];
  const ofPeers = peers.flatMap((peer, at) => {
    const key = `federation.peers[${at}]`;
    const before = peers.slice(0, at);
    return [
      ...nameFaults(key, peer.name, before),
      ...endpointFaults(`${key}.endpoint`, peer.endpoint, listen),
      ...tlsFaults(key, peer.endpoint, peer),
      ...(before.some(({ endpoint }) => endpoint === peer.endpoint)
        ? [fault(`${key}.endpoint`, peer.endpoint, "stands twice; each engine is one peer")]
        : []),
    ];
  });
  return [...ofHub, ...ofPeers];
}

function nameFaults(key: string, name: string, before: readonly { readonly name: string }[]): Fault[] {
  if (TAKEN_NAMES.includes(name)) return [fault(`${key}.name`, name, `must not be ${TAKEN_NAMES.join(" or ")}`)];
  const isTwice = before.some((other) => other.name === name);
  return isTwice ? [fault(`${key}.name`, name, "stands twice; names must differ")] : [];
}

function endpointFaults(key: string, endpoint: string, listen: Config["listen"]): Fault[] {
  if (!URL.canParse(endpoint)) return [fault(key, endpoint, "must be an address such as https://engine-a:7401")];
  const inAddress = accessInAddress(key, endpoint, "give its token as token: {env}");
  if (inAddress.length > 0) return inAddress;
  const { hostname, port, search, hash } = new URL(endpoint);
  if (search !== "" || hash !== "") return [fault(key, endpoint, "must have no query and no fragment")];
  const isOwn = listen.port !== 0 && Number(port) === listen.port && sameHost(hostname, listen.host);
  return isOwn ? [fault(key, endpoint, "is this engine's own address; must be another engine's")] : [];
}

function tlsFaults(key: string, url: string, { ca, cert, key: privateKey }: ClientTlsConfig): Fault[] {
  const given = Object.entries({ ca, cert, key: privateKey }).find(([, file]) => file !== undefined);
  if (given === undefined) return [];
  if (!url.startsWith("https:")) {
    return [fault(`${key}.${given[0]}`, given[1], "means nothing over http:; must be left out, or the address https:")];
  }
  if (cert !== undefined && privateKey === undefined) {
    return [fault(`${key}.key`, undefined, "missing; must be the file of the private key of cert")];
  }
  if (cert === undefined && privateKey !== undefined) {
    return [fault(`${key}.cert`, undefined, "missing; must be the file of the certificate of key")];
  }
  return [];
}
