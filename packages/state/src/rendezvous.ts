/** A server as the hash sees it. */
export interface WeightedServer {
  readonly name: string;
  /** Its share of the keys, relative to the others'. 0: none. */
  readonly weight: number;
}

/**
 * The servers in the order in which they should be tried for a key: rendezvous hashing (highest random weight), weighted
 * by the logarithmic method of Schindelhauer and Schomaker (2005). Every proxy and every worker that knows the same
 * servers gets the same order. When a server goes, only its own keys move; when weights change, only the least possible
 * number does. Servers of weight 0 are left out.
 *
 * The score of a server is `-weight / ln(h)`; h is 52 bits of two 32-bit FNV-1a hashes over the UTF-16 code units of the
 * key, a NUL and the server's name, each finished by MurmurHash3's fmix32. Equal on every host and every version of Node.
 */
export function rendezvous(key: string, servers: readonly WeightedServer[]): string[] {
  const high = fnv1a(0x811c9dc5, `${key}\0`);
  const low = fnv1a(0x9747b28c, `${key}\0`);
  const scored: { name: string; score: number }[] = [];
  for (const { name, weight } of servers) {
    if (weight > 0) scored.push({ name, score: -weight / Math.log(unit(fnv1a(high, name), fnv1a(low, name))) });
  }
  scored.sort((a, b) => b.score - a.score || (a.name < b.name ? -1 : 1));
  return scored.map(server => server.name);
}

function fnv1a(state: number, text: string): number {
  let hash = state;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    if (unit > 0xff) hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  return hash;
}

function fmix32(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** A number between 0 and 1, both excluded, so that its logarithm is finite and not 0. */
function unit(high: number, low: number): number {
  return ((fmix32(high) & 0xfffff) * 0x1_0000_0000 + fmix32(low) + 0.5) / 0x10_0000_0000_0000;
}
