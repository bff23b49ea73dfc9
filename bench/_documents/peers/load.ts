/** Loads a package that is installed here when it is needed, and that nobody else has. */
export async function load<T>(name: string): Promise<T> {
  return await import(name) as T;
}

/** What is used of `ws`, which ShareDB and tldraw are served with. */
export interface Ws {
  readonly WebSocketServer: new (options: { server: object }) => {
    on(
      event: "connection",
      listener: (socket: Socket, request: { readonly url?: string }) => void,
    ): void;
  };
}

/** A socket of `ws`. */
export interface Socket {
  send(text: string, done?: () => void): void;
  on(event: "message" | "close", listener: (data: unknown) => void): void;
}
