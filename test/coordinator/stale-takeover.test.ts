/** An engine that led without all that clients were told says so until nothing is missing any more. */
import { expect, test } from "vitest";
import { Pair } from "./pair.ts";

test("[CP4] it stands while the other engine is away, and clears once that is a ready follower and its command is listed", async () => {
  const pair = await Pair.started();
  await pair.stop("b");
  await pair.submit("a", "cam7");
  await pair.stop("a");
  await pair.start("b");
  await pair.until(() => pair.of("b").mayAct());
  expect(pair.alarm("b", "stale-takeover")).toBe(true);
  await pair.submit("b", "cam8");
  await pair.start("a");
  await pair.until(() => pair.of("a").ready() && !pair.alarm("b", "stale-takeover"));
  expect(pair.of("b").conflicts(10)).toMatchObject([{ divergent: { payload: { source: "cam7" } } }]);
});
