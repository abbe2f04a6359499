/**
 * `changeover/testing`: contract suites for authors of plug-ins. A suite is a list of cases; hand each to your test runner:
 * `for (const { title, run } of witnessContract(make)) test(title, run)`. The guides are in `docs/extending`.
 */
export type { ContractCase } from "./testing/contract.ts";
export {
  CUT_WITHOUT_SOURCE,
  engineContract,
  type EngineUnderTest,
  type SampleCommand,
} from "./testing/engine-contract.ts";
export { feedSinkContract, type FeedUnderTest } from "./testing/feed-sink-contract.ts";
export { linkContract, type LinksUnderTest } from "./testing/link-contract.ts";
export { witnessContract, type WitnessUnderTest } from "./testing/witness-contract.ts";
