import { age } from '../../admin/runtime/age.ts';
import type { Role } from '../../admin/snapshot.ts';
import { hasLocal } from '../../local_addresses.ts';
import type { Log } from '../../log.ts';
import { NotifyFifo } from './notify_fifo.ts';
import { readNotice } from './notify_line.ts';
import { RoleKeeper } from './role.ts';

export interface RoleDeskPremises {
  readonly log: Log;
  /** The virtual addresses, as configured now. */
  addresses(): readonly string[];
  /** It is another one now. */
  changed(role: Role): void;
}

/** Lines that mean nothing are told of, but not all of a flood of them. */
const MOST_UNKNOWN = 10;

/** The role of this proxy: hears the FIFO, and looks at the addresses of this host. */
export class RoleDesk {
  readonly #premises: RoleDeskPremises;
  #keeper: RoleKeeper;
  #sinceMs: number | null = null;
  #openedAtMs: number = Date.now();
  #fifo: NotifyFifo | null = null;
  #unknown = 0;

  /** @param first its role until it begins to look */
  constructor(premises: RoleDeskPremises, first: Role) {
    this.#premises = premises;
    this.#keeper = new RoleKeeper(first);
  }

  get role(): Role {
    return this.#keeper.role;
  }

  /** `Date.now()`; null: it has not changed since the start. */
  get sinceMs(): number | null {
    return this.#sinceMs;
  }

  /** The first look; from now on the FIFO, which must be there, is heard. @throws LimpetError NOTIFY_FIFO */
  open(fifo: string): void {
    this.#keeper = new RoleKeeper(hasLocal(this.#premises.addresses()) ? 'active' : 'standby');
    this.#openedAtMs = Date.now();
    const { role } = this.#keeper;
    const why = whereabouts(role);
    this.#premises.log.info('role', { role, why }, `${role} from the start: ${why}`);
    this.#fifo = new NotifyFifo(fifo, line => this.#heard(line));
  }

  /** Whether the addresses are where the last word has left them. */
  look(): void {
    const isHere = hasLocal(this.#premises.addresses());
    if (this.#keeper.looked(isHere, performance.now())) this.#changed(whereabouts(this.role));
  }

  close(): void {
    this.#fifo?.close();
  }

  #heard(line: string): void {
    const notice = readNotice(line);
    if (notice.kind === 'unknown') this.#wonder(notice.text);
    if (notice.kind !== 'word') return;
    if (this.#keeper.heard(notice.isMaster, performance.now()))
      this.#changed(`the notify FIFO says ${notice.word} (instance "${notice.who}")`);
  }

  #changed(why: string): void {
    const { log, changed } = this.#premises;
    const { role } = this;
    const nowMs = Date.now();
    const before = `it was ${role === 'active' ? 'standby' : 'active'} for ${age(nowMs - (this.#sinceMs ?? this.#openedAtMs))}`;
    this.#sinceMs = nowMs;
    log[role === 'active' ? 'info' : 'warn']('role', { role, why }, `${role} from now on: ${why}; ${before}`);
    changed(role);
  }

  #wonder(line: string): void {
    this.#unknown += 1;
    if (this.#unknown > MOST_UNKNOWN) return;
    this.#premises.log.warn('notify_unknown', { line }, 'the FIFO says what means nothing here');
  }
}

function whereabouts(role: Role): string {
  return `${role === 'active' ? 'a' : 'no'} virtual address is on this host`;
}
