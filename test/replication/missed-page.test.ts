/** R4: when a spoke reads its hub's log from the start once more, and when there is no reason to. */
import { beforeEach, expect, it } from "vitest";
import type { Json } from "../../src/core/canonical-json.ts";
import type { SyncTransport } from "../../src/ports/sync-transport.ts";
import { makePlace, originOf, type Place } from "../support/replication-node.ts";

let hub: Place;
let spoke: Place;
/** What each pull asked for. */
let asked: string[];
/** By how much the hub's next word of what it holds of its own goes beyond the truth. */
let claimsMore: number;

beforeEach(() => {
  hub = makePlace({ name: "hub" });
  asked = [];
  claimsMore = 0;
  const way = hub.wayFor(originOf("spoke"));
  const watched: SyncTransport = {
    identity: async (challenge) => {
      const answer = await way.identity(challenge);
      const { value } = answer as unknown as { readonly value: { readonly clock: Record<string, number> } };
      const own = originOf("hub");
      value.clock[own] = (value.clock[own] ?? 0) + claimsMore;
      return { outcome: "answered", value: value as unknown as Json };
    },
    pull: (request) => {
      asked.push(request.after);
      return way.pull(request);
    },
    push: (ops, base) => way.push(ops, base),
    close: () => way.close(),
  };
  spoke = makePlace({ name: "spoke", hub: watched });
  for (const value of [1, 2, 3]) hub.replication.records.set("macro", "start", value);
});

async function exchange(): Promise<void> {
  asked = [];
  expect((await spoke.replication.spoke?.exchangeNow())?.outcome).toBe("done");
}

it("the last page that was read ahead is read again once the log has gone on", async () => {
  const caller = { origin: originOf("spoke"), token: null };
  const bounds = { caller, limit: 2, maxBytes: 1_048_576 };
  const { nextCursor, hasMore } = hub.replication.hub.pull({ ...bounds, after: "" });
  expect(hasMore).toBe(true);
  await new Promise((ready) => setImmediate(ready));
  hub.replication.records.set("macro", "start", 4);
  const page = hub.replication.hub.pull({ ...bounds, after: nextCursor });
  expect(page.ops.map(({ payload }) => payload)).toEqual([3, 4]);
});

it("a hub that has withdrawn what it told of is not read from its start", async () => {
  claimsMore = 1;
  await exchange();
  claimsMore = 0;
  await exchange();
  expect(asked).not.toContain("");
});

it("a hub that still holds what did not come is read from its start, once", async () => {
  claimsMore = 1;
  await exchange();
  await exchange();
  expect(asked[0]).toBe("");
  await exchange();
  expect(asked).not.toContain("");
});
