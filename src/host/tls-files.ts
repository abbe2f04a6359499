/**
 * Reads the certificates and private keys that a configuration names.
 * What cannot be used stops the start with the path of the key; nothing of a private key is ever told.
 */
import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { ClientTls } from "../adapters/http-client.ts";
import { type Fault, fault, invalidConfiguration } from "../config/check.ts";
import { readSmallFile } from "../config/small-file.ts";
import type { ClientTlsConfig, Config, ListenTlsConfig, WitnessTlsConfig } from "../config/types.ts";

/** PEM text that an HTTPS server is made of. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  /** Authorities of callers; left out: no certificate is asked of anybody. */
  readonly ca?: string;
}

/**
 * What the server side needs; null where HTTP is served.
 *
 * @throws ChangeoverError `invalid_configuration`
 */
export function serverTls(files: ListenTlsConfig | null): ServerTls | null {
  return files === null ? null : (readAll("listen.tls", files) as ServerTls);
}

/**
 * What the client side needs; undefined where nothing is set. `where` is the path of the section, `suffix` what its keys
 * end in.
 *
 * @throws ChangeoverError `invalid_configuration`
 */
export function clientTls(where: string, { ca, cert, key }: ClientTlsConfig, suffix = ""): ClientTls | undefined {
  const files = given({ ca, cert, key });
  return Object.keys(files).length === 0 ? undefined : readAll(where, files, suffix);
}

/**
 * What the connection to the witness trusts and shows; undefined where nothing is set.
 *
 * @throws ChangeoverError `invalid_configuration`
 */
export function witnessTls(files?: WitnessTlsConfig): ClientTls | undefined {
  return clientTls("witness.tls", withoutSuffix(files), "File");
}

/**
 * The authorities of the other engine of the pair, where it has a certificate of a private one.
 *
 * @throws ChangeoverError `invalid_configuration`
 */
export function peerAuthorities({ peer }: Pick<Config, "peer">): { readonly ca?: string } {
  return peer.ca === null ? {} : readAll("peer", { ca: peer.ca });
}

/**
 * Reads every file of TLS that the configuration names, so that `config check` finds what would stop a start.
 *
 * @throws ChangeoverError `invalid_configuration` with all that is wrong
 */
export function checkTlsFiles(config: Config): void {
  const { listen, peer, witness, replication, outbox, federation } = config;
  const sections: readonly [where: string, files: ClientTlsConfig, suffix?: string][] = [
    ["listen.tls", listen.tls ?? {}],
    ["peer", given({ ca: peer.ca ?? undefined })],
    ["witness.tls", "tls" in witness ? withoutSuffix(witness.tls) : {}, "File"],
    ["replication.hub", replication.hub ?? {}],
    ["outbox", "tls" in outbox ? outbox.tls : {}],
    ...federation.peers.map((site, at) => [`federation.peers[${at}]`, site] as [string, ClientTlsConfig]),
  ];
  const faults = sections.flatMap(([where, { ca, cert, key }, suffix]) => {
    const files = given({ ca, cert, key });
    return Object.keys(files).length === 0 ? [] : read(where, files, suffix).faults;
  });
  if (faults.length > 0) throw invalidConfiguration("tls", faults);
}

function withoutSuffix({ caFile, certFile, keyFile }: WitnessTlsConfig = {}): ClientTlsConfig {
  return given({ ca: caFile, cert: certFile, key: keyFile });
}

/** Without what is undefined. */
function given(
  files: Readonly<Record<keyof ClientTlsConfig, string | undefined>> | { readonly ca?: string | undefined },
) {
  return Object.fromEntries(Object.entries(files).filter(([, file]) => file !== undefined)) as ClientTlsConfig;
}

function readAll(where: string, files: ClientTlsConfig, suffix = ""): ClientTls {
  const { tls, faults } = read(where, files, suffix);
  if (faults.length > 0) throw invalidConfiguration("tls", faults);
  return tls;
}

function read(where: string, files: ClientTlsConfig, suffix = ""): { tls: ClientTls; faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const texts: Record<string, string> = {};
  for (const [name, file] of Object.entries(files as Record<string, string>)) {
    try {
      texts[name] = readSmallFile(file).toString();
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "unreadable";
      faults.push(fault(`${where}.${name}${suffix}`, file, `must be a file that this user can read (${code})`));
    }
  }
  const tls: ClientTls = texts;
  if (faults.length > 0) return { tls, faults };
  try {
    // OpenSSL takes a file without any certificate for an empty list of authorities.
    for (const text of [tls.ca, tls.cert]) if (text !== undefined) new X509Certificate(text);
    createSecureContext(tls);
  } catch {
    // OpenSSL's own words might quote the file.
    const bound = "its files must be PEM: certificates, and the private key that belongs to cert, without a passphrase";
    const named = Object.entries(files).map(([name, file]) => [`${name}${suffix}`, file as string]);
    faults.push(fault(where, Object.fromEntries(named), bound));
  }
  return { tls, faults };
}
