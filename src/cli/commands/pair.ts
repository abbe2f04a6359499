/** `changeover pair show|adopt|forget|reset-numbers`: who the other engine is, and what a person does about it [ID2]. */
import type { Command } from "commander";
import { confirmed } from "../confirm.ts";
import { CliError, EXIT } from "../exit.ts";
import { clientFor, nameOf as notEmpty, type ReadOptions, reading } from "../options.ts";
import { json, line, plain } from "../output.ts";

interface Identity {
  readonly engineId: string;
  readonly fingerprint: string | null;
}

/** The answer of `GET /api/pair`. */
interface Pair {
  readonly self: Identity;
  readonly peer: (Identity & { readonly connected: boolean }) | null;
  readonly strangers: readonly (Identity & {
    readonly version: string;
    readonly remote: string;
    readonly refusal: string;
    readonly lastSeen: string;
  })[];
}

interface ChangeOptions extends ReadOptions {
  readonly yes?: boolean;
}

export function addPair(program: Command): void {
  const pair = program.command("pair").description("the two engines and their keys");
  reading(pair.command("show"))
    .description("this engine's fingerprint, the pinned peer, and engines that were refused in its place")
    .action(async (options: ReadOptions) => {
      const shown = await clientFor(options).get<Pair>("/api/pair", ["self", "strangers"]);
      if (options.json) json(shown);
      else show(shown);
    });
  changing(pair.command("adopt"))
    .description("make a refused engine the peer, after you replaced an engine; this engine stays on air")
    .argument("<fingerprint>", "of the new engine, as `changeover pair show` prints it there", notEmpty)
    .action(async (fingerprint: string, options: ChangeOptions) => {
      await agreed(options, `adopt ${fingerprint} as the peer`);
      const done = await clientFor(options).post<{ readonly peer: Identity }>("/api/pair/adopt", ["peer"], {
        fingerprint,
      });
      if (options.json) json(done);
      else line(`adopted ${plain(done.peer.engineId)}`);
    });
  changing(pair.command("forget"))
    .description("forget the pinned peer; the next engine that proves a key is pinned")
    .action(async (options: ChangeOptions) => {
      await agreed(options, "forget the pinned peer");
      const done = await clientFor(options).post<{ readonly peer: Identity | null }>("/api/pair/forget", ["peer"], {});
      if (options.json) json(done);
      else line(done.peer === null ? "nobody was pinned" : `forgot ${plain(done.peer.engineId)}`);
    });
  changing(pair.command("reset-numbers"))
    .description("lead back from numbers out of reach; run it at both engines, the follower first")
    .action(async (options: ChangeOptions) => {
      await agreed(options, "reset numbers that are out of reach or used up");
      const done = await clientFor(options).post<{ readonly highestEpoch: number; readonly before: number }>(
        "/api/pair/reset-numbers",
        ["highestEpoch", "before"],
        {},
      );
      if (options.json) json(done);
      else line(`highest epoch ${done.highestEpoch}, before ${done.before}`);
    });
}

function changing(command: Command): Command {
  return reading(command).option("--yes", "do not ask");
}

async function agreed({ yes }: ChangeOptions, question: string): Promise<void> {
  if (yes !== true && !(await confirmed(question))) throw new CliError(EXIT.wrongUse, "nothing was changed");
}

function show({ self, peer, strangers }: Pair): void {
  line(`this engine  ${nameOf(self)}`);
  line(
    `peer         ${peer === null ? "none pinned" : `${nameOf(peer)} ${peer.connected ? "connected" : "not connected"}`}`,
  );
  for (const { refusal, remote, version, lastSeen, ...stranger } of strangers) {
    line(
      `refused      ${nameOf(stranger)} ${refusal}, version ${plain(version)}, from ${plain(remote)}, last seen ${lastSeen}`,
    );
  }
}

function nameOf({ engineId, fingerprint }: Identity): string {
  return `${plain(engineId)} ${fingerprint ?? "(no key)"}`;
}
