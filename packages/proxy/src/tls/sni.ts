/**
 * Finds what belongs to a server name: the exact name before a wildcard, and where several have the same name the first. A
 * wildcard stands for exactly one label (RFC 6125, 6.4.3): `*.example.com` is `a.example.com`, not `a.b.example.com`.
 */
export class NameIndex<T> {
  readonly #exact = new Map<string, T>();
  readonly #wildcards = new Map<string, T>();

  /** Names in lower case. */
  add(names: readonly string[], value: T): void {
    for (const name of names) {
      const isWildcard = name.startsWith('*.');
      const map = isWildcard ? this.#wildcards : this.#exact;
      const key = isWildcard ? name.slice(2) : name;
      if (!map.has(key)) map.set(key, value);
    }
  }

  find(name: string): T | null {
    const parent = name.slice(name.indexOf('.') + 1);
    return this.#exact.get(name) ?? (parent.length < name.length ? this.#wildcards.get(parent) : undefined) ?? null;
  }
}
