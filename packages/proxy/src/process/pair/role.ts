import type { Role } from '../../admin/snapshot.ts';

/** So long a word counts for more than what the interfaces show: the addresses come and go a moment after it. */
const WORD_MS = 2000;

/**
 * Whether this proxy is the active one of its pair: by the words of whoever moves the addresses, and, should one be lost,
 * by whether the addresses are on this host. Pure; times are monotonic, in milliseconds.
 */
export class RoleKeeper {
  #role: Role;
  #wordAtMs = Number.NEGATIVE_INFINITY;

  constructor(first: Role) {
    this.#role = first;
  }

  get role(): Role {
    return this.#role;
  }

  /** A word was said. True: the role is another one now. */
  heard(isMaster: boolean, nowMs: number): boolean {
    this.#wordAtMs = nowMs;
    return this.#take(isMaster);
  }

  /** Somebody looked whether one of the addresses is here. True: the role is another one now. */
  looked(isHere: boolean, nowMs: number): boolean {
    return nowMs - this.#wordAtMs >= WORD_MS && this.#take(isHere);
  }

  #take(isActive: boolean): boolean {
    const role = isActive ? 'active' : 'standby';
    const isNew = role !== this.#role;
    this.#role = role;
    return isNew;
  }
}
