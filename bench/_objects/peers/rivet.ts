import { load, type PeerKind } from "./peer.ts";

interface Counter {
  readonly state: { count: number };
  saveState(options: { immediate: true }): Promise<void>;
}

/** What is used of rivetkit. */
interface Module {
  actor(definition: object): unknown;
  setup(options: object): {
    start(options: object): {
      readonly client: {
        readonly counter: {
          getOrCreate(key: readonly string[]): {
            increment(): Promise<number>;
            read(): Promise<number>;
          };
        };
      };
    };
  };
  createFileSystemDriver(options: { path: string }): unknown;
}

/** Rivet in this process. Its file driver writes a file per save and does not sync it. */
export const rivet: PeerKind = {
  label: "Rivet, file driver, not synced",
  restarts: false,
  open: async (folder) => {
    const { actor, setup, createFileSystemDriver } = await load<Module>("rivetkit");
    const counter = actor({
      state: { count: 0 },
      actions: {
        increment: async (c: Counter) => {
          c.state.count++;
          await c.saveState({ immediate: true });
          return c.state.count;
        },
        read: (c: Counter) => c.state.count,
      },
    });
    const { client } = setup({ use: { counter } }).start({
      driver: createFileSystemDriver({ path: folder }),
      disableDefaultServer: true,
      noWelcome: true,
      inspector: { enabled: false },
    });
    const handles = new Map<number, ReturnType<typeof client.counter.getOrCreate>>();
    const handle = (n: number): ReturnType<typeof client.counter.getOrCreate> => {
      const known = handles.get(n) ?? client.counter.getOrCreate([`user-${n}`]);
      handles.set(n, known);
      return known;
    };
    return {
      increment: (n) => handle(n).increment(),
      read: (n) => handle(n).read(),
      // It has no way to stop; its process ends.
      close: () => Promise.resolve(),
    };
  },
};
