import * as t from "../harness/mod.ts";
import { s3Storage } from "../../adapters/s3/mod.ts";
import { storageSuite } from "../../adapters/testing/mod.ts";
import { noCeph } from "./fixtures/ceph.ts";
import { cephBucket, type Place, placeAt } from "./fixtures/servers.ts";
import { startStub } from "./fixtures/stub.ts";

function opened(place: Place, dispose: () => Promise<void>) {
  const open = () => Promise.resolve(s3Storage(place));
  return { storage: s3Storage(place), reopen: open, another: open, dispose };
}

storageSuite(t, "s3 stub", async () => {
  const stub = await startStub();
  return opened(placeAt(stub.endpoint), () => stub.close());
}, { durable: true, shared: true });

if (noCeph === undefined) {
  storageSuite(t, "s3 on Ceph", async () => {
    const { place, remove } = await cephBucket();
    return opened(place, remove);
  }, { durable: true, shared: true, bestEffortDelete: true });
} else {
  t.skip("[SB5] the storage contract holds on Ceph", noCeph);
}
