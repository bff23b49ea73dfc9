/** The applications that are killed: the example, and the fixture, which checks no id of its own. */
import type { App } from "./kill.ts";
import { startServer } from "./process.ts";

/** The order wizard on a folder of its own. It knows a line by its id, as forms that come twice need. */
export function orderWizard(folder: string): App {
  const env = { PORT: "0", DATA_DIR: folder, STORAGE: "sqlite" };
  return {
    start: () => startServer("examples/order_wizard/main.ts", env),
    add: (jar, url, id) => jar.post(`${url}/cart`, { product: "kelp", quantity: "1", line: id }),
    acknowledges: 303,
    async read(jar, url) {
      const { lines }: { lines: { id: string }[] } = JSON.parse(
        (await jar.get(`${url}/api/cart`)).body,
      );
      return lines.map(({ id }) => id);
    },
    clear: (jar, url) => jar.post(`${url}/cart/remove`, { product: "kelp" }),
  };
}

/** The fixture on a database of its own: what is added twice is there twice. */
export function noteServer(database: string, more: Readonly<Record<string, string>> = {}): App {
  const env = {
    DATABASE: database,
    SECRET: "a secret of the tests, as long as it has to be",
    ...more,
  };
  return {
    start: () => startServer("test/e2e/fixture/server.ts", env),
    add: (jar, url, id) => jar.post(`${url}/note?text=${id}`),
    acknowledges: 200,
    read: async (jar, url) => JSON.parse((await jar.get(`${url}/notes`)).body).notes,
    clear: (jar, url) => jar.post(`${url}/clear`),
  };
}
