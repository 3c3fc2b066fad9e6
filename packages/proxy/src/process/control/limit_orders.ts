import type { By } from '../../admin/control.ts';
import { withFrontendChanged, withMaxconn } from '../../config/edit.ts';
import { LimpetError } from '../../errors.ts';
import { findFrontend } from './lookup.ts';
import { readMaxconn } from './new_server.ts';
import type { OrderBook } from './order_book.ts';
import type { Premises } from './premises.ts';

/** What operators order of who may come in, at frontends and in all: as `Control` says. */
export class LimitOrders {
  readonly #premises: Premises;
  readonly #book: OrderBook;

  constructor(premises: Premises, book: OrderBook) {
    this.#premises = premises;
    this.#book = book;
  }

  async setFrontendEnabled(frontend: string, enabled: boolean, by: By): Promise<void> {
    findFrontend(this.#premises.config(), frontend);
    this.#book.note(by, `frontend ${frontend}: ${enabled ? 'enabled' : 'disabled'}`);
    await this.#premises.setFrontendEnabled(frontend, enabled);
  }

  async setFrontendMaxconn(frontend: string, maxconn: number | null, by: By): Promise<void> {
    findFrontend(this.#premises.config(), frontend);
    readMaxconn(maxconn);
    this.#book.note(by, `frontend ${frontend}: maxconn ${maxconn ?? 'none'}`);
    await this.#premises.edit(config => withFrontendChanged(config, frontend, { maxconn }));
  }

  async setFrontendConnRate(frontend: string, connRate: number | null, by: By): Promise<void> {
    findFrontend(this.#premises.config(), frontend);
    if (connRate !== null && !(connRate > 0 && connRate <= 1_000_000)) {
      throw new LimpetError('BAD_VALUE', `${connRate} is no rate`, 'Give connections a second, above 0.');
    }
    this.#book.note(by, `frontend ${frontend}: conn_rate ${connRate ?? 'none'}`);
    await this.#premises.edit(config => withFrontendChanged(config, frontend, { connRate }));
  }

  async setGlobalMaxconn(maxconn: number, by: By): Promise<void> {
    readMaxconn(maxconn);
    this.#book.note(by, `global maxconn ${maxconn}`);
    await this.#premises.edit(config => withMaxconn(config, maxconn));
  }
}
