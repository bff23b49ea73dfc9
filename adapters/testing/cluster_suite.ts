import { encodeBase64url } from "../../src/core/base64url.ts";
import type { Cluster, ClusterReply } from "../../src/ports/cluster.ts";
import { webRandom } from "../web/random.ts";
import { checkSuite, type TestApi } from "./test_api.ts";

/** A cluster made for one test. */
export interface OpenCluster {
  /** What one node is given. */
  readonly cluster: Cluster;
  /** What another node is given, if each has its own. @default the same */
  readonly another?: () => Cluster;
  /** Cleans up after the test. */
  dispose?(): Promise<void>;
}

interface Node {
  readonly address: string;
  readonly link: ReturnType<Cluster["join"]>;
  readonly heard: string[];
}

const random = webRandom();

/** Joins, and waits until it is linked. */
async function node(
  cluster: Cluster,
  answer: (text: string) => Promise<string> = (text) => Promise.resolve(text),
): Promise<Node> {
  const address = encodeBase64url(random.bytes(12));
  const heard: string[] = [];
  let ready = () => {};
  const linked = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const link = cluster.join(address, {
    request: answer,
    broadcast: (text) => void heard.push(text),
    linked: (up) => {
      if (up) ready();
    },
  });
  await linked;
  return { address, link, heard };
}

const rules: readonly {
  readonly title: string;
  readonly body: (t: TestApi, open: OpenCluster) => Promise<void>;
}[] = [
  {
    title: "[CP1] a request reaches the node it is for, and the answer its sender",
    body: async (t, { cluster, another = () => cluster }) => {
      const a = await node(cluster);
      const b = await node(another(), (text) => Promise.resolve(`b got ${text}`));
      const text = "\ufeffé 漢 \u{1f980}".repeat(1000);
      const replies: readonly ClusterReply[] = await Promise.all([
        a.link.request(b.address, text, 5000),
        b.link.request(a.address, "to a", 5000),
      ]);
      t.assertEquals(replies, [{ ok: true, text: `b got ${text}` }, { ok: true, text: "to a" }]);
      await Promise.all([a.link.close(), b.link.close()]);
    },
  },
  {
    title: "[CP2] a request to nobody, or to one that has left, is undelivered",
    body: async (t, { cluster, another = () => cluster }) => {
      const a = await node(cluster);
      const b = await node(another());
      await b.link.close();
      for (const address of ["nobody", b.address]) {
        const reply = await a.link.request(address, "x", 5000);
        t.assertEquals(reply, { ok: false, why: "undelivered" });
      }
      await a.link.close();
    },
  },
  {
    title: "[CP3] a request whose node leaves unanswered is never called undelivered",
    body: async (t, { cluster, another = () => cluster }) => {
      let got = () => {};
      const reached = new Promise<void>((resolve) => {
        got = resolve;
      });
      const a = await node(cluster);
      const b = await node(another(), () => {
        got();
        return new Promise(() => {});
      });
      const reply = a.link.request(b.address, "x", 2000);
      await reached;
      await a.link.close();
      t.assertEquals(await reply, { ok: false, why: "unknown" });
      await b.link.close();
    },
  },
  {
    title: "[CP4] a broadcast reaches all nodes but its own",
    body: async (t, { cluster, another = () => cluster }) => {
      const nodes = [await node(cluster), await node(another()), await node(another())];
      const [a, b, c] = nodes;
      a?.link.broadcast("one");
      // Once both have answered, all that was sent to them before has arrived.
      await a?.link.request(b?.address ?? "", "x", 5000);
      await a?.link.request(c?.address ?? "", "x", 5000);
      t.assertEquals(nodes.map(({ heard }) => heard), [[], ["one"], ["one"]]);
      await Promise.all(nodes.map(({ link }) => link.close()));
    },
  },
  {
    title: "[CP5] who has left hears and says nothing more, and may leave again",
    body: async (t, { cluster, another = () => cluster }) => {
      const a = await node(cluster);
      const b = await node(another());
      await b.link.close();
      await b.link.close();
      b.link.broadcast("from the dead");
      a.link.broadcast("to the dead");
      const c = await node(another());
      await a.link.request(c.address, "x", 5000);
      t.assertEquals([a.heard, b.heard], [[], []]);
      t.assertEquals(await b.link.request(a.address, "x", 500), { ok: false, why: "undelivered" });
      await Promise.all([a.link.close(), c.link.close()]);
    },
  },
  {
    title: "[CP6] a text of the largest size is carried",
    body: async (t, { cluster, another = () => cluster }) => {
      const a = await node(cluster);
      const b = await node(another());
      const text = "x".repeat(a.link.maxBytes);
      const reply = await a.link.request(b.address, text, 10_000);
      t.assertEquals(reply.ok && reply.text === text, true);
      await Promise.all([a.link.close(), b.link.close()]);
    },
  },
];

/**
 * Registers the contract of clusters (SPEC CP) for one driver. Its titles are `driver: [CP1] …`.
 *
 * @param t The test runner.
 * @param driver Name of the driver, for the titles.
 * @param open Makes a cluster for each test, to which nobody else belongs.
 */
export function clusterSuite(
  t: TestApi,
  driver: string,
  open: () => Promise<OpenCluster>,
): void {
  checkSuite(t, driver, open);
  for (const rule of rules) {
    t.test(`${driver}: ${rule.title}`, async () => {
      const opened = await open();
      try {
        await rule.body(t, opened);
      } finally {
        await opened.dispose?.();
      }
    });
  }
}
