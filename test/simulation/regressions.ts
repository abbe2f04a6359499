/**
 * Purpose: runs that once broke an invariant, cut down to the faults that did it, with what was wrong.
 * Keeps true: each is run again by `seeds.test.ts`, for both policies.
 */
import type { Fault } from "../../src/simulation/faults/catalogue.ts";

export interface Regression {
  readonly seed: number;
  readonly found: string;
  readonly cause: string;
  readonly faults: readonly Fault[];
  /** Sites around the pair and its spokes; left out: none. */
  readonly sites?: number;
}

export const REGRESSIONS: readonly Regression[] = [
  {
    seed: 3,
    found: "I7: the follower never became ready again after both had led",
    cause: "recovery asked the chart for its state within the very transition and never went on from `resolving`",
    faults: [{ kind: "isolation", atMs: 17872.485, forMs: 1140.515, target: "a", amount: 0.764 }],
  },
  {
    seed: 19,
    found: "I5: a campaign 0.0 ms into the quarantine after a pause",
    cause: "an overdue timer considered a campaign before the pulse had noticed the pause [CP5]",
    faults: [{ kind: "pause", atMs: 3892.134, forMs: 3594.096, target: "b", amount: 0.243 }],
  },
  {
    seed: 19,
    found: "CP5: the peer was called silent right after an engine had slept itself",
    cause: "the deadline of the peer's silence was overdue and judged before the pulse had noticed the pause [CP5]",
    faults: [{ kind: "pause", atMs: 3892, forMs: 898, target: "b", amount: 0.243 }],
  },
  {
    seed: 53,
    found: "I9: a follower executed a command that its peer never had",
    cause: "a snapshot that a tool posted counted as a leader's word about the end of the log [SB4]",
    faults: [
      { kind: "clock-step", atMs: 7900, forMs: 0, target: "b", amount: 0.717 },
      { kind: "pause", atMs: 8600, forMs: 3525, target: "a", amount: 0.848 },
      { kind: "clock-step", atMs: 11000, forMs: 0, target: "b", amount: 0.607 },
      { kind: "isolation", atMs: 12300, forMs: 1, target: "a", amount: 0.435 },
      { kind: "maintenance", atMs: 13200, forMs: 3089, target: "a", amount: 0.293 },
      { kind: "witness-strange", atMs: 13600, forMs: 1, target: "a", amount: 0.192 },
      { kind: "late-snapshot", atMs: 14100, forMs: 0, target: "b", amount: 0.321 },
      { kind: "killed-while-reconciling", atMs: 3200, forMs: 1, target: "b", amount: 0.402 },
      { kind: "restart-in-the-past", atMs: 3567, forMs: 16, target: "b", amount: 0.394 },
      { kind: "restart-in-the-past", atMs: 10600, forMs: 1, target: "b", amount: 0.445 },
      { kind: "leader-flaps", atMs: 12100, forMs: 1574, target: "b", amount: 0.389 },
      { kind: "killed-beside-a-dead-link", atMs: 12300, forMs: 875, target: "b", amount: 0.282 },
      { kind: "restart-in-the-past", atMs: 13600, forMs: 1, target: "b", amount: 0.657 },
    ],
  },
  {
    seed: 57,
    found: "I5: a campaign while behind, long before the patience was over",
    cause: "the patience counted from an earlier silence, although the leader had been heard since [CP4]",
    faults: [
      { kind: "flapping", atMs: 2673.933, forMs: 1033.971, target: "b", amount: 0.613 },
      { kind: "kill", atMs: 3998.629, forMs: 4921.374, target: "a", amount: 0.422 },
    ],
  },
  {
    seed: 119,
    found: "I9: a command acknowledged for the pair was lost",
    cause: "a posted snapshot kept the log as it was before a slow execution was waited for [HO2]",
    faults: [
      { kind: "disk-full", atMs: 3084.807, forMs: 1820.456, target: "a", amount: 0.246 },
      { kind: "late-snapshot", atMs: 6210.061, forMs: 0, target: "a", amount: 0.141 },
      { kind: "slow-engine", atMs: 6534.382, forMs: 1610.523, target: "a", amount: 0.406 },
      { kind: "isolation", atMs: 25042.13, forMs: 1342.996, target: "a", amount: 0.91 },
    ],
  },
  {
    seed: 179,
    found: "I5: an engine that had failed took over from an unhealthy one",
    cause: "the offer was judged by a heartbeat older than the fault of the engine that took it [HO5]",
    faults: [
      { kind: "pause", atMs: 10393.41, forMs: 2699.244, target: "b", amount: 0.769 },
      { kind: "one-way-cut", atMs: 12771.995, forMs: 233.046, target: "a", amount: 0.766 },
      { kind: "isolation", atMs: 13747.711, forMs: 1816.711, target: "a", amount: 0.661 },
      { kind: "unhealthy-engine", atMs: 20013.013, forMs: 1663.907, target: "b", amount: 0.592 },
      { kind: "unhealthy-engine", atMs: 20654.656, forMs: 1487.238, target: "a", amount: 0.736 },
    ],
  },
  {
    seed: 1021,
    found: "I7: the follower never executed the end of its log",
    cause: "after a posted snapshot it had forgotten what its leader had confirmed",
    faults: [
      { kind: "kill", atMs: 28478.188, forMs: 1314.158, target: "a", amount: 0.884 },
      { kind: "late-snapshot", atMs: 29811.669, forMs: 0, target: "a", amount: 0.539 },
    ],
  },
  {
    seed: 22000,
    found: "I1: two engines could act at once under consistency",
    cause: "a lapsed leader renewed its own record at a witness that had forgotten its successor's [CP5]",
    faults: [
      { kind: "pause", atMs: 5404.776, forMs: 1111.57, target: "a", amount: 0.05 },
      { kind: "isolation", atMs: 14507.39, forMs: 1123.632, target: "b", amount: 0.243 },
      { kind: "witness-answers-lost", atMs: 15465.88, forMs: 510.07, target: "a", amount: 0.886 },
      { kind: "witness-old-copy", atMs: 15481.048, forMs: 0, target: "b", amount: 0.805 },
    ],
  },
  {
    seed: 30575,
    found: "I5: a campaign while behind what clients were told",
    cause: "an engine whose full disk kept it from the new epoch did not note what that epoch's leader told [CP4]",
    faults: [
      { kind: "cut", atMs: 6845.148, forMs: 1574.416, target: "a", amount: 0.729 },
      { kind: "disk-full", atMs: 8499.774, forMs: 1603.979, target: "a", amount: 0.245 },
      { kind: "pause", atMs: 9708.317, forMs: 1004.751, target: "b", amount: 0.239 },
    ],
  },
  {
    seed: 31036,
    found: "I5: an unhealthy leader's role was taken during maintenance",
    cause: "the target did not look at its own hold when automation offered it the role [CP1, HO3]",
    faults: [
      { kind: "flapping", atMs: 21000.028, forMs: 3330.552, target: "b", amount: 0.764 },
      { kind: "unhealthy-engine", atMs: 22401.539, forMs: 2605.208, target: "a", amount: 0.371 },
      { kind: "maintenance", atMs: 22783.445, forMs: 1826.815, target: "b", amount: 0.734 },
    ],
  },
  {
    seed: 5010,
    found: "I5: a campaign while behind what clients were told",
    cause: "the leader's heartbeats that came during a campaign which was then lost did not count [CP4]",
    faults: [
      { kind: "force-leader", atMs: 3618.666, forMs: 416.995, target: "b", amount: 0.5256 },
      { kind: "stall", atMs: 4938.102, forMs: 183.349, target: "b", amount: 0.962 },
      { kind: "maintenance", atMs: 5023.203, forMs: 1354.369, target: "a", amount: 0.368 },
      { kind: "isolation", atMs: 6224.446, forMs: 610.189, target: "b", amount: 0.446 },
      { kind: "witness-cut", atMs: 7169.906, forMs: 256.141, target: "a", amount: 0.002 },
      { kind: "pause", atMs: 7485.027, forMs: 1045.658, target: "a", amount: 0.269 },
    ],
  },
  {
    seed: 6233,
    found: "I5: a campaign during maintenance, as the disk had it",
    cause: "the onlooker read a disk that was too full for the lift; the later word stands, wherever it is kept [HO3]",
    faults: [
      { kind: "maintenance", atMs: 13140.909, forMs: 4480.984, target: "b", amount: 0.758 },
      { kind: "one-way-cut", atMs: 14257.439, forMs: 7475.598, target: "b", amount: 0.917 },
      { kind: "kill", atMs: 17682.964, forMs: 28.899, target: "a", amount: 0.483 },
      { kind: "power-off", atMs: 19981.356, forMs: 1863.487, target: "b", amount: 0.37 },
      { kind: "disk-full", atMs: 21908.55, forMs: 2822.755, target: "a", amount: 0.458 },
    ],
  },
  {
    seed: 8899,
    found: "I7: an engine that was started anew was let in no more",
    cause: "the greeting of its earlier life came late over the other link, and counted as the newer one [HB2]",
    faults: [
      { kind: "power-off", atMs: 17112.263, forMs: 1760.815, target: "a", amount: 0.145 },
      { kind: "one-way-cut", atMs: 19944.026, forMs: 6315.839, target: "a", amount: 0.912 },
      { kind: "one-link-cut", atMs: 21921.816, forMs: 4673.559, target: "b", amount: 0.022 },
      { kind: "one-way-cut", atMs: 23617.846, forMs: 6382.154, target: "b", amount: 0.144 },
      { kind: "pause", atMs: 23882.386, forMs: 411.544, target: "a", amount: 0.421 },
      { kind: "kill", atMs: 25454.22, forMs: 28.609, target: "b", amount: 0.393 },
      { kind: "cut", atMs: 27588.171, forMs: 2411.829, target: "a", amount: 0.111 },
      { kind: "kill", atMs: 29906.714, forMs: 93.286, target: "b", amount: 0.577 },
    ],
  },
  {
    seed: 250,
    found: "I9: a command acknowledged for the pair was neither executed nor kept as a conflict",
    cause:
      "b led from an older copy of its disk, and a had compacted away what stood behind that copy; now both tell it [SB3]",
    faults: [{ kind: "disk-restored", atMs: 5643, forMs: 70, target: "b", amount: 0.38 }],
  },
  {
    seed: 547,
    found: "VT5: a changeover was asked for in epoch 4, after the peer had said that it leads in 5",
    cause: "the disk refused the epoch, and the engine forgot that it had seen it [EP1]",
    faults: [
      { kind: "disk-restored", atMs: 6900, forMs: 3185, target: "a", amount: 0.476 },
      { kind: "disk-read-only", atMs: 9800, forMs: 504, target: "b", amount: 0.994 },
      { kind: "returns-from-alone", atMs: 10400, forMs: 1427, target: "a", amount: 0.354 },
    ],
  },
  {
    seed: 424,
    found: "DP1: a was ready, and did not take over when the leader's process died",
    cause: "it said so 7 ms before its first word with the engine process, which had to be restored [EN9] [CP5]",
    faults: [
      { kind: "clock-step", atMs: 13700, forMs: 0, target: "a", amount: 0.04 },
      { kind: "killed-again", atMs: 20300, forMs: 1250, target: "a", amount: 0.982 },
    ],
  },
  {
    seed: 1822,
    found: "I9: an engine had one command twice",
    cause: "it came back blank, was sent a command before that was known, and then the whole log [EN10]",
    faults: [
      { kind: "engine-killed", atMs: 9900, forMs: 1, target: "a", amount: 0.858 },
      { kind: "engine-killed", atMs: 10900, forMs: 704, target: "b", amount: 0.455 },
      { kind: "disk-stalled", atMs: 5122, forMs: 20, target: "a", amount: 0.481 },
      { kind: "disk-stalled", atMs: 8500, forMs: 2093, target: "a", amount: 0.748 },
    ],
  },
];
