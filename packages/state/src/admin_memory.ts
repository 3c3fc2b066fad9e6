import type { AdminStore } from './admin.ts';
import { AdminBoard } from './admin_board.ts';

/** The admin state of a proxy without a shared store: it is gone with its process. */
export function memoryAdminStore(): AdminStore {
  const board = new AdminBoard();
  return {
    loaded: async () => {},
    records: backend => board.records(backend),
    set: async (backend, server, record) => board.put(backend, server, record),
    assume: (backend, server, record) => board.put(backend, server, record),
    onChange: listener => board.onChange(listener),
    unwritten: () => [],
    leaveUnwritten() {},
    setBackends() {},
    learn: async () => {},
    close: async () => {},
  };
}
