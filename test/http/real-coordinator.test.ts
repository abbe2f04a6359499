/** The surface in front of real coordinators: what the scripted one cannot prove. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/core/canonical-json.ts";
import { NodeDigest } from "../../src/adapters/basics.ts";
import { type Label, otherLabel } from "../../src/core/ids.ts";
import type { StateSnapshot } from "../../src/core/messages.ts";
import { waitUntil } from "../support/wait-until.ts";
import { type Pair, type Side, startPair } from "./pair-rig.ts";
import { problemIn } from "./rig.ts";
import { conforms, type TSchema } from "./schema-check.ts";

let pair: Pair;
let leader: Side;
let follower: Side;

async function settle(): Promise<Label> {
  const label = await pair.settled();
  leader = pair.sides[label];
  follower = pair.sides[otherLabel(label)];
  return label;
}

beforeAll(async () => {
  pair = await startPair();
  await settle();
});
afterAll(() => pair.close());

const SNAPSHOT = "/api/sync/state-snapshot";
const LOCK = "/api/sync/reconcile-lock";

function checksumOf({ epoch, lastCommandSeq, state }: StateSnapshot): string {
  const hash = new NodeDigest().sha256();
  hash.update(canonicalJson({ epoch, lastCommandSeq, state }));
  return hash.hex();
}

const snapshotOf = async (side: Side) => (await side.get(SNAPSHOT)).json<StateSnapshot>();

/** Both engines have executed everything. */
async function inStep(): Promise<void> {
  const reached = (side: Side) => side.coordinator.syncHealth().lastExecutedSeq;
  await waitUntil(
    () => reached(follower) === reached(leader) && reached(leader) === leader.coordinator.syncHealth().lastCommandSeq,
  );
}

describe("commands on a real pair", () => {
  it("are executed by both engines, once per key [A4]", async () => {
    const cut = { kind: "POST /api/switch/cut", payload: { source: "cam2" }, idempotencyKey: "cut-1" };
    const first = await leader.send("POST", "/api/commands", cut);
    expect(first.json()).toMatchObject({ durability: "pair" });
    const again = await leader.send("POST", "/api/commands", cut);
    expect(again.json<{ seq: number }>().seq).toBe(first.json<{ seq: number }>().seq);
    expect((await leader.send("POST", "/engine/api/switch/preview", { source: "cam3" })).statusCode).toBe(200);
    await inStep();
    for (const side of [leader, follower]) {
      const listed = (await side.get("/api/commands")).json<{ commands: { kind: string }[] }>();
      expect(listed.commands.map(({ kind }) => kind)).toEqual(["POST /api/switch/cut", "POST /api/switch/preview"]);
      expect((await side.get("/api/peer/health")).json()).toMatchObject({ programSource: "cam2" });
    }
  });

  it("show in the metrics by outcome, and the take-over with its cause", async () => {
    const { body } = await leader.get("/metrics");
    const { engineLabel } = leader.coordinator.state();
    const accepted = new RegExp(
      `^changeover_commands_total\\{outcome="accepted",durability="pair",pair=.*\\} (\\d+)$`,
      "m",
    );
    expect(Number(accepted.exec(body)?.[1])).toBeGreaterThanOrEqual(2);
    const took = new RegExp(
      `^changeover_takeover_duration_seconds_count.*engine="${engineLabel}",cause="cold-start"\\} 1$`,
      "m",
    );
    expect(body).toMatch(took);
    expect(body).toMatch(/^changeover_command_lateness_seconds_count\{.*\} [1-9]/m);
  });

  it("are refused by the follower, which names the leader", async () => {
    const { engineLabel } = leader.coordinator.state();
    const refused = await follower.send("POST", "/engine/api/switch/cut", { source: "cam1" });
    expect(problemIn(refused, 409, "not_leader")).toMatchObject({
      leader: engineLabel,
      leaderUrl: `http://${engineLabel}:7401`,
    });
    const wrong = await leader.send("POST", "/engine/api/switch/cut", { source: 5 });
    problemIn(wrong, 422, "invalid_command");
  });

  it("show in answers that keep to the document", async () => {
    const document = (await leader.get("/openapi.json")).json<{
      paths: Record<string, { get?: { responses: Record<string, { content?: Record<string, { schema: TSchema }> }> } }>;
      components: { schemas: Record<string, TSchema> };
    }>();
    let checked = 0;
    for (const [path, { get }] of Object.entries(document.paths)) {
      const schema = get?.responses["200"]?.content?.["application/json"]?.schema;
      if (schema === undefined || path.includes("{")) continue;
      for (const side of [leader, follower]) {
        const answer = await side.get(path);
        if (answer.statusCode !== 200) continue;
        expect(conforms(document.components.schemas, schema, answer.json()), `${path}: ${answer.body}`).toBe(true);
        checked += 1;
      }
    }
    expect(checked).toBeGreaterThan(20);
  });
});

describe("[A15] a posted snapshot", () => {
  it("leaves the state byte for byte on every error", async () => {
    await inStep();
    const before = await snapshotOf(follower);
    expect(before.checksum).toBe(checksumOf(before));
    const lock = (await follower.send("POST", LOCK, { holder: "a person" })).json<{ lockId: string }>();
    const under = { "x-reconcile-lock": lock.lockId };
    const stale = { ...before, epoch: 0, checksum: checksumOf({ ...before, epoch: 0 }) };
    const wrong = { ...before, checksum: "0".repeat(64) };
    problemIn(await follower.send("POST", SNAPSHOT, wrong, under), 400, "invalid_snapshot");
    problemIn(await follower.send("POST", SNAPSHOT, { ...before, state: 5 }, under), 400, "invalid_snapshot");
    const deep = JSON.parse("[".repeat(130) + "]".repeat(130)) as unknown;
    problemIn(await follower.send("POST", SNAPSHOT, { ...before, state: deep }, under), 400, "invalid_snapshot");
    problemIn(await follower.send("POST", SNAPSHOT, stale, under), 412, "stale_epoch");
    problemIn(await follower.send("POST", SNAPSHOT, before), 409, "lock_not_held");
    problemIn(await follower.send("POST", SNAPSHOT, before, { "x-reconcile-lock": "lock_x" }), 409, "lock_not_held");
    expect(canonicalJson((await snapshotOf(follower)).state)).toBe(canonicalJson(before.state));
    expect((await follower.send("DELETE", `${LOCK}/${lock.lockId}`)).statusCode).toBe(204);
  });

  it("[A14] needs a lock that still holds, and is applied under one", async () => {
    const lock = (await follower.send("POST", LOCK)).json<{ lockId: string }>();
    problemIn(await leader.send("POST", LOCK, { holder: "another" }), 409, "lock_held");
    expect((await follower.send("PUT", `${LOCK}/${lock.lockId}`)).statusCode).toBe(200);
    // A name like any other to the engine.
    const named = { kind: "POST /api/audio/level", payload: { source: "__proto__", level: -9 } };
    expect((await leader.send("POST", "/api/commands", named)).statusCode).toBe(200);
    await inStep();
    const snapshot = await snapshotOf(leader);
    expect(JSON.stringify(snapshot)).toContain('"__proto__"');
    const under = { "x-reconcile-lock": lock.lockId };
    const applied = await follower.send("POST", SNAPSHOT, snapshot, under);
    expect(applied.json()).toMatchObject({ applied: true, lastCommandSeq: snapshot.lastCommandSeq });
    await follower.send("DELETE", `${LOCK}/${lock.lockId}`);
    problemIn(await follower.send("PUT", `${LOCK}/${lock.lockId}`), 404, "lock_not_found");
    problemIn(await follower.send("POST", SNAPSHOT, snapshot, under), 409, "lock_not_held");
  });
});

describe("moving the role on a real pair", () => {
  it("[A12] force-leader: one epoch per request, already_leader after", async () => {
    const target = follower;
    const asked = { requestId: "move-1", reason: "test" };
    const first = await target.send("POST", "/api/peer/force-leader", asked);
    expect(first.statusCode).toBe(200);
    const repeated = await target.send("POST", "/api/peer/force-leader", asked);
    expect(repeated.json()).toEqual(first.json());
    problemIn(await target.send("POST", "/api/peer/force-leader"), 409, "already_leader");
    // History is written beside the way of the role, never in it.
    await waitUntil(() => target.coordinator.leadership(1)[0]?.cause === "forced");
    const { history } = (await target.get("/api/leadership")).json<{ history: object[] }>();
    expect(history[0]).toMatchObject({ cause: "forced", reason: "test", by: "control-plane", to: null });
    await settle();
    expect(leader).toBe(target);
    problemIn(await follower.send("POST", "/api/peer/force-leader", { expectedEpoch: 1 }), 409, "epoch_mismatch");
  });

  it("handover, and maintenance on both engines", async () => {
    const before = leader;
    expect((await before.send("POST", "/api/handover", { reason: "test" })).statusCode).toBe(200);
    problemIn(await before.send("POST", "/api/handover"), 409, "not_leader");
    await settle();
    expect(follower).toBe(before);
    await leader.send("POST", "/api/maintenance", { on: true, reason: "rehearsal" });
    await waitUntil(() => follower.coordinator.state().maintenance?.on === true);
  });
});

describe("a long log", () => {
  it("is shown in pages that no reader can make large, with nothing left out", async () => {
    const { lastCommandSeq } = leader.coordinator.syncHealth();
    for (let count = 0; count < 50; count += 1) {
      const command = { kind: "POST /api/notes", payload: { text: "x".repeat(60_000), count } };
      expect((await leader.send("POST", "/api/commands", command)).statusCode).toBe(200);
    }
    const seqs: number[] = [];
    for (let after = lastCommandSeq, hasMore = true; hasMore; after = seqs.at(-1) ?? 0) {
      const answer = await leader.get(`/api/commands?limit=1000&afterSeq=${after}`);
      expect(answer.body.length).toBeLessThan(2_300_000);
      const page = answer.json<{ commands: { seq: number }[]; hasMore: boolean }>();
      seqs.push(...page.commands.map(({ seq }) => seq));
      ({ hasMore } = page);
    }
    expect(seqs).toEqual(Array.from({ length: 50 }, (_, at) => lastCommandSeq + 1 + at));
  });
});
