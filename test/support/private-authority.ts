/** A private certificate authority in a folder, by openssl: for tests of TLS between engines on loopback. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { requireServer } from "./servers.ts";

/** Files, PEM. */
export interface Certified {
  readonly cert: string;
  readonly key: string;
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

export class PrivateAuthority {
  /** Its own certificate. */
  readonly ca: string;
  readonly #key: string;
  readonly #folder: string;
  readonly #name: string;

  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
    this.ca = join(folder, `${name}.pem`);
    this.#key = join(folder, `${name}.key`);
    openssl("req", "-x509", ...NEW_KEY, "-days", "2", "-subj", `/CN=${name}`, "-keyout", this.#key, "-out", this.ca);
  }

  /** A certificate for 127.0.0.1, as server and as client. */
  certify(whom: string): Certified {
    const file = (ending: string): string => join(this.#folder, `${this.#name}-${whom}.${ending}`);
    const [cert, key, request, extensions] = ["pem", "key", "csr", "ext"].map(file) as [string, string, string, string];
    writeFileSync(extensions, "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n");
    openssl("req", ...NEW_KEY, "-subj", `/CN=${whom}`, "-keyout", key, "-out", request);
    const signing = ["-CA", this.ca, "-CAkey", this.#key, "-CAcreateserial", "-days", "2", "-extfile", extensions];
    openssl("x509", "-req", "-in", request, ...signing, "-out", cert);
    return { cert, key };
  }
}

function openssl(...args: readonly string[]): void {
  execFileSync(requireServer("openssl"), args, { stdio: ["ignore", "ignore", "pipe"] });
}
