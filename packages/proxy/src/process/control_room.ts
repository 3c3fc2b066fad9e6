import { type AdminRecord, type AdminState, type AdminStore, NO_RECORD, stickKey } from '@limpet/state';
import type { ConnectError, SessionFacts, SessionFilter } from '../account/session_facts.ts';
import type {
  AdminEvent,
  By,
  ClientFacts,
  Control,
  DrainRequest,
  NewServer,
  RebalanceRequest,
  ReloadReport,
  ServerRef,
  TableAdmin,
} from '../admin/control.ts';
import type { EventRing } from '../admin/event_ring.ts';
import type { HistoryFacts } from '../admin/history.ts';
import type { Snapshot, TaskFacts } from '../admin/snapshot.ts';
import { withFrontendChanged, withMaxconn, withoutServer, withServer, withServerChanged } from '../config/edit.ts';
import type { BackendConfig, Config, FrontendConfig, ServerConfig } from '../config/resolved.ts';
import { LimpetError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Drains } from './drains/drains.ts';
import { newServer, readMaxconn, readServerHost } from './new_server.ts';
import type { Questions } from './questions.ts';

/** What the control room has to do with. */
export interface Premises {
  /** As it is in use. */
  config(): Config;
  /** Goes over to an edited one; everybody uses it when this resolves. */
  edit(change: (config: Config) => Config): Promise<void>;
  reload(): Promise<ReloadReport>;
  /** Frontends that an operator has disabled stay so across reloads. */
  setFrontendEnabled(frontend: string, enabled: boolean): Promise<void>;
  snapshot(): Snapshot;
  history(): HistoryFacts;
  errors(): readonly ConnectError[];
  /** Sessions counted to a server. */
  conns(backend: string, server: string): number;
  readonly admin: AdminStore;
  readonly drains: Drains;
  readonly questions: Questions;
  readonly events: EventRing;
  readonly table: TableAdmin;
  readonly health: {
    force(backend: string, server: string, verdict: 'up' | 'down'): void;
    setEnabled(backend: string, server: string, enabled: boolean): void;
  };
  readonly log: Log;
}

const MOST_SESSIONS = 1_000_000;

/** The proxy in the hands of its operators: checks what they ask for, does it, and writes down who asked. */
export class ControlRoom implements Control {
  readonly #premises: Premises;

  constructor(premises: Premises) {
    this.#premises = premises;
  }

  get table(): TableAdmin {
    return this.#premises.table;
  }

  snapshot(): Snapshot {
    return this.#premises.snapshot();
  }

  history(): HistoryFacts {
    return this.#premises.history();
  }

  events(afterId: number): readonly AdminEvent[] {
    return this.#premises.events.after(afterId);
  }

  onEvent(listener: (event: AdminEvent) => void): () => void {
    return this.#premises.events.listen(listener);
  }

  errors(): readonly ConnectError[] {
    return this.#premises.errors();
  }

  async setServerState(ref: ServerRef, state: AdminState, by: By): Promise<void> {
    this.#server(ref);
    if (state !== 'drain') this.#premises.drains.leave(ref.backend, ref.server);
    this.#note(by, `server ${nameOf(ref)}: ${state}`);
    await this.#record(ref, { state });
  }

  async setServerWeight(ref: ServerRef, weight: number | null, by: By): Promise<void> {
    this.#server(ref);
    if (weight !== null && !(Number.isInteger(weight) && weight >= 0 && weight <= 256)) {
      throw new LimpetError('BAD_VALUE', `${weight} is no weight`, 'Give a whole number from 0 to 256.');
    }
    this.#note(by, `server ${nameOf(ref)}: weight ${weight ?? 'as configured'}`);
    await this.#record(ref, { weight });
  }

  async setServerAddress(ref: ServerRef, host: string, port: number | null, by: By): Promise<void> {
    const server = this.#server(ref);
    const to = readServerHost(host, port ?? server.port);
    this.#note(by, `server ${nameOf(ref)}: address ${to.host}:${to.port}`);
    await this.#edit(config => withServerChanged(config, ref.backend, ref.server, to));
  }

  async setServerMaxconn(ref: ServerRef, maxconn: number | null, by: By): Promise<void> {
    this.#server(ref);
    readMaxconn(maxconn);
    this.#note(by, `server ${nameOf(ref)}: maxconn ${maxconn ?? 'none'}`);
    await this.#edit(config => withServerChanged(config, ref.backend, ref.server, { maxconn }));
  }

  async setServerHealth(ref: ServerRef, verdict: 'up' | 'down', by: By): Promise<void> {
    this.#server(ref);
    this.#note(by, `server ${nameOf(ref)}: health ${verdict}`);
    this.#premises.health.force(ref.backend, ref.server, verdict);
  }

  async setServerChecks(ref: ServerRef, enabled: boolean, by: By): Promise<void> {
    const server = this.#server(ref);
    if (server.check === null) {
      const remedy = 'Give it a `check` in the configuration and reload.';
      throw new LimpetError('NO_CHECK', `${nameOf(ref)} has no health checks`, remedy);
    }
    this.#note(by, `server ${nameOf(ref)}: checks ${enabled ? 'on' : 'off'}`);
    this.#premises.health.setEnabled(ref.backend, ref.server, enabled);
  }

  async addServer(ref: ServerRef, what: NewServer, by: By): Promise<void> {
    const backend = this.#backend(ref.backend);
    const server = newServer(backend, ref.server, what);
    this.#note(by, `server ${nameOf(ref)} added: ${server.host}:${server.port}`);
    // It comes in maint, as HAProxy's does, unless an operator has said before what it is.
    if (!this.#premises.admin.records(ref.backend).has(ref.server)) await this.#record(ref, { state: 'maint' });
    await this.#edit(config => withServer(config, ref.backend, server));
  }

  async delServer(ref: ServerRef, by: By): Promise<void> {
    this.#server(ref);
    if (this.#recordOf(ref).state !== 'maint') {
      const remedy = `Set it to maint before: set server ${nameOf(ref)} state maint.`;
      throw new LimpetError('SERVER_NOT_IN_MAINT', `${nameOf(ref)} is not in maint`, remedy);
    }
    const sessions = this.#premises.conns(ref.backend, ref.server);
    if (sessions > 0) {
      const remedy = 'Wait until its sessions have ended, or shut them down.';
      throw new LimpetError('SERVER_IN_USE', `${nameOf(ref)} has ${sessions} sessions`, remedy);
    }
    this.#note(by, `server ${nameOf(ref)} removed`);
    await this.#edit(config => withoutServer(config, ref.backend, ref.server));
    await this.#premises.admin.set(ref.backend, ref.server, NO_RECORD);
  }

  async setFrontendEnabled(frontend: string, enabled: boolean, by: By): Promise<void> {
    this.#frontend(frontend);
    this.#note(by, `frontend ${frontend}: ${enabled ? 'enabled' : 'disabled'}`);
    await this.#premises.setFrontendEnabled(frontend, enabled);
  }

  async setFrontendMaxconn(frontend: string, maxconn: number | null, by: By): Promise<void> {
    this.#frontend(frontend);
    readMaxconn(maxconn);
    this.#note(by, `frontend ${frontend}: maxconn ${maxconn ?? 'none'}`);
    await this.#edit(config => withFrontendChanged(config, frontend, { maxconn }));
  }

  async setFrontendConnRate(frontend: string, connRate: number | null, by: By): Promise<void> {
    this.#frontend(frontend);
    if (connRate !== null && !(connRate > 0 && connRate <= 1_000_000)) {
      throw new LimpetError('BAD_VALUE', `${connRate} is no rate`, 'Give connections a second, above 0.');
    }
    this.#note(by, `frontend ${frontend}: conn_rate ${connRate ?? 'none'}`);
    await this.#edit(config => withFrontendChanged(config, frontend, { connRate }));
  }

  async setGlobalMaxconn(maxconn: number, by: By): Promise<void> {
    readMaxconn(maxconn);
    this.#note(by, `global maxconn ${maxconn}`);
    await this.#edit(config => withMaxconn(config, maxconn));
  }

  async drain(request: DrainRequest, by: By): Promise<TaskFacts> {
    this.#server(request);
    const pace = request.rate === null ? 'new clients only' : `${request.rate} sessions a second`;
    this.#note(by, `server ${nameOf(request)}: drain, ${pace}`);
    // First the state: whoever is asked to leave must not come back here.
    await this.#record(request, { state: 'drain' });
    return this.#premises.drains.drain(request);
  }

  async rebalance(request: RebalanceRequest, by: By): Promise<TaskFacts> {
    this.#backend(request.backend);
    this.#note(by, `backend ${request.backend}: rebalance, ${request.rate} sessions a second`);
    return this.#premises.drains.rebalance(request);
  }

  async pauseTask(id: number, by: By): Promise<TaskFacts> {
    const task = this.#premises.drains.pause(id);
    this.#note(by, `${task.kind} ${id} paused`);
    return task;
  }

  async resumeTask(id: number, by: By): Promise<TaskFacts> {
    const task = this.#premises.drains.resume(id);
    this.#note(by, `${task.kind} ${id} goes on`);
    return task;
  }

  async cancelTask(id: number, by: By): Promise<TaskFacts> {
    const task = this.#premises.drains.cancel(id);
    this.#note(by, `${task.kind} ${id} taken back`);
    if (task.server === null) return task;
    const ref = { backend: task.backend, server: task.server };
    if (this.#recordOf(ref).state === 'drain') await this.#record(ref, { state: 'ready' });
    return task;
  }

  sessions(filter: SessionFilter, limit: number): Promise<readonly SessionFacts[]> {
    return this.#premises.questions.list(filter, Math.min(limit, MOST_SESSIONS));
  }

  async endSessions(filter: SessionFilter, by: By): Promise<number> {
    const ended = await this.#premises.questions.end(filter);
    // What is in the filter may be a client's text: the log has a field for that, not this line.
    const what = ended === 1 ? '1 session' : `${ended} sessions`;
    this.#note(by, `${what} ended, chosen by ${Object.keys(filter).join(', ') || 'nothing'}`);
    return ended;
  }

  async client(clientId: string): Promise<ClientFacts> {
    const byClientId = this.#premises.config().backends.filter(({ stick }) => stick?.field === 'client_id');
    const key = stickKey(clientId);
    const [sessions, ...found] = await Promise.all([
      this.sessions({ clientId }, 100),
      ...byClientId.map(async ({ name }) => ({ backend: name, entry: await this.table.get(name, key) })),
    ]);
    const entries = found.flatMap(({ backend, entry }) => (entry === null ? [] : [{ ...entry, backend }]));
    return { clientId, sessions, entries };
  }

  async reload(by: By): Promise<ReloadReport> {
    this.#note(by, 'reload');
    return await this.#premises.reload();
  }

  /** Writes what changes, and keeps the rest of what an operator has said. */
  async #record(ref: ServerRef, change: Partial<AdminRecord>): Promise<void> {
    await this.#premises.admin.set(ref.backend, ref.server, { ...this.#recordOf(ref), ...change });
  }

  #recordOf({ backend, server }: ServerRef): AdminRecord {
    return this.#premises.admin.records(backend).get(server) ?? NO_RECORD;
  }

  async #edit(edit: (config: Config) => Config): Promise<void> {
    await this.#premises.edit(edit);
  }

  #note(by: By, what: string): void {
    this.#premises.log.info('admin', { by, what }, `${what} (${by})`);
  }

  #backend(name: string): BackendConfig {
    const { backends } = this.#premises.config();
    const found = backends.find(backend => backend.name === name);
    if (found !== undefined) return found;
    const names = backends.map(backend => backend.name).join(', ');
    throw new LimpetError('UNKNOWN_BACKEND', `there is no backend ${shown(name)}`, `There are: ${names}.`);
  }

  #server({ backend, server }: ServerRef): ServerConfig {
    const { servers } = this.#backend(backend);
    const found = servers.find(({ name }) => name === server);
    if (found !== undefined) return found;
    const names = servers.map(({ name }) => `${backend}/${name}`).join(', ');
    throw new LimpetError(
      'UNKNOWN_SERVER',
      `there is no server ${shown(`${backend}/${server}`)}`,
      `There are: ${names}.`,
    );
  }

  #frontend(name: string): FrontendConfig {
    const { frontends } = this.#premises.config();
    const found = frontends.find(frontend => frontend.name === name);
    if (found !== undefined) return found;
    const names = frontends.map(frontend => frontend.name).join(', ');
    throw new LimpetError('UNKNOWN_FRONTEND', `there is no frontend ${shown(name)}`, `There are: ${names}.`);
  }
}

function nameOf({ backend, server }: ServerRef): string {
  return `${backend}/${server}`;
}

/** An operator's own text may have been pasted from anywhere. */
function shown(name: string): string {
  return JSON.stringify(name.slice(0, 100));
}
