/**
 * For those who write drivers or test what they built on this library: the conformance suites, time
 * that a test turns by hand, chance that repeats, storages that fail on purpose, and tools for
 * durable objects, from one handler on its own to what is stored and scheduled, and to several nodes
 * in a simulation.
 *
 * @module
 */
export { faultyStorage, seededPlan } from "./faults.ts";
export type {
  Fault,
  FaultPlan,
  FaultRates,
  FaultyStorage,
  FaultyStorageOptions,
} from "./faults.ts";
export type { StorageCall, StorageOperation } from "./faults.ts";
export {
  assertAlarmScheduled,
  assertPersisted,
  drainAlarms,
  fireAlarm,
  refuteAlarmScheduled,
} from "./objects.ts";
export type { ExpectedAlarm, WithObjects } from "./objects.ts";
export { performAlarm, performHandler } from "./perform.ts";
export type { GivenObject, PerformedHandler } from "./perform.ts";
export { seededRandom } from "./seeded_random.ts";
export { clusterSuite } from "./cluster_suite.ts";
export type { OpenCluster } from "./cluster_suite.ts";
export { storageSuite } from "./storage_suite.ts";
export type { StorageSuiteFlags } from "./storage_suite.ts";
export type { OpenStorage } from "./storage_rules/rule.ts";
export type { TestApi } from "./test_api.ts";
export { createVirtualClock } from "./virtual_clock.ts";
export type { VirtualClock, VirtualClockOptions } from "./virtual_clock.ts";
export { NodeLostError } from "./simulator/client.ts";
export type { SimulatedCallOptions, SimulatedClient } from "./simulator/client.ts";
export type { FaultLevels, SimulatedFault } from "./simulator/faults.ts";
export type { CallOutcome, SimulationCounts } from "./simulator/history.ts";
export type {
  SimulatedObject,
  SimulationEnd,
  SimulationOptions,
  SimulationReport,
} from "./simulator/options.ts";
export { simulateSeeds, SimulationError } from "./simulator/seeds.ts";
export type { SeedsOptions, SeedsReport } from "./simulator/seeds.ts";
export type { Shrunk } from "./simulator/shrink.ts";
export { simulate } from "./simulator/simulate.ts";
