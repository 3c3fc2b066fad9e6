/** Another live proxy that is behind the same virtual addresses, as far as the shared state tells of it. */
export interface PairMate {
  /** Whether it has a usable server in that backend. */
  sees(backend: string): boolean;
}

/**
 * Whether it helps that this proxy says it is not ready, because these backends have no usable server. Where none of the
 * others lacks fewer of them, moving the address would help nobody; and if all said no, nobody would have it. `others`
 * null: that cannot be known.
 */
export function helpsToLetGo(
  missing: readonly string[],
  needed: readonly string[],
  others: readonly PairMate[] | null,
): boolean {
  if (others === null) return true;
  return others.some(other => needed.filter(backend => !other.sees(backend)).length < missing.length);
}
