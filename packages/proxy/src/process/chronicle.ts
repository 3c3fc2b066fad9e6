import type { AdminState } from '@limpet/state';
import { serverScope } from '../account/scope_names.ts';
import type { Config } from '../config/resolved.ts';
import type { HealthChange } from '../health/monitor.ts';
import type { ReloadPart } from './configurator.ts';
import type { FrontDesk } from './front_desk.ts';
import type { PrimaryStore } from './primary_store.ts';
import { ServerHistory } from './server_history.ts';
import type { Servers } from './servers.ts';

/** Who knows what becomes of servers. */
export interface ChroniclePremises {
  /** As it is in use. */
  config(): Config;
  readonly desk: FrontDesk;
  readonly servers: Servers;
  readonly store: PrimaryStore;
}

/** Writes down what becomes of servers: what their checks say, and what operators say of them. */
export class Chronicle implements ReloadPart {
  readonly history: ServerHistory = new ServerHistory();
  readonly #premises: ChroniclePremises;
  /** `backend/server` → the operator's word, as it was last noted. */
  readonly #noted = new Map<string, AdminState>();

  constructor(premises: ChroniclePremises) {
    this.#premises = premises;
    premises.store.admin.onChange(backend => this.#adminChanged(backend));
  }

  /** What operators have said before the start is in the store. */
  start(): void {
    for (const { name } of this.#premises.config().backends) this.#adminChanged(name);
  }

  /** Servers that leave the configuration are forgotten: an orchestrator may bring new names every minute. */
  async prepare({ backends }: Config): Promise<{ commit(): void; abort(): void }> {
    const commit = (): void => {
      const names = new Set(backends.flatMap(({ name, servers }) => servers.map(one => serverScope(name, one.name))));
      this.history.keep(names);
      for (const name of this.#noted.keys()) if (!names.has(name)) this.#noted.delete(name);
    };
    return { commit, abort() {} };
  }

  checked(backend: string, server: string, ok: boolean): void {
    this.#premises.desk.ledger.checked(backend, server, ok);
  }

  healthChanged({ backend, server, verdictChanged, health }: HealthChange): void {
    if (!verdictChanged) return;
    const isDown = health.verdict === 'down';
    if (isDown) this.#premises.desk.ledger.wentDown(backend, server);
    const change = { atMs: health.sinceMs, state: isDown ? 'DOWN' : 'UP', reason: health.reason };
    this.history.note(backend, server, change, isDown);
  }

  /** What operators say is part of a server's history, whichever proxy they said it to. */
  #adminChanged(backend: string): void {
    const { config, store, servers } = this.#premises;
    const records = store.admin.records(backend);
    for (const { name } of config().backends.find(one => one.name === backend)?.servers ?? []) {
      const state = records.get(name)?.state ?? 'ready';
      const key = `${backend}/${name}`;
      if ((this.#noted.get(key) ?? 'ready') === state) continue;
      this.#noted.set(key, state);
      const isDown = servers.health(backend, name).verdict === 'down';
      const change = { atMs: Date.now(), state: state.toUpperCase(), reason: 'set by an operator' };
      this.history.note(backend, name, change, isDown);
    }
  }
}
