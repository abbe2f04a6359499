/** Plays the rounds of a campaign, in one or more lanes side by side, each with a network of its own. */
import { findServer, type ServerName } from "../support/servers.ts";
import { TwoHosts } from "../support/two-hosts.ts";
import { PlantNetwork } from "./network.ts";
import type { CampaignOptions } from "./options.ts";
import { playRound, type RoundResult } from "./round.ts";
import type { RoundPlan } from "./schedule.ts";

const MS_PER_MINUTE = 60_000;

/** What this machine lacks for the campaign, each with the remedy; empty: nothing. */
export function whatIsMissing({ witnesses, engine }: Pick<CampaignOptions, "witnesses" | "engine">): readonly string[] {
  const wanted: readonly ServerName[] = [
    "ip",
    "iptables",
    "faketime",
    ...(witnesses.includes("redis") ? (["redis-server"] as const) : []),
    ...(engine === "http" ? (["python3"] as const) : []),
  ];
  const missing = wanted.filter((name) => findServer(name) === undefined);
  if (missing.length > 0) return [`${missing.join(", ")}: not installed. Run npm run setup:services`];
  if (TwoHosts.able()) return [];
  return ["this user may not make network namespaces. Run it as root, for example with sudo"];
}

/** Every round of every policy and witness; `onRound` is told as each one ends. */
export async function playCampaign(
  options: CampaignOptions,
  onRound: (result: RoundResult) => void,
): Promise<readonly RoundResult[]> {
  const plans = plansOf(options);
  const endMs = performance.now() + (options.minutes ?? Infinity) * MS_PER_MINUTE;
  const results: RoundResult[] = [];
  const lane = async (): Promise<void> => {
    const network = PlantNetwork.open();
    try {
      for (;;) {
        const plan = performance.now() < endMs ? plans.shift() : undefined;
        if (plan === undefined) return;
        const result = await playRound(network, plan, options);
        results.push(result);
        onRound(result);
      }
    } finally {
      await network.close();
    }
  };
  await Promise.all(Array.from({ length: options.lanes }, lane));
  return results;
}

function plansOf({ rounds, firstSeed, policies, witnesses, engine }: CampaignOptions): RoundPlan[] {
  const seeds = Array.from({ length: rounds }, (_round, at) => firstSeed + at);
  return seeds.flatMap((seed) =>
    policies.flatMap((policy) => witnesses.map((witness) => ({ seed, policy, witness, engine }))),
  );
}
