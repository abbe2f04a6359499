/**
 * Purpose: runs with spokes that once broke an invariant, with what was wrong.
 * Keeps true: each is run again by `seeds.test.ts`.
 */
import type { Fault } from "../../src/simulation/faults/catalogue.ts";
import type { Regression } from "./regressions.ts";

const now = (kind: Fault["kind"], atMs: number, target: "a" | "b", amount: number): Fault => ({
  ...{ kind, atMs, target, amount },
  forMs: 0,
});

export const RECORD_REGRESSIONS: readonly Regression[] = [
  {
    seed: 32,
    found: "R1: a spoke spoke to its hub no more",
    cause: "a failover between two pages was taken for another one at the hub's address",
    faults: [{ kind: "pause", atMs: 9436.795, forMs: 966.867, target: "a", amount: 0.075 }],
  },
  {
    seed: 30,
    found: "R1: spokes of an engine that was filled over a compaction met a gap without end",
    cause: "it had holes and did not say so to those that it filled in turn",
    faults: [
      now("clock-step", 3706.021, "a", 0.121),
      { kind: "isolation", atMs: 12346.672, forMs: 2699.17, target: "a", amount: 0.476 },
      now("hub-compaction", 22499.594, "b", 0.952),
    ],
  },
  {
    seed: 136,
    found: "R1: other values stood on one spoke",
    cause: "a change did not count as seen what the value it replaced had seen: what stood depended on the order",
    faults: [
      { kind: "disk-full", atMs: 9938.467, forMs: 2372.473, target: "a", amount: 0.339 },
      { kind: "kill", atMs: 29336.758, forMs: 105.851, target: "b", amount: 0.663 },
      { kind: "spoke-cut", atMs: 0, forMs: 30000, target: "a", amount: 0.451 },
      { kind: "spoke-kill", atMs: 9331.341, forMs: 116.791, target: "b", amount: 0.482 },
      now("hub-compaction", 15011.049, "a", 0.717),
      { kind: "spoke-kill", atMs: 16847.469, forMs: 2245.664, target: "a", amount: 0.084 },
    ],
  },
  {
    seed: 175,
    found: "R1: a spoke never had all of a snapshot",
    cause:
      "it compacted its own log while it was being filled, and counted what lies beyond a snapshot as missing from it",
    faults: [
      { kind: "kill", atMs: 3425.269, forMs: 594.992, target: "b", amount: 0.519 },
      { kind: "kill", atMs: 7455.815, forMs: 3185.819, target: "a", amount: 0.982 },
      { kind: "power-off", atMs: 18448.353, forMs: 4630.805, target: "b", amount: 0.002 },
      { kind: "clean-restart", atMs: 23207.774, forMs: 438.849, target: "a", amount: 0.52 },
      now("spoke-poison", 6461.071, "b", 0.716),
      { kind: "spoke-kill", atMs: 21703.65, forMs: 165.093, target: "a", amount: 0.72 },
      now("hub-compaction", 22072.671, "a", 0.131),
    ],
  },
  {
    seed: 451,
    found: "R1: what a spoke wrote after a poison was offered again only after minutes",
    cause: "exchanges that stalled on the way in counted for what stalls on the way out",
    faults: [now("spoke-clock-step", 3626.916, "b", 0.032), now("spoke-poison", 23824.611, "b", 0.164)],
  },
  {
    seed: 2679,
    found: "I5: a campaign during maintenance, as the disk had it",
    cause: "a hold that a full disk refused was never saved again",
    faults: [
      { kind: "isolation", atMs: 15429.068, forMs: 4168.6, target: "a", amount: 0.586 },
      { kind: "maintenance", atMs: 23372.829, forMs: 1489.397, target: "a", amount: 0.299 },
      { kind: "disk-full", atMs: 24613.579, forMs: 768.127, target: "a", amount: 0.443 },
      { kind: "maintenance", atMs: 24724.576, forMs: 610.649, target: "b", amount: 0.886 },
      { kind: "kill", atMs: 27638.17, forMs: 534.068, target: "b", amount: 0.922 },
    ],
  },
  {
    seed: 408,
    found: "R1: one engine took nothing from the other any more",
    cause: "filled from two places at once, it forgot with the first one's end what it held beyond holes of the second",
    faults: [
      { kind: "disk-full", atMs: 6092.918, forMs: 3895.531, target: "b", amount: 0.106 },
      now("clock-step", 11165.756, "b", 0.788),
      { kind: "clean-restart", atMs: 14144.551, forMs: 776.069, target: "b", amount: 0.364 },
      { kind: "one-link-cut", atMs: 18482.337, forMs: 2848.125, target: "a", amount: 0.38 },
      { kind: "cut", atMs: 20260.966, forMs: 1967.123, target: "b", amount: 0.362 },
      { kind: "clean-restart", atMs: 21588.072, forMs: 833.976, target: "b", amount: 0.522 },
      { kind: "kill", atMs: 22298.789, forMs: 547.762, target: "a", amount: 0.948 },
      { kind: "flapping", atMs: 22837.11, forMs: 1430.941, target: "b", amount: 0.493 },
      { kind: "spoke-cut", atMs: 0, forMs: 30000, target: "a", amount: 0.664 },
      { kind: "spoke-kill", atMs: 4741.734, forMs: 2223.55, target: "b", amount: 0.576 },
      now("spoke-poison", 9226.66, "b", 0.08),
      now("spoke-clock-step", 10272.727, "b", 0.415),
      now("hub-compaction", 12326.592, "b", 0.114),
      { kind: "spoke-kill", atMs: 12491.167, forMs: 171.316, target: "a", amount: 0.721 },
      { kind: "spoke-cut", atMs: 14950.759, forMs: 3265.571, target: "a", amount: 0.17 },
      now("hub-compaction", 26772.658, "b", 0.075),
    ],
  },
  {
    seed: 1102,
    found: "I13: a change that one engine took was never told by the other, which took over",
    cause: "the spoke that had made it compacted it away when one engine of the pair had it",
    faults: [
      { kind: "pause", atMs: 9851.938, forMs: 359.094, target: "a", amount: 0.662 },
      { kind: "one-way-cut", atMs: 11323.959, forMs: 6876.814, target: "b", amount: 0.469 },
      now("clock-step", 13960.004, "b", 0.063),
      { kind: "witness-cut", atMs: 14686.101, forMs: 3604.843, target: "a", amount: 0.235 },
      { kind: "kill", atMs: 18749.525, forMs: 154.936, target: "a", amount: 0.233 },
      { kind: "one-link-cut", atMs: 19565.476, forMs: 5609.713, target: "a", amount: 0.863 },
      now("hub-compaction", 19001.43, "a", 0.036),
    ],
  },
  {
    seed: 747,
    sites: 1,
    found: "R7: an engine compacted away what a site that had asked did not have",
    cause: "who asks while the disk is full was remembered in memory alone, and forgotten at the restart",
    faults: [
      { kind: "disk-full", atMs: 5743.919, forMs: 3528.704, target: "a", amount: 0.833 },
      { kind: "clean-restart", atMs: 18364.213, forMs: 1536.903, target: "a", amount: 0.045 },
      now("site-clock-step", 6145.353, "a", 0.144),
      { kind: "site-replaced", atMs: 7357.678, forMs: 907.667, target: "b", amount: 0.007 },
      { kind: "site-cut", atMs: 19746.461, forMs: 6998.811, target: "a", amount: 0.753 },
      now("site-compaction", 27245.793, "a", 0.427),
    ],
  },
  {
    seed: 82,
    found: "no-throw: a heartbeat ended in an exception",
    cause: "stamps that were to be put right could not be saved on a full disk",
    faults: [
      { kind: "leaders-disk-full", atMs: 9113, forMs: 4000, target: "b", amount: 0.293 },
      { kind: "restart-in-the-past", atMs: 12100, forMs: 1, target: "a", amount: 0.406 },
    ],
  },
  {
    seed: 1649,
    found: "HO2: a leader granted its role while it owed an answer",
    cause: "it slept while it drained, and granted before it knew whether it still leads [HO1] [VT5]",
    faults: [
      { kind: "pause", atMs: 4000, forMs: 401, target: "a", amount: 0.038 },
      { kind: "killed-while-reconciling", atMs: 7300, forMs: 1, target: "a", amount: 0.898 },
      { kind: "killed-again", atMs: 8162, forMs: 2500, target: "a", amount: 0.677 },
      { kind: "disk-restored", atMs: 4000, forMs: 426, target: "a", amount: 0.228 },
      { kind: "disk-stalled", atMs: 6000, forMs: 1364, target: "a", amount: 0.706 },
      { kind: "disk-stalled", atMs: 13815, forMs: 1438, target: "b", amount: 0.149 },
    ],
  },
  {
    seed: 1840,
    found: "I19: an engine on an older folder was refused for ever",
    cause: "its clock was in the past, so its start number was below the one before, and nobody let it in again [ID2]",
    faults: [
      { kind: "disk-restored", atMs: 18_900, forMs: 3_711, target: "b", amount: 0.219 },
      { kind: "kill", atMs: 19_000, forMs: 1, target: "b", amount: 0.852 },
      { kind: "restart-in-the-past", atMs: 21_200, forMs: 1, target: "b", amount: 0.809 },
    ],
  },
  {
    seed: 1870,
    found: "I19: a leader could not reconcile with its peer",
    cause: "its engine was ahead of its older folder, and nobody restarted it, as the alarm asks [EN9]",
    faults: [
      { kind: "disk-restored", atMs: 14_800, forMs: 6_306, target: "a", amount: 0.29 },
      { kind: "pause", atMs: 23_800, forMs: 3_601, target: "a", amount: 0.403 },
      { kind: "force-leader", atMs: 25_800, forMs: 1, target: "b", amount: 0.759 },
    ],
  },
];

/** With one site and nobody else around the pair. */
export const SITE_REGRESSIONS: readonly Regression[] = [
  {
    seed: 1,
    found: "R1: a site that was rebuilt was asked no more by one engine",
    cause: "a reset that a full disk refused left the peer paused",
    faults: [
      { kind: "site-replaced", atMs: 15000, forMs: 500, target: "a", amount: 0.1 },
      { kind: "disk-full", atMs: 15600, forMs: 4000, target: "a", amount: 0.1 },
    ],
  },
  {
    seed: 86,
    found: "R1: a site was left alone for ever",
    cause: "the world: a restored disk brought back a pause that a person had ended since, and nobody ended it again",
    faults: [
      { kind: "peer-pause", atMs: 5900, forMs: 4497, target: "b", amount: 0.281 },
      { kind: "disk-restored", atMs: 9900, forMs: 916, target: "b", amount: 0.135 },
    ],
  },
];
