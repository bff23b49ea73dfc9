import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertEquals, test, type TestContext } from "../harness/mod.ts";
import { noteServer } from "./apps.ts";
import { Jar } from "./jar.ts";

/** Two servers on one file: one of the version before, one of the next. */
async function bothVersions(t: TestContext): Promise<{ before: string; next: string }> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-versions-"));
  t.defer(() => rmSync(folder, { recursive: true, force: true }));
  const start = async (vsn: string): Promise<string> => {
    const server = await noteServer(join(folder, "notes.db"), { VSN: vsn }).start();
    t.defer(() => server.stop());
    return server.url;
  };
  return { before: await start("1"), next: await start("2") };
}

test("[SH8] [SH10] [SH11] two processes, one of the next version: the newer data stays", async (t) => {
  const { before, next } = await bothVersions(t);
  const jar = new Jar();
  const notes = async (url: string) => JSON.parse((await jar.get(`${url}/notes`)).body);
  await jar.post(`${before}/note?text=a`);
  // Reading migrates for the reader only, so the version before goes on.
  assertEquals(await notes(next), { status: "migrated", notes: ["a of 1"] });
  assertEquals((await jar.post(`${before}/note?text=b`)).status, 200);
  assertEquals((await jar.post(`${next}/note?text=c`)).body, '["a of 1","b of 1","c"]');
  // From here on the version before neither shows nor overwrites what it does not know.
  const refused = await jar.post(`${before}/note?text=d`);
  assertEquals([refused.status, refused.body], [503, "ERR_NEWER_VERSION"]);
  assertEquals((await notes(before)).status, "newer");
  assertEquals(await notes(next), { status: "recovered", notes: ["a of 1", "b of 1", "c"] });
});

test("[SE8] [SE6] two processes: an id that one has ended or left is dead at the other", async (t) => {
  const { before: one, next: other } = await bothVersions(t);
  const jar = new Jar();
  await jar.post(`${other}/note?text=a`);
  const old = jar.header;
  await jar.post(`${one}/login`);
  assertEquals(jar.header === old, false, "the id has changed");
  const thief = (url: string) => new Jar(old).get(`${url}/notes`);
  for (const url of [one, other]) {
    assertEquals(JSON.parse((await thief(url)).body), { status: "not_found", notes: [] });
  }
  const before = jar.header;
  await jar.post(`${other}/logout`);
  assertEquals(jar.header, "");
  for (const url of [one, other]) {
    const replayed = await new Jar(before).get(`${url}/notes`);
    assertEquals(JSON.parse(replayed.body), { status: "not_found", notes: [] });
  }
});
