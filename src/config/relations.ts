/**
 * What must hold between keys: the timings that keep the protocol safe [VT6], and access on a
 * public address.
 * A key is never accepted and then without effect.
 */
import { isLoopback, sameHost } from "../core/loopback.ts";
import { brokenRelations } from "../core/settings.ts";
import { accessInAddress, type Fault, fault } from "./check.ts";
import { federationFaults } from "./federation-relations.ts";
import type { Config } from "./types.ts";

/** Every relation that the configuration breaks. */
export function relationFaults(config: Config): Fault[] {
  return [
    ...brokenRelations(config.failover).map(({ key, value, bound, why }) =>
      fault(key, value, `must be ${bound}: ${why}`),
    ),
    ...switchBackFaults(config),
    ...linkFaults(config),
    ...hookFaults(config),
    ...execFaults(config),
    ...witnessFaults(config),
    ...repeated(
      config.auth.tokens.map(({ name }) => name),
      "auth.tokens",
    ),
    ...repeated(
      config.changeover.map(({ name }) => name),
      "changeover",
    ),
    ...accessFaults(config),
    ...originFaults(config),
    ...federationFaults(config),
  ];
}

function switchBackFaults({ failover: { switchBack, preferred } }: Config): Fault[] {
  if (switchBack === "never" || preferred !== "none") return [];
  return [
    fault("failover.switchBack", switchBack, "needs failover.preferred: a or b, the engine that gets the role back"),
  ];
}

function linkFaults({ peer, listen }: Config): Fault[] {
  const names = peer.links.map(({ name }) => name);
  const ofUrls = peer.links.flatMap(({ url }, at) => linkUrlFaults(peer.links, at, url, listen));
  return [...repeated(names, "peer.links"), ...ofUrls, ...peerFaults(peer)];
}

function linkUrlFaults(links: Config["peer"]["links"], at: number, url: string, listen: Config["listen"]): Fault[] {
  const key = `peer.links[${at}].url`;
  const inAddress = accessInAddress(key, url, "engines know each other by a token of role peer in auth.tokens");
  if (inAddress.length > 0) return inAddress;
  // `check.ts` has found every address that is none.
  const { hostname, port, host, search, hash } = new URL(url);
  if (search !== "" || hash !== "") return [fault(key, url, "must have no query and no fragment")];
  if (listen.port !== 0 && Number(port) === listen.port && sameHost(hostname, listen.host)) {
    return [fault(key, url, "is this engine's own address; must be the other engine's")];
  }
  const first = links.slice(0, at).find((link) => new URL(link.url).host === host);
  if (first === undefined) return [];
  return [
    fault(
      key,
      url,
      `stands twice: link "${first.name}" leads there too; name the address on another network, or remove it`,
    ),
  ];
}

function peerFaults({ links, url, ca }: Config["peer"]): Fault[] {
  const isSecure = [...links.map((link) => link.url), url ?? ""].some((address) => /^(wss|https):/.test(address));
  return [
    ...(url === null ? [] : accessInAddress("peer.url", url, "clients are told it; each shows a token of its own")),
    ...(ca === null || isSecure ? [] : [fault("peer.ca", ca, "needs a link whose url begins with wss:")]),
  ];
}

/** Nothing sends what stands before the host of these addresses, and answers and logs would show it. */
function hookFaults({ engine, changeover }: Config): Fault[] {
  const ofEngine =
    engine.kind === "http"
      ? accessInAddress("engine.baseUrl", engine.baseUrl, "give the engine's token as engine.token: {env}")
      : [];
  const ofTargets = changeover.flatMap((target, at) =>
    target.kind === "http"
      ? accessInAddress(`changeover[${at}].url`, target.url, "a device that asks for one needs a target of kind exec")
      : [],
  );
  return [...ofEngine, ...ofTargets];
}

const EXEC_KEYS = [
  ...(["notify", "notifyLeader", "notifyFollower", "execute", "snapshot", "restore", "health"] as const),
  ...(["track", "pidFile"] as const),
];

/** Without a script nobody would drive the engine, or hear of its death. */
function execFaults({ engine }: Config): Fault[] {
  if (engine.kind !== "exec" || EXEC_KEYS.some((key) => engine[key] !== undefined)) return [];
  const remedy = `name one in ${EXEC_KEYS.join(", ")}, or give another kind`;
  return [fault("engine.kind", engine.kind, `needs at least one script: ${remedy}`)];
}

/** A key of the witness that would have no effect, or half of one. */
function witnessFaults({ witness }: Config): Fault[] {
  if (witness.kind !== "redis" && witness.kind !== "nats") return [];
  const faults: Fault[] = [];
  const { tls = {}, user, password, url } = witness;
  const file = (["caFile", "certFile", "keyFile"] as const).find((key) => tls[key] !== undefined);
  if (file !== undefined && !/^(rediss|tls)/.test(url)) {
    const scheme = witness.kind === "redis" ? "rediss" : "tls";
    faults.push(fault(`witness.tls.${file}`, tls[file], `needs a witness.url that begins with ${scheme}`));
  }
  if ((tls.certFile === undefined) !== (tls.keyFile === undefined)) {
    faults.push(fault("witness.tls.certFile", tls.certFile, "must be given together with witness.tls.keyFile"));
  }
  if (user !== undefined && password === undefined) {
    faults.push(fault("witness.user", user, "needs witness.password: {env: NAME} or {file: PATH}"));
  }
  if (witness.kind === "redis" && witness.sentinelPassword !== undefined && !url.includes("+sentinel:")) {
    faults.push(fault("witness.sentinelPassword", undefined, "needs a witness.url that begins with redis+sentinel"));
  }
  return faults;
}

/** Without a peer token anyone on the network could speak as the other engine; without an operator token nobody can act. */
function accessFaults({ listen, auth }: Config): Fault[] {
  if (isLoopback(listen.host)) return [];
  const missing = (["peer", "operator"] as const).filter((role) => !auth.tokens.some((token) => token.role === role));
  if (missing.length === 0) return [];
  const needed = missing.map((role) => `one of role ${role}`).join(" and ");
  return [
    fault(
      "listen.host",
      listen.host,
      `an address that others can reach needs ${needed} in auth.tokens; or listen on 127.0.0.1`,
    ),
  ];
}

/** Origins are compared as text: one that no browser sends like this would never match. */
function originFaults({ http }: Config): Fault[] {
  return http.cors.origins.flatMap((origin, at) => {
    const sent = URL.canParse(origin) ? new URL(origin).origin : "https://panel.example:8443";
    return sent === origin ? [] : [fault(`http.cors.origins[${at}]`, origin, `must be as browsers send it: ${sent}`)];
  });
}

function repeated(names: readonly string[], key: string): Fault[] {
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  return twice === undefined ? [] : [fault(key, twice, "stands twice; names must differ")];
}
