/** Forgets all but these names. */
export function keepOnly(memory: Map<string, unknown>, names: ReadonlySet<string>): void {
  for (const name of memory.keys()) {
    if (!names.has(name)) memory.delete(name);
  }
}
