import type { AdminLevel } from '../../config/resolved.ts';
import type { BackendFacts, BindFacts, FrontendFacts, ProxyFacts, Snapshot } from '../snapshot.ts';
import type { BackendView, BindView, FrontendView, PageView, ProxyView } from './page_view.ts';
import { familySum, latencyView, scopeView, serverViews, takesClients } from './server_view.ts';

/** What the page shows of this snapshot to somebody of that level. It holds no client's data, whatever the level. */
export function pageView(snapshot: Snapshot, level: AdminLevel): PageView {
  return {
    atMs: snapshot.atMs,
    level,
    proxy: proxyView(snapshot),
    proxies: snapshot.proxies,
    frontends: snapshot.frontends.map(frontendView),
    backends: snapshot.backends.map(backendView),
    workers: snapshot.workers.map(worker => ({
      ...scopeView(worker),
      ...{ name: worker.name, pid: worker.pid, state: worker.state, startedAtMs: worker.startedAtMs },
    })),
    tasks: snapshot.tasks,
  };
}

function proxyView({ info, frontends, workers }: Snapshot): ProxyView {
  return {
    ...scopeView(info),
    ...identity(info),
    ...{ store: info.store, storeReachable: info.storeReachable, maxconn: info.maxconn, queued: info.queued },
    connects: frontends.reduce((sum, { counts }) => sum + familySum(counts, 'connect:'), 0),
    refused: frontends.reduce((sum, { counts }) => sum + familySum(counts, 'refused:'), 0),
    workersReady: workers.filter(({ state }) => state === 'ready').length,
    workers: info.workers,
    lastReload: info.lastReload,
  };
}

function identity(info: ProxyFacts) {
  const { name, version, pid, startedAtMs, role, roleSinceMs, stopping } = info;
  const { predecessorPid, predecessorSessions, successorPid } = info.upgrade;
  const process = { name, version, pid, startedAtMs, stopping };
  return { ...process, role, roleSinceMs, predecessorPid, predecessorSessions, successorPid };
}

function frontendView(frontend: FrontendFacts): FrontendView {
  const { name, mode, state, maxconn, connRate, counts } = frontend;
  return {
    ...scopeView(frontend),
    ...{ name, mode, state, maxconn, connRate },
    leadsTo: frontend.backends,
    connections: counts.connections ?? 0,
    connects: familySum(counts, 'connect:'),
    refused: familySum(counts, 'refused:'),
    binds: frontend.binds.map(bindView),
  };
}

function bindView(bind: BindFacts, place: number): BindView {
  const host = bind.address.includes(':') ? `[${bind.address}]` : bind.address;
  return {
    ...scopeView(bind),
    key: `${place} ${bind.label}`,
    label: bind.label,
    listens: `${host}:${bind.port}`,
    tls: bind.tls,
    websocket: bind.websocket,
  };
}

function backendView(backend: BackendFacts): BackendView {
  const { name, mode, balance, counts, stick } = backend;
  return {
    ...scopeView(backend),
    ...{ name, mode, balance, stick },
    usable: backend.servers.filter(takesClients).length,
    retries: counts.retries ?? 0,
    reroutes: counts.reroutes ?? 0,
    failed: familySum(counts, 'failed:'),
    refused: familySum(counts, 'refused:'),
    latency: latencyView(backend.connect, backend.connack),
    servers: serverViews(backend),
  };
}
