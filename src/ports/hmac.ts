/**
 * HMAC-SHA-256 as a port: WebCrypto everywhere, or a runtime's faster synchronous one.
 *
 * @param key Key bytes.
 * @param data What to authenticate.
 * @returns The 32 byte tag, or a promise of it.
 */
export type Hmac = (key: Uint8Array, data: Uint8Array) => Uint8Array | Promise<Uint8Array>;
