import { type AdminState, NO_RECORD } from '@limpet/state';
import type { By, NewServer, ServerRef } from '../../admin/control.ts';
import { withoutServer, withServer, withServerChanged } from '../../config/edit.ts';
import type { Config, ServerConfig } from '../../config/resolved.ts';
import { LimpetError } from '../../errors.ts';
import { findBackend, findServer, nameOf } from './lookup.ts';
import { newServer, readMaxconn, readServerHost } from './new_server.ts';
import type { OrderBook } from './order_book.ts';
import type { Premises } from './premises.ts';

/** What operators order of single servers: as `Control` says. */
export class ServerOrders {
  readonly #premises: Premises;
  readonly #book: OrderBook;

  constructor(premises: Premises, book: OrderBook) {
    this.#premises = premises;
    this.#book = book;
  }

  async setState(ref: ServerRef, state: AdminState, by: By): Promise<void> {
    findServer(this.#premises.config(), ref);
    if (state !== 'drain') this.#premises.drains.leave(ref.backend, ref.server);
    this.#book.note(by, `server ${nameOf(ref)}: ${state}`);
    await this.#book.record(ref, { state });
  }

  async setWeight(ref: ServerRef, weight: number | null, by: By): Promise<void> {
    findServer(this.#premises.config(), ref);
    if (weight !== null && !(Number.isInteger(weight) && weight >= 0 && weight <= 256)) {
      throw new LimpetError('BAD_VALUE', `${weight} is no weight`, 'Give a whole number from 0 to 256.');
    }
    this.#book.note(by, `server ${nameOf(ref)}: weight ${weight ?? 'as configured'}`);
    await this.#book.record(ref, { weight });
  }

  async setAddress(ref: ServerRef, host: string, port: number | null, by: By): Promise<void> {
    const server = findServer(this.#premises.config(), ref);
    const to = readServerHost(host, port ?? server.port);
    this.#book.note(by, `server ${nameOf(ref)}: address ${to.host}:${to.port}`);
    await this.#edit(config => withServerChanged(config, ref.backend, ref.server, to));
  }

  async setMaxconn(ref: ServerRef, maxconn: number | null, by: By): Promise<void> {
    findServer(this.#premises.config(), ref);
    readMaxconn(maxconn);
    this.#book.note(by, `server ${nameOf(ref)}: maxconn ${maxconn ?? 'none'}`);
    await this.#edit(config => withServerChanged(config, ref.backend, ref.server, { maxconn }));
  }

  async setHealth(ref: ServerRef, verdict: 'up' | 'down', by: By): Promise<void> {
    findServer(this.#premises.config(), ref);
    this.#book.note(by, `server ${nameOf(ref)}: health ${verdict}`);
    this.#premises.health.force(ref.backend, ref.server, verdict);
  }

  async setChecks(ref: ServerRef, enabled: boolean, by: By): Promise<void> {
    const server = findServer(this.#premises.config(), ref);
    if (server.check === null) {
      const remedy = 'Give it a `check` in the configuration and reload.';
      throw new LimpetError('NO_CHECK', `${nameOf(ref)} has no health checks`, remedy);
    }
    this.#book.note(by, `server ${nameOf(ref)}: checks ${enabled ? 'on' : 'off'}`);
    this.#premises.health.setEnabled(ref.backend, ref.server, enabled);
  }

  async add(ref: ServerRef, what: NewServer, by: By): Promise<void> {
    const serverIn = (config: Config): ServerConfig => newServer(findBackend(config, ref.backend), ref.server, what);
    const server = serverIn(this.#premises.config());
    this.#book.note(by, `server ${nameOf(ref)} added: ${server.host}:${server.port}`);
    // It comes in maint, as HAProxy's does, unless an operator has said before what it is.
    if (!this.#premises.admin.records(ref.backend).has(ref.server)) await this.#book.record(ref, { state: 'maint' });
    // Looked at again when it is its turn: another operator may have added it meanwhile, or a reload taken the backend.
    await this.#edit(config => withServer(config, ref.backend, serverIn(config)));
  }

  async del(ref: ServerRef, by: By): Promise<void> {
    findServer(this.#premises.config(), ref);
    if (this.#book.recordOf(ref).state !== 'maint') {
      const remedy = `Set it to maint before: set server ${nameOf(ref)} state maint.`;
      throw new LimpetError('SERVER_NOT_IN_MAINT', `${nameOf(ref)} is not in maint`, remedy);
    }
    const sessions = this.#premises.conns(ref.backend, ref.server);
    if (sessions > 0) {
      const remedy = 'Wait until its sessions have ended, or shut them down.';
      throw new LimpetError(
        'SERVER_IN_USE',
        `${nameOf(ref)} has ${sessions} session${sessions === 1 ? '' : 's'}`,
        remedy,
      );
    }
    this.#book.note(by, `server ${nameOf(ref)} removed`);
    await this.#edit(config => withoutServer(config, ref.backend, ref.server));
    await this.#premises.admin.set(ref.backend, ref.server, NO_RECORD);
  }

  /** What some worker has not said in time that it uses is in use all the same: the order is carried out, with a warning. */
  async #edit(change: (config: Config) => Config): Promise<void> {
    try {
      await this.#premises.edit(change);
    } catch (error) {
      if (!(error instanceof LimpetError) || error.code !== 'RELOAD_LATE') throw error;
      this.#premises.log.warn('reload_warning', {}, `${error.message}; ${error.remedy}`);
    }
  }
}
