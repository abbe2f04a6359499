/**
 * Reads the certificates and private keys that a configuration names.
 * What cannot be used stops the start with the path of the key; nothing of a private key is ever told.
 */
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { ClientTls } from "../adapters/http-client.ts";
import { fault, invalidConfiguration } from "../config/check.ts";
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
  const files = Object.entries({ ca, cert, key }).filter(([, file]) => file !== undefined);
  return files.length === 0 ? undefined : readAll(where, Object.fromEntries(files), suffix);
}

/**
 * What the connection to the witness trusts and shows; undefined where nothing is set.
 *
 * @throws ChangeoverError `invalid_configuration`
 */
export function witnessTls({ caFile, certFile, keyFile }: WitnessTlsConfig = {}): ClientTls | undefined {
  const files = Object.entries({ ca: caFile, cert: certFile, key: keyFile }).filter(([, file]) => file !== undefined);
  return clientTls("witness.tls", Object.fromEntries(files), "File");
}

/**
 * The authorities of the other engine of the pair, where it has a certificate of a private one.
 *
 * @throws ChangeoverError `invalid_configuration`
 */
export function peerAuthorities({ peer }: Pick<Config, "peer">): { readonly ca?: string } {
  return peer.ca === null ? {} : readAll("peer", { ca: peer.ca });
}

function readAll(where: string, files: ClientTlsConfig, suffix = ""): ClientTls {
  const read = Object.entries(files as Record<string, string>).map(([name, file]) => {
    return [name, readPem(`${where}.${name}${suffix}`, file)] as const;
  });
  const tls: ClientTls = Object.fromEntries(read);
  try {
    createSecureContext(tls);
  } catch {
    // OpenSSL's own words might quote the file.
    const bound = "its files must be PEM: certificates, and the private key that belongs to cert, without a passphrase";
    throw invalidConfiguration("tls", [fault(where, files, bound)]);
  }
  return tls;
}

function readPem(key: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable";
    throw invalidConfiguration("tls", [fault(key, file, `must be a file that this user can read (${code})`)]);
  }
}
