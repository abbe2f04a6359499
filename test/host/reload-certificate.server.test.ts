/** A renewed certificate is served after a reload, by the same listener, without a restart. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { expect, it } from "vitest";
import { resolveConfig } from "../../src/config/load.ts";
import { startHost } from "../../src/host/start-host.ts";
import { PrivateAuthority } from "../support/private-authority.ts";
import { describeWithServer } from "../support/servers.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** The serial number of the certificate that is served at `url`. */
function servedSerial(url: string, ca: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((done, fail) => {
    const socket = connect({ host: hostname, port: Number(port), ca: readFileSync(ca) }, () => {
      done(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on("error", fail);
  });
}

describeWithServer("openssl", "a certificate", () => {
  it("is renewed by host.reload(), and a file that is none changes nothing", async () => {
    const folder = mkdtempSync(join(tmpdir(), "changeover-certificate-"));
    const authority = new PrivateAuthority(folder, "authority");
    const [first, second] = [authority.certify("first"), authority.certify("second")];
    const configFor = (tls: object) =>
      resolveConfig({
        pair: "certified",
        label: "a",
        listen: { port: 0, tls },
        dataDir: join(folder, "a"),
        peer: { links: [{ name: "red", url: "wss://127.0.0.1:1" }] },
        witness: { kind: "sqlite", file: join(folder, "witness.db") },
      });
    let now: object = first;
    const host = await startHost(configFor(first), {
      environment: {},
      logger: silent,
      readConfig: () => configFor(now),
    });
    try {
      const before = await servedSerial(host.url, authority.ca);
      expect(host.reload()).toEqual({ changed: [], needsRestart: [] });
      now = { cert: first.cert, key: join(folder, "nothing.key") };
      expect(() => host.reload()).toThrow(/listen\.tls\.key/);
      expect(await servedSerial(host.url, authority.ca)).toBe(before);
      now = second;
      expect(host.reload()).toEqual({ changed: ["listen.tls"], needsRestart: [] });
      expect(await servedSerial(host.url, authority.ca)).not.toBe(before);
    } finally {
      await host.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
