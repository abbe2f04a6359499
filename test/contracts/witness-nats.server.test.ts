/** The witness in a real NATS against the contract, also as a user with few rights, and what it answers under faults. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { NatsWitness, type NatsWitnessInit } from "../../src/adapters/nats-witness.ts";
import { SystemClock } from "../../src/adapters/basics.ts";
import { makeId } from "../../src/core/ids.ts";
import { type NatsServer, startNats } from "../support/nats-server.ts";
import { describeWithServer, requireServer } from "../support/servers.ts";
import { aRecord, witnessContract, type WitnessUnderTest } from "../../src/testing/witness-contract.ts";
import { runContract } from "./run-contract.ts";

/** Longer than the 150 ms of real life: these tests ask what is answered, on a machine that may be loaded. */
const TIMEOUT_MS = 5_000;
const SHORT_MS = 300;

/** A user with the rights that `docs/integrations.md` asks for, and one who administers. */
const RIGHTS = `
authorization {
  users = [
    { user: admin, password: admin }
    { user: changeover, password: "se:cret", permissions: {
      publish: [ "$JS.API.STREAM.INFO.KV_few", "$JS.API.STREAM.CREATE.KV_few", "$JS.API.STREAM.MSG.GET.KV_few", "$KV.few.>" ]
      subscribe: [ "_INBOX.>" ]
    } }
  ]
}
`;

let pairs = 0;

function open(init: Partial<NatsWitnessInit> & { readonly url: string }): NatsWitness {
  return new NatsWitness({ clock: new SystemClock() }, { pair: "studio-1", timeoutMs: TIMEOUT_MS, ...init });
}

/** A pair of its own in a bucket. */
async function onServer(url: string, bucket: string, admin: NatsConnection): Promise<WitnessUnderTest> {
  pairs += 1;
  const name = `pair.${pairs}`;
  const manager = await jetstreamManager(admin, { checkAPI: false });
  const clients: NatsWitness[] = [];
  return {
    connect: () => {
      const client = open({ url, bucket, pair: name });
      clients.push(client);
      return client;
    },
    pass: async (ms) => delay(ms),
    forget: async () => void (await manager.streams.delete(`KV_${bucket}`)),
    scribble: async (text) => {
      admin.publish(`$KV.${bucket}.pair=2E${pairs}.record`, text);
      await admin.flush();
    },
    end: async () => void (await Promise.all(clients.map(async (client) => client.close()))),
  };
}

describeWithServer("nats-server", "witness in NATS", () => {
  let server: NatsServer;
  let admin: NatsConnection;
  let dir: string;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "changeover-nats-rights-"));
    const config = join(dir, "nats.conf");
    writeFileSync(config, RIGHTS);
    server = await startNats({ args: ["--config", config] });
    admin = await connect({ servers: `127.0.0.1:${server.port}`, user: "admin", pass: "admin" });
  });
  afterAll(async () => {
    await admin.close();
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  runContract(
    "witness contract: nats",
    witnessContract(async () => onServer(server.url.replace("//", "//admin:admin@"), "many", admin)),
  );
  runContract(
    "witness contract: nats, as a user with few rights",
    witnessContract(async () => onServer(server.url.replace("//", "//changeover:se%3Acret@"), "few", admin)),
  );

  it("says in safe words that a password is wrong, that a right is missing, and that nobody listens", async () => {
    const wrong = open({ url: server.url.replace("//", "//admin:hunter2@") });
    await expect
      .poll(async () => wrong.read())
      .toEqual({ outcome: "unreachable", reason: "wrong user or password (Authorization Violation)" });
    const few = open({ url: server.url.replace("//", "//changeover:se%3Acret@"), bucket: "other" });
    await expect.poll(async () => few.read()).toEqual({ outcome: "unreachable", reason: "not permitted to this user" });
    const nobody = open({ url: "nats://127.0.0.1:1" });
    await expect.poll(async () => nobody.read()).toEqual({ outcome: "unreachable", reason: "connection refused" });
    await Promise.all([wrong.close(), few.close(), nobody.close()]);
    expect(await wrong.read()).toEqual({ outcome: "unreachable", reason: "closed" });
  });

  it("VT4: refuses a bucket with a TTL, which would forget who leads", async () => {
    const manager = await jetstreamManager(admin, { checkAPI: false });
    await manager.streams.add({ name: "KV_short", subjects: ["$KV.short.>"], max_age: 60_000_000_000 });
    const witness = open({ url: server.url.replace("//", "//admin:admin@"), bucket: "short" });
    const { reason } = (await witness.swap(null, aRecord())) as { reason?: string };
    expect(reason).toContain("the bucket short has a TTL of 60 s");
    await witness.close();
  });
});

describeWithServer("nats-server", "witness in NATS under faults", () => {
  it("[VT3] a swap without an answer is unknown; afterwards reading back tells, and it comes back by itself", async () => {
    const server = await startNats();
    const witness = open({ url: server.url, timeoutMs: SHORT_MS });
    await expect
      .poll(async () => witness.swap(null, aRecord()))
      .toMatchObject({ outcome: expect.stringMatching(/swapped|lost/) as string });
    const before = await witness.read();
    await server.signal("SIGSTOP");
    const frozen = await witness.swap(aRecord(), aRecord({ seq: 2 }));
    expect(["unknown", "unreachable"]).toContain(frozen.outcome);
    await server.signal("SIGCONT");
    await expect
      .poll(async () => witness.read())
      .toMatchObject({ outcome: "read", runId: (before as { runId: string }).runId });
    await witness.close();
    await server.stop();
  });

  it("CP5: one server that was restarted with its data shows by another run id; the record stands", async () => {
    const dir = mkdtempSync(join(tmpdir(), "changeover-nats-data-"));
    const server = await startNats({ dir });
    const witness = open({ url: server.url, timeoutMs: SHORT_MS });
    await expect
      .poll(async () => witness.swap(null, aRecord()))
      .toMatchObject({ outcome: expect.stringMatching(/swapped|lost/) as string });
    const before = (await witness.read()) as { runId: string };
    await server.signal("SIGKILL");
    await expect.poll(async () => witness.read()).toMatchObject({ outcome: "unreachable" });
    const again = await startNats({ dir, port: server.port });
    await expect.poll(async () => witness.read()).toMatchObject({ outcome: "read", record: aRecord() });
    expect(((await witness.read()) as { runId: string }).runId).not.toBe(before.runId);
    await witness.close();
    await again.stop();
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it("RL2: a lock that was acquired too late is given back", async () => {
    const server = await startNats();
    const witness = open({ url: server.url, timeoutMs: SHORT_MS });
    await expect.poll(async () => witness.readLock()).toEqual({ outcome: "read", lock: null });
    await server.signal("SIGSTOP");
    const request = { lockId: makeId("lock", "x"), holder: "one", ttlMs: 60_000 };
    expect(await witness.acquireLock(request)).toMatchObject({ outcome: "unreachable" });
    await server.signal("SIGCONT");
    await expect.poll(async () => witness.readLock()).toEqual({ outcome: "read", lock: null });
    expect(await witness.acquireLock(request)).toMatchObject({ outcome: "acquired" });
    await witness.close();
    await server.stop();
  });
});

describeWithServer(["nats-server", "openssl"], "witness in NATS over TLS", () => {
  let server: NatsServer;
  let dir: string;
  let ca: string;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "changeover-nats-tls-"));
    const [cert, key] = [join(dir, "cert.pem"), join(dir, "key.pem")];
    const subject = ["-subj", "/CN=witness", "-addext", "subjectAltName=IP:127.0.0.1"];
    const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    execFileSync(requireServer("openssl"), ["req", ...kind, ...subject, "-keyout", key, "-out", cert], {
      stdio: "ignore",
    });
    ca = readFileSync(cert, "utf8");
    server = await startNats({ args: ["--tls", "--tlscert", cert, "--tlskey", key] });
  });
  afterAll(async () => {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it("trusts a private authority that it is given, and says when it trusts none", async () => {
    const url = server.url.replace("nats:", "tls:");
    const trusting = open({ url, tls: { ca } });
    await expect.poll(async () => trusting.read()).toMatchObject({ outcome: "read", record: null });
    const wary = open({ url });
    const refused = { outcome: "unreachable", reason: expect.stringContaining("TLS refused") as string };
    await expect.poll(async () => wary.read()).toEqual(refused);
    await Promise.all([trusting.close(), wary.close()]);
  });
});
