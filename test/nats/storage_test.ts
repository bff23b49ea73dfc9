import { natsStorage } from "../../adapters/nats/mod.ts";
import { storageSuite } from "../../adapters/testing/mod.ts";
import type { Storage } from "../../src/ports/storage.ts";
import * as t from "../harness/mod.ts";
import { noNats, startNats } from "./fixtures/server.ts";

if (noNats === undefined) {
  storageSuite(t, "nats", async () => {
    const server = await startNats();
    const open = (): Promise<Storage> => Promise.resolve(natsStorage({ servers: server.url }));
    return {
      storage: await open(),
      reopen: open,
      another: open,
      dispose: () => server.dispose(),
    };
  }, { durable: true, shared: true });
}

t.test("[NT1] wrong options of the storage are refused", () => {
  const servers = "nats://127.0.0.1:1";
  t.assertThrows(() => natsStorage({}), (error) => error instanceof TypeError);
  t.assertThrows(
    () => natsStorage({ servers, bucket: "a.b" }),
    (error) => error instanceof TypeError,
  );
  t.assertThrows(
    () => natsStorage({ servers, replicas: 6 }),
    (error) => error instanceof RangeError,
  );
});
