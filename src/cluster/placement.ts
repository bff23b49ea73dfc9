/**
 * Weight of a node for a key: FNV-1a over both, finished as MurmurHash3 finishes, so that keys which
 * differ in their last character only are spread.
 */
function weight(address: string, key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < address.length; i++) {
    hash = Math.imul(hash ^ address.charCodeAt(i), 0x01000193);
  }
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Chooses the owner of a key by rendezvous hashing (Thaler and Ravishankar, "Using name-based
 * mappings to increase hit rates", 1998): every node that sees the same addresses chooses the same
 * one, and one that goes takes only its own keys along.
 *
 * @param addresses The candidates, in any order.
 * @returns One of them; `undefined` if there are none.
 */
export function ownerOf(addresses: Iterable<string>, key: string): string | undefined {
  let owner: string | undefined;
  let most = -1;
  for (const address of addresses) {
    const value = weight(address, key);
    if (value < most || (value === most && owner !== undefined && address >= owner)) continue;
    most = value;
    owner = address;
  }
  return owner;
}
