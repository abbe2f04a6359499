/**
 * The demonstration of several sites: spokes edit while their cables are pulled, the cables come back, and
 * everybody ends with the same; then what was in conflict, and what the feed says.
 * Ends with an answer within a minute, good or bad.
 */
import type { ControlEvent } from "../../../core/control-event.ts";
import type { Conflicts } from "../../commands/conflicts.ts";
import { EXIT, type ExitCode } from "../../exit.ts";
import { line, plain } from "../../output.ts";
import { until } from "../observe.ts";
import { loadRundown, Show } from "../show.ts";
import { agreement, holdings, untilEqual } from "./agreement.ts";
import { feedAccount, feedIn } from "./feed.ts";
import { Ground } from "./ground.ts";
import type { Place } from "./places.ts";

/** Commands on each side of the handover. */
const CALLS = 10;

/** @param launcher path of the launcher, which also starts the engines */
export async function playSites(launcher: string): Promise<ExitCode> {
  const startedMs = performance.now();
  const ground = await Ground.start(launcher);
  let end: ExitCode = EXIT.failed;
  try {
    line("up: a pair (studio a, studio b), a hub, three spokes (ob van, graphics, archive), a second site (south)");
    await beginTogether(ground);
    const late = await editApart(ground);
    const isOnce = await comeBack(ground, late);
    await settleConflict(ground);
    const isTold = await playOn(ground);
    const { lines, good } = await agreement(ground.places);
    ["", ...lines].forEach((text) => line(text));
    line(`took ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
    if (good && isOnce && isTold) end = EXIT.done;
    return end;
  } finally {
    await ground.close(end !== EXIT.done);
    if (end !== EXIT.done) line(`logs and stores are kept in ${ground.folder}`);
  }
}

/** Everybody starts from the same records. */
async function beginTogether(ground: Ground): Promise<void> {
  const hub = ground.engine("hub");
  await hub.write("source-1", "name", "Stage left");
  await hub.write("source-2", "name", "Stage right");
  await hub.write("macro-opening", "steps", ["cut 1", "fade 2"]);
  await ground.engine("south").write("source-8", "name", "South gate");
  line(`records written at the hub and at south: ${await converged(ground, ground.places, 0)}`);
}

/** What each does while the spokes are not heard; the identity of the oldest change, which will come last. */
async function editApart(ground: Ground): Promise<string> {
  const [van, graphics, archive] = [ground.spoke("ob van"), ground.spoke("graphics"), ground.spoke("archive")];
  for (const spoke of [van, graphics, archive]) spoke.pullCable();
  const late = archive.write("archive-1", "title", "Rehearsal");
  van.write("source-1", "name", "Van camera");
  van.write("source-3", "name", "Crane");
  graphics.write("source-1", "name", "Lower third");
  graphics.delete("source-2", "name");
  await ground.engine("studio a").write("lower-third", "font", "Inter");
  await ground.engine("south").write("source-4", "name", "South roof");
  line("cables of the spokes pulled: ob van and graphics both rename source-1, graphics deletes source-2, archive");
  line("writes a title; studio a and south write one record each");
  return late;
}

/** Whether the oldest change reached every place, and each only once. */
async function comeBack(ground: Ground, late: string): Promise<boolean> {
  const archive = ground.spoke("archive");
  const there = ground.places.filter((place) => place !== archive);
  ground.spoke("ob van").plugIn();
  ground.spoke("graphics").plugIn();
  line(`ob van and graphics are back: ${await converged(ground, there, 1)}`);
  archive.plugIn();
  line(`archive comes last, with the oldest stamp: ${await converged(ground, ground.places, 1)}`);
  const counts = await holdings(ground.places, late);
  line(`its change is held by ${counts.filter((count) => count === 1).length} of ${counts.length} places, once each`);
  return counts.every((count) => count === 1);
}

/** A person decides what two spokes could not know of each other. */
async function settleConflict(ground: Ground): Promise<void> {
  const { client } = ground.engine("hub");
  const { conflicts } = await client.get<Conflicts>("/api/conflicts?limit=100", ["conflicts"]);
  for (const conflict of conflicts) {
    if (conflict.kind !== "record" || conflict.outcome !== "open") continue;
    const [standing, other] = [conflict.standing[0], conflict.divergent].map((op) =>
      plain(JSON.stringify(op?.payload ?? null)),
    );
    line(`conflict: ${conflict.entity}/${conflict.field} is ${standing}, and apart from it ${other}`);
    await client.post<{ readonly id: string }>(`/api/conflicts/${encodeURIComponent(conflict.id)}/resolve`, ["id"], {
      choice: "reapply",
    });
    line(`a person takes ${other}: ${await converged(ground, ground.places, 0)}`);
  }
}

/** Commands before and after a handover: the leader publishes, and nothing is missing. */
async function playOn(ground: Ground): Promise<boolean> {
  const rundown = loadRundown().slice(0, 2 * CALLS);
  const show = new Show(rundown, { a: ground.engine("studio a").client.url, b: ground.engine("studio b").client.url });
  await show.play(CALLS);
  await ground.handOver();
  await show.play(CALLS);
  const operations = (await ground.engine("studio a").operations()).length;
  const isWhole = (events: readonly ControlEvent[]): boolean =>
    events.filter(({ eventType }) => eventType === "command.accepted").length === show.acknowledged.length &&
    events.filter(({ eventType }) => eventType.startsWith("record.")).length === operations;
  let events: readonly ControlEvent[] = [];
  await until("the feed tells of every command and record", async () => isWhole((events = await feedIn(ground.feed))));
  line(
    `${show.acknowledged.length} commands around a handover of the studio, ${operations} changes of records: all told`,
  );
  const { lines, good } = feedAccount(events);
  ["", ...lines].forEach((text) => line(text));
  return good;
}

async function converged(ground: Ground, places: readonly Place[], contested: number): Promise<string> {
  const ms = await untilEqual(places, contested, async () => ground.exchange());
  return `equal in ${places.length} places after ${ms.toFixed(0)} ms`;
}
