import { type AdminStore, NO_RECORD } from '@limpet/state';
import type { ScopeFacts, ScopeKind } from '../account/counters.ts';
import { bindScope, serverScope } from '../account/scope_names.ts';
import type { Measured } from '../account/scope_sums.ts';
import type {
  BackendFacts,
  BindFacts,
  FrontendFacts,
  PeerFacts,
  ProxyFacts,
  ServerFacts,
  Snapshot,
  StickFacts,
  TaskFacts,
  WorkerFacts,
} from '../admin/snapshot.ts';
import type { BackendConfig, BindConfig, Config, FrontendConfig, ServerConfig } from '../config/resolved.ts';
import type { ServerHealth } from '../health/server_watch.ts';
import { openFilesOfThisProcess } from '../listen/descriptors.ts';
import { leadsTo } from './leads.ts';
import type { ServerHistory } from './server_history.ts';

/** Where the parts of a snapshot come from. */
export interface SnapshotSources {
  /** As it is in use, and as the file had it when it was last read. */
  config(): Config;
  fileConfig(): Config;
  readonly disabled: ReadonlySet<string>;
  scope(kind: ScopeKind, name: string): Measured;
  readonly admin: AdminStore;
  health(backend: string, server: string): ServerHealth;
  address(host: string): string | null;
  conns(backend: string, server: string): number;
  readonly history: ServerHistory;
  tasks(): readonly TaskFacts[];
  workers(): readonly (Omit<WorkerFacts, keyof ScopeFacts> & { readonly id: number })[];
  /** All that share the state, the one that is given first. */
  proxies(self: ProxyFacts): readonly PeerFacts[];
  /** Where a bind listens; null: it does not. */
  listening(frontend: string, place: number): { readonly address: string; readonly port: number } | null;
  /** Entries of the primary's own table. */
  tableUsed(backend: string): number;
  proxy(): Omit<ProxyFacts, keyof ScopeFacts | 'name' | 'workers' | 'maxconn' | 'store' | 'ulimitN' | 'configPath'>;
}

/** Puts the truth of one moment together. */
export class SnapshotMaker {
  readonly #sources: SnapshotSources;
  readonly #ulimitN: number = Math.min(openFilesOfThisProcess(), Number.MAX_SAFE_INTEGER);

  constructor(sources: SnapshotSources) {
    this.#sources = sources;
  }

  make(): Snapshot {
    const config = this.#sources.config();
    const atMs = Date.now();
    const info = this.#info(config);
    return {
      atMs,
      info,
      frontends: config.frontends.map(frontend => this.#frontend(frontend)),
      backends: config.backends.map(backend => this.#backend(backend, config, atMs)),
      workers: this.#sources
        .workers()
        .map(({ id, ...worker }) => ({ ...this.#facts('worker', String(id)), ...worker })),
      tasks: this.#sources.tasks(),
      proxies: this.#sources.proxies(info),
    };
  }

  #info({ global, state, path }: Config): ProxyFacts {
    return {
      ...this.#facts('worker', ''),
      ...this.#sources.proxy(),
      name: global.name,
      workers: global.workers,
      maxconn: global.maxconn,
      store: state.store,
      ulimitN: this.#ulimitN,
      configPath: path,
    };
  }

  #frontend(frontend: FrontendConfig): FrontendFacts {
    const { name, mode, defaultBackend, maxconn, connRate, binds } = frontend;
    return {
      ...this.#facts('frontend', name),
      name,
      mode,
      state: this.#sources.disabled.has(name) ? 'disabled' : 'open',
      defaultBackend,
      backends: leadsTo(frontend),
      maxconn,
      connRate,
      binds: binds.map((bind, place) => this.#bind(frontend, bind, place)),
    };
  }

  #bind(frontend: FrontendConfig, bind: BindConfig, place: number): BindFacts {
    const there = this.#sources.listening(frontend.name, place);
    return {
      ...this.#facts('bind', bindScope(frontend, place)),
      label: bind.label,
      address: there?.address ?? bind.host,
      port: there?.port ?? bind.port,
      tls: bind.tls !== null,
      websocket: bind.websocket !== null,
    };
  }

  #backend(backend: BackendConfig, config: Config, atMs: number): BackendFacts {
    const measured = this.#sources.scope('backend', backend.name);
    return {
      ...measured,
      name: backend.name,
      mode: backend.mode,
      balance: backend.balance,
      stick: this.#stick(backend, config),
      servers: backend.servers.map(server => this.#server(backend, server, atMs)),
    };
  }

  #stick({ name, stick }: BackendConfig, { state }: Config): StickFacts | null {
    if (stick === null) return null;
    const { field, size, expireMs } = stick;
    return { field, size, expireMs, shared: state.store === 'redis', used: this.#sources.tableUsed(name) };
  }

  #server(backend: BackendConfig, server: ServerConfig, atMs: number): ServerFacts {
    const { admin, history } = this.#sources;
    const record = admin.records(backend.name).get(server.name) ?? NO_RECORD;
    const health = this.#sources.health(backend.name, server.name);
    const changes = history.changes(backend.name, server.name);
    return {
      ...this.#sources.scope('server', serverScope(backend.name, server.name)),
      name: server.name,
      host: server.host,
      address: this.#sources.address(server.host),
      port: server.port,
      admin: record.state,
      verdict: !health.checked && health.verdict === 'up' ? 'no_check' : health.verdict,
      suspect: health.suspect,
      reason: health.reason,
      sinceMs: changes[0]?.atMs ?? health.sinceMs,
      downtimeMs: history.downtimeMs(backend.name, server.name, atMs),
      checksEnabled: health.enabled,
      lastCheck: checkFacts(health.lastCheck),
      weight: record.weight ?? server.weight,
      weightConfigured: server.weight,
      backup: server.backup,
      maxconn: server.maxconn,
      conns: this.#sources.conns(backend.name, server.name),
      history: changes,
      dynamic: !this.#isInFile(backend.name, server.name),
    };
  }

  #isInFile(backend: string, server: string): boolean {
    const known = this.#sources.fileConfig().backends.find(({ name }) => name === backend);
    return known?.servers.some(({ name }) => name === server) ?? false;
  }

  #facts(kind: ScopeKind, name: string): ScopeFacts {
    const { sessions, sessionsMax, rate, rateMax, counts } = this.#sources.scope(kind, name);
    return { sessions, sessionsMax, rate, rateMax, counts };
  }
}

/** Without what the verdict alone needs: faces tell exactly what they describe. */
function checkFacts(check: ServerHealth['lastCheck']): ServerFacts['lastCheck'] {
  if (check === null) return null;
  const { status, code, durationMs, atMs, info } = check;
  return { status, code, durationMs, atMs, info };
}
