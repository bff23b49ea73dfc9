import { memoryCluster } from "../../adapters/memory/mod.ts";
import { clusterSuite } from "../../adapters/testing/mod.ts";
import * as t from "../harness/mod.ts";

clusterSuite(t, "memory", () => Promise.resolve({ cluster: memoryCluster() }));
