/** What load balancers, supervisors and Prometheus ask. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { buildRig, type Rig } from "./rig.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await buildRig();
});
afterAll(() => rig.app.close());
beforeEach(() => {
  rig.coordinator.acting = true;
  rig.coordinator.fit = true;
});

const statusOf = async (url: string, method: "GET" | "HEAD" | "OPTIONS" = "GET") =>
  (await rig.app.inject({ url, method })).statusCode;

describe("probes", () => {
  it.each(["GET", "HEAD", "OPTIONS"] as const)(
    "[VT5] %s /leader and /follower follow mayAct, never both 200",
    async (method) => {
      expect([await statusOf("/leader", method), await statusOf("/follower", method)]).toEqual([200, 503]);
      rig.coordinator.acting = false;
      expect([await statusOf("/leader", method), await statusOf("/follower", method)]).toEqual([503, 200]);
    },
  );

  it("say role and epoch", async () => {
    for (const url of ["/leader", "/follower"]) {
      expect((await rig.app.inject(url)).json()).toEqual({ role: "leader", epoch: 7 });
    }
    expect((await rig.app.inject({ url: "/leader", method: "HEAD" })).body).toBe("");
  });

  it("say whether this engine lives and is fit to take over", async () => {
    expect([await statusOf("/live"), await statusOf("/ready")]).toEqual([200, 200]);
    rig.coordinator.fit = false;
    expect([await statusOf("/live"), await statusOf("/ready")]).toEqual([200, 503]);
    expect((await rig.app.inject("/ready")).json()).toEqual({
      ...{ ready: false, role: "leader", epoch: 7 },
      ...{ reasons: ["quarantine"], untilMs: 1_700_000_000_750 },
    });
  });
});

describe("GET /metrics", () => {
  it("shows counters and gauges, and no label with the epoch", async () => {
    const answer = await rig.get("/metrics");
    expect(answer.headers["content-type"]).toContain("text/plain");
    const lines = answer.body.split("\n");
    for (const line of [
      'changeover_heartbeats_sent_total{pair="studio-1",engine="a"} 10',
      'changeover_epoch{pair="studio-1",engine="a"} 7',
      'changeover_may_act{pair="studio-1",engine="a"} 1',
      'changeover_alarm{code="no-quorum",pair="studio-1",engine="a"} 1',
      'changeover_role{role="leader",pair="studio-1",engine="a"} 1',
      'changeover_role{role="follower",pair="studio-1",engine="a"} 0',
      'changeover_health{health="ok",pair="studio-1",engine="a"} 1',
      'changeover_engine_state{state="well",pair="studio-1",engine="a"} 1',
      'changeover_engine_lifeline{state="unused",pair="studio-1",engine="a"} 1',
      'changeover_engine_lifeline{state="live",pair="studio-1",engine="a"} 0',
      'changeover_sync_state{state="ready",pair="studio-1",engine="a"} 1',
      `changeover_build_info{version="0.1.0",node="${process.versions.node}",pair="studio-1",engine="a"} 1`,
    ]) {
      expect(lines).toContain(line);
    }
    expect(answer.body).toContain("changeover_loop_lag_seconds_bucket");
    expect(answer.body).not.toMatch(/epoch="|_ms[ {_]/);
  });

  it("counts commands by outcome and durability, and take-overs by cause, with their durations", async () => {
    const answered = { type: "answered", tookMs: 4 } as const;
    rig.coordinator.emit({ ...answered, outcome: "accepted", durability: "pair" });
    rig.coordinator.emit({ ...answered, outcome: "not-leader", durability: null });
    const role = { type: "role", role: "leader", epoch: 9, atUnixMs: 0 } as const;
    rig.coordinator.emit({ ...role, cause: "death-proof", tookMs: 12 });
    const { body } = await rig.get("/metrics");
    const own = 'pair="studio-1",engine="a"';
    for (const line of [
      `changeover_commands_total{outcome="accepted",durability="pair",${own}} 1`,
      `changeover_commands_total{outcome="accepted",durability="local",${own}} 0`,
      `changeover_commands_total{outcome="not_leader",durability="none",${own}} 1`,
      `changeover_command_duration_seconds_bucket{le="0.005",${own},durability="pair"} 1`,
      `changeover_takeover_duration_seconds_bucket{le="0.0167",${own},cause="death-proof"} 1`,
    ]) {
      expect(body.split("\n")).toContain(line);
    }
  });

  it("shows the process", async () => {
    const { body } = await rig.get("/metrics");
    const valueOf = (name: string) => Number(new RegExp(`^${name}\\{.*\\} (.*)$`, "m").exec(body)?.[1]);
    expect(valueOf("process_resident_memory_bytes")).toBeGreaterThan(1e6);
    expect(valueOf("nodejs_heap_size_total_bytes")).toBeGreaterThan(valueOf("nodejs_heap_size_used_bytes") / 2);
    expect(valueOf("process_cpu_seconds_total")).toBeGreaterThan(0);
    expect(valueOf("process_open_fds")).toBeGreaterThan(2);
    const startedSec = valueOf("process_start_time_seconds");
    expect(startedSec).toBeGreaterThan(Date.now() / 1_000 - 3_600);
    expect(startedSec).toBeLessThan(Date.now() / 1_000);
  });

  it("shows the outbox, and how long events were on their way", async () => {
    rig.coordinator.emit({ type: "published", stackId: "programme", events: 4, duplicates: 1, latencyMs: 7 });
    const { body } = await rig.get("/metrics");
    const own = 'pair="studio-1",engine="a"';
    for (const line of [
      `changeover_outbox_depth{${own}} 3`,
      `changeover_outbox_oldest_age_seconds{${own}} 1.5`,
      `changeover_outbox_dead{${own}} 1`,
      `changeover_outbox_attempts_total{${own}} 50`,
      `changeover_outbox_duplicates_total{${own}} 1`,
      `changeover_outbox_publish_duration_seconds_bucket{le="0.01",${own}} 1`,
    ]) {
      expect(body.split("\n")).toContain(line);
    }
  });

  it("says the same when nothing has changed: counters are not added up", async () => {
    const counted = async () =>
      (await rig.get("/metrics")).body.split("\n").filter((line) => /^changeover_.*_total\{/.test(line));
    expect(await counted()).toEqual(await counted());
  });

  it("forgets a role and an alarm that are over", async () => {
    const before = rig.coordinator.now;
    rig.coordinator.now = { ...before, role: "follower", epoch: 8, alarms: [] };
    const { body } = await rig.get("/metrics");
    rig.coordinator.now = before;
    expect(body).toContain('changeover_role{role="leader",pair="studio-1",engine="a"} 0');
    expect(body).not.toContain("changeover_alarm{");
    expect(body).toContain('changeover_role{role="follower",pair="studio-1",engine="a"} 1');
  });
});
