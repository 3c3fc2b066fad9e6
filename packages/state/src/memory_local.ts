import type { StickTable } from './contract.ts';
import type { MemoryTable } from './memory.ts';

/** The table behind the contract that all adapters share, for who is in the same process. */
export function localTable(table: MemoryTable): StickTable {
  return {
    claim: async request => table.claim(request),
    confirm: async pin => table.confirm(pin),
    abandon: async (key, by, displaced) => table.abandon(key, by, displaced),
    release: async pin => table.release(pin),
    forget: async pin => table.forget(pin),
    renew: async pins => table.renew(pins),
    get: async key => table.peek(key),
    close: async () => {},
  };
}
