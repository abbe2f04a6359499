/**
 * `changeover federation`: how it stands with every peer, and what a person does with some of them.
 * Every name is looked at before anything is done to the first one.
 */
import type { Command } from "commander";
import type { FederationReport, OriginsReport, PeerReset } from "../../http/routes/peers.ts";
import type { PeerStatus } from "../../replication/federation-peer.ts";
import type { Client } from "../client.ts";
import { confirmed } from "../confirm.ts";
import { CliError, EXIT } from "../exit.ts";
import { failing, federationText } from "./federation-view.ts";
import { clientFor, namesOf, type ReadOptions, reading } from "../options.ts";
import { json, line, plain } from "../output.ts";

interface ResetOptions extends ReadOptions {
  readonly keyRotated?: boolean;
  readonly yes?: boolean;
}

interface Released {
  readonly origin: string;
}

export function addFederation(program: Command): void {
  const federation = program.command("federation").description("the peers that records are pulled from");
  reading(federation.command("status"))
    .description("this engine, each peer, and what to do about those that fail; ends with 1 while one fails")
    .action(status);
  reading(federation.command("pause").argument("<name...>", "as in federation.peers", namesOf))
    .description("ask these peers no more, until they are resumed or the engine starts anew")
    .action((names: readonly string[], options: ReadOptions) => move("pause", names, options));
  reading(federation.command("resume").argument("<name...>", "as in federation.peers", namesOf))
    .description("ask these peers again, beginning now")
    .action((names: readonly string[], options: ReadOptions) => move("resume", names, options));
  reading(federation.command("reset-peer").argument("<name...>", "as in federation.peers", namesOf))
    .description("forget what is kept of these peers, so that they are met anew; records stay")
    .option("--key-rotated", "forget their keys alone: they have new ones")
    .option("-y, --yes", "do not ask")
    .action(reset);
  reading(federation.command("origins")).description("which spoke writes as which origin").action(origins);
  reading(federation.command("release").argument("<origin...>", "as changeover federation origins shows it", namesOf))
    .description("let another token, or the same writer with a new key, write as these origins")
    .action(release);
}

async function origins(options: ReadOptions): Promise<void> {
  const report = await clientFor(options).get<OriginsReport>("/api/origins", ["origins"]);
  if (options.json) return json(report);
  if (report.origins.length === 0) line("no origin is bound to a token of role spoke");
  for (const { origin, token, boundAt } of report.origins) line(`${plain(origin)}  ${plain(token)}  since ${boundAt}`);
}

async function release(names: readonly string[], options: ReadOptions): Promise<void> {
  const client = clientFor(options);
  for (const name of names)
    await client.post<Released>(`/api/origins/${encodeURIComponent(name)}/release`, ["origin"], undefined);
  if (options.json) return json(names.map((origin) => ({ origin })));
  for (const name of names) line(`${plain(name)}: released`);
}

async function status(options: ReadOptions): Promise<void> {
  const report = await clientFor(options).get<FederationReport>("/api/peers", ["peers"]);
  process.exitCode = failing(report).length > 0 ? EXIT.failed : EXIT.done;
  if (options.json) return json(report);
  for (const text of federationText(report)) line(text);
}

async function move(what: "pause" | "resume", names: readonly string[], options: ReadOptions): Promise<void> {
  const client = clientFor(options);
  await named(client, names);
  const moved: PeerStatus[] = [];
  for (const name of names) moved.push(await client.post<PeerStatus>(pathOf(name, what), ["name", "mode"], undefined));
  if (options.json) return json(moved);
  for (const { name, mode } of moved) line(`${plain(name)}: ${mode === "paused" ? "paused" : "is asked"}`);
}

async function reset(names: readonly string[], options: ResetOptions): Promise<void> {
  const client = clientFor(options);
  const peers = await named(client, names);
  const keyRotated = options.keyRotated === true;
  const goes = peers.map((peer) => ({ peer, keys: peer.keys.filter((key) => !keyRotated || key.endsWith(":key")) }));
  if (!options.json) {
    for (const { peer, keys } of goes) line(`${plain(peer.name)}: ${keys.map(plain).join(", ") || "nothing is kept"}`);
  }
  if (options.yes !== true && !(await confirmed(`forget ${keyRotated ? "the keys" : "all"} of ${names.join(", ")}`))) {
    throw new CliError(EXIT.failed, "nothing was changed");
  }
  const done: PeerReset[] = [];
  for (const name of names)
    done.push(await client.post<PeerReset>(pathOf(name, "reset"), ["peer", "removed"], { keyRotated }));
  if (options.json) return json(done);
  for (const { peer, removed } of done) line(`${plain(peer.name)}: ${removed.length} forgotten; it is met anew`);
}

/** The peers of these names; refuses when one of them is not configured. */
async function named(client: Client, names: readonly string[]): Promise<readonly PeerStatus[]> {
  const { peers } = await client.get<FederationReport>("/api/peers", ["peers"]);
  const found = names.map((name) => peers.find((peer) => peer.name === name) ?? name);
  const unknown = found.filter((one) => typeof one === "string");
  if (unknown.length > 0) {
    const known = peers.map(({ name }) => plain(name)).join(", ") || "none";
    throw new CliError(EXIT.failed, `no peer is called ${unknown.map(plain).join(", ")}; there are: ${known}`);
  }
  return found.filter((one) => typeof one !== "string");
}

function pathOf(name: string, what: string): string {
  return `/api/peers/${encodeURIComponent(name)}/${what}`;
}
