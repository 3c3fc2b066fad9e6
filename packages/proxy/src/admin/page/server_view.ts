import type { Counter, Counts, Histogram } from '../../account/counters.ts';
import { quantileMs } from '../../account/latency.ts';
import type { BackendFacts, ScopeFacts, ServerFacts } from '../snapshot.ts';
import type { LatencyView, ScopeView, ServerView, Tone } from './page_view.ts';

/** Sessions, rates and bytes of any scope. */
export function scopeView(scope: ScopeFacts): ScopeView {
  return {
    sessions: scope.sessions,
    sessionsMax: scope.sessionsMax,
    rate: scope.rate,
    rateMax: scope.rateMax,
    total: scope.counts.sessions ?? 0,
    bytesIn: scope.counts.bytes_in ?? 0,
    bytesOut: scope.counts.bytes_out ?? 0,
  };
}

/** The sum of a family of counters: `refused:`, `failed:`. */
export function familySum(counts: Counts, family: string): number {
  let sum = 0;
  for (const name in counts) if (name.startsWith(family)) sum += counts[name as Counter] ?? 0;
  return sum;
}

/** A server new clients may go to, as far as checks and operators say. */
export function takesClients(server: ServerFacts): boolean {
  return server.admin === 'ready' && server.verdict !== 'down' && server.weight > 0;
}

/** The state in HAProxy's words where it has one. The operator's word comes first, a broker that is down is always told. */
export function serverState(server: ServerFacts): { readonly word: string; readonly tone: Tone } {
  if (server.admin === 'maint') return { word: 'MAINT', tone: 'maint' };
  if (server.admin !== 'ready') {
    const word = server.admin === 'drain' ? 'DRAIN' : 'DRAIN NEW';
    return server.verdict === 'down' ? { word: `${word}, DOWN`, tone: 'down' } : { word, tone: 'drain' };
  }
  if (server.verdict === 'down') return { word: 'DOWN', tone: 'down' };
  if (server.verdict === 'no_check') return { word: 'no check', tone: 'none' };
  if (server.suspect) return { word: 'UP, failing', tone: 'warn' };
  return server.weight === 0 ? { word: 'UP, NOLB', tone: 'drain' } : { word: 'UP', tone: 'up' };
}

/** Servers by whose weight new clients are shared out: those that are up, or the backups where none else is. */
function contenders(backend: BackendFacts): ReadonlySet<ServerFacts> {
  const usable = backend.servers.filter(takesClients);
  const first = usable.filter(server => !server.backup);
  return new Set(first.length > 0 ? first : usable.slice(0, 1));
}

export function serverViews(backend: BackendFacts): readonly ServerView[] {
  const sharing = contenders(backend);
  let weights = 0;
  for (const server of sharing) weights += server.weight;
  let sessions = 0;
  for (const server of backend.servers) sessions += server.sessions;
  return backend.servers.map(server => {
    const share = sessions === 0 ? 0 : server.sessions / sessions;
    return serverView(server, share, sharing.has(server) ? server.weight / weights : null);
  });
}

/** One plain literal: put together by spreading, 200 servers took 9 ms of the loop that serves clients. */
function serverView(server: ServerFacts, share: number, fairShare: number | null): ServerView {
  const { counts } = server;
  const { word, tone } = serverState(server);
  return {
    sessions: server.sessions,
    sessionsMax: server.sessionsMax,
    rate: server.rate,
    rateMax: server.rateMax,
    total: counts.sessions ?? 0,
    bytesIn: counts.bytes_in ?? 0,
    bytesOut: counts.bytes_out ?? 0,
    word,
    tone,
    name: server.name,
    host: server.host,
    address: server.address,
    port: server.port,
    admin: server.admin,
    reason: server.reason,
    sinceMs: server.sinceMs,
    downtimeMs: server.downtimeMs,
    check: checkView(server),
    checksEnabled: server.checksEnabled,
    checks: counts.checks ?? 0,
    checksFailed: counts.checks_failed ?? 0,
    downs: counts.downs ?? 0,
    weight: server.weight,
    weightConfigured: server.weightConfigured,
    backup: server.backup,
    maxconn: server.maxconn,
    conns: server.conns,
    dynamic: server.dynamic,
    share,
    fairShare,
    sticky: counts['stick:sticky'] ?? 0,
    fresh: (counts['stick:new'] ?? 0) + (counts['stick:none'] ?? 0),
    moved: counts['stick:moved'] ?? 0,
    failed: familySum(counts, 'failed:'),
    refused: familySum(counts, 'refused:'),
    latency: latencyView(server.connect, server.connack),
  };
}

function checkView({ lastCheck }: ServerFacts): ServerView['check'] {
  if (lastCheck === null) return null;
  const { status, code, durationMs, atMs, info } = lastCheck;
  return { word: code === null ? status : `${status}/${code}`, durationMs, atMs, info };
}

export function latencyView(connect: Histogram, connack: Histogram): LatencyView {
  return {
    connectP50: quantileMs(connect.buckets, 0.5),
    connackP50: quantileMs(connack.buckets, 0.5),
    connackP99: quantileMs(connack.buckets, 0.99),
  };
}
