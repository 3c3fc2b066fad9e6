/**
 * What the other faces must say of a scope, by what `/api/v1` says of it (P12).
 */
import type { ApiScope, ApiServer, Faces } from './faces.ts';

export function of(scope: ApiScope | undefined, counter: string): number {
  return scope?.counts[counter] ?? 0;
}

export function family(scope: ApiScope | undefined, prefix: string): number {
  const its = Object.entries(scope?.counts ?? {}).filter(([name]) => name.startsWith(prefix));
  return its.reduce((sum, [, value]) => sum + value, 0);
}

/** All counters of these scopes together, and their sessions now. */
export function summed(scopes: readonly ApiScope[]): Record<string, number> {
  const sums: Record<string, number> = { 'sessions now': 0 };
  for (const { sessions, counts } of scopes) {
    sums['sessions now'] = (sums['sessions now'] ?? 0) + sessions;
    for (const [name, value] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + value;
  }
  return sums;
}

/** Ages go on while the faces are asked. */
export function withoutClock(stats: Faces['stats']['httpCsv']): unknown[] {
  return [...stats].map(([name, { lastchg: _, downtime: __, ...row }]) => [name, row]);
}

export function common(scope: ApiScope): object {
  return {
    scur: scope.sessions,
    smax: scope.sessions_max,
    rate: scope.rate,
    rate_max: scope.rate_max,
    bin: of(scope, 'bytes_in'),
    bout: of(scope, 'bytes_out'),
  };
}

export function arrivals(frontend: ApiScope): object {
  const connections = of(frontend, 'connections');
  const refused = { dcon: 0, dreq: 0, ereq: of(frontend, 'refused:http') };
  return { stot: connections, conn_tot: connections, conn_rate_max: frontend.rate_max, ...refused };
}

export function towards(scope: ApiServer): object {
  return {
    lbtot: of(scope, 'picked') - of(scope, 'stick:sticky'),
    connect: of(scope, 'picked'),
    wredis: of(scope, 'reroutes'),
    wretr: 0,
    econ: of(scope, 'failed:dial') + of(scope, 'failed:local'),
    cli_abrt: of(scope, 'end:client_reset'),
    srv_abrt: of(scope, 'end:server_reset'),
    ctime: scope.connect.count === 0 ? 0 : Math.round(scope.connect.sum_ms / scope.connect.count),
    rtime: scope.connack.count === 0 ? 0 : Math.round(scope.connack.sum_ms / scope.connack.count),
  };
}

/** Counter of the API → family of /metrics, and the labels that its own labels become. */
const FAMILIES: readonly (readonly [counter: RegExp, family: string, labels: readonly string[]])[] = [
  [/^connections$/, 'connections', []],
  [/^connect:(.*)$/, 'connects', ['version']],
  [/^refused:(.*)$/, 'refused', ['reason']],
  [/^sessions$/, 'sessions', []],
  [/^bytes_in$/, 'received_bytes', []],
  [/^bytes_out$/, 'sent_bytes', []],
  [/^end:(.*)$/, 'ended', ['reason']],
  [/^(?:picked|retries|reroutes|checks|checks_failed|downs)$/, '$&', []],
  [/^failed:(.*)$/, 'failed', ['reason']],
  [/^connack:(\d):(\d+)$/, 'connacks', ['protocol', 'code']],
  [/^stick:degraded$/, 'stick_degraded', []],
  [/^stick:(.*)$/, 'stick', ['how']],
];
/** Samples of /metrics that come from counters. */
export const COUNTED =
  /^limpet_(?:frontend|bind|backend|server|worker)_(?!downtime)\w+_total\{|^limpet_\w+_(?:current|max)_sessions\{|_seconds_count\{/;
/** A worker tells what is its own; what it did at servers is told there. */
export const OF_WORKERS = /^(?:connections|sessions|bytes_in|bytes_out|end:.*)$/;

/** What /metrics must say of a scope. */
export function samples(
  prefix: string,
  labels: string,
  scope: ApiScope | ApiServer,
): readonly (readonly [string, number])[] {
  const counted = Object.entries(scope.counts).map(([counter, value]) => {
    const [pattern, name, own] = FAMILIES.find(([one]) => one.test(counter)) ?? [/^$/, counter, []];
    const [word = '', ...values] = pattern.exec(counter) ?? [];
    const more = own.map((label, place) => `,${label}="${values[place] ?? ''}"`).join('');
    return [`limpet_${prefix}_${name.replace('$&', word)}_total{${labels}${more}}`, value] as const;
  });
  const latencies =
    'connect' in scope
      ? ([
          [`limpet_${prefix}_dial_seconds_count{${labels}}`, scope.connect.count],
          [`limpet_${prefix}_connack_seconds_count{${labels}}`, scope.connack.count],
        ] as const)
      : [];
  return [
    [`limpet_${prefix}_current_sessions{${labels}}`, scope.sessions],
    [`limpet_${prefix}_max_sessions{${labels}}`, scope.sessions_max],
    ...counted,
    ...latencies,
  ];
}

export function view(scope: ApiScope): object {
  return {
    sessions: scope.sessions,
    sessionsMax: scope.sessions_max,
    rate: scope.rate,
    rateMax: scope.rate_max,
    total: of(scope, 'sessions'),
    bytesIn: of(scope, 'bytes_in'),
    bytesOut: of(scope, 'bytes_out'),
  };
}

export function pageSums(scope: ApiScope): { retries: number; reroutes: number; failed: number; refused: number } {
  const [failed, refused] = [family(scope, 'failed:'), family(scope, 'refused:')];
  return { retries: of(scope, 'retries'), reroutes: of(scope, 'reroutes'), failed, refused };
}

export function pageOfServer(one: ApiServer): object {
  return {
    ...view(one),
    failed: family(one, 'failed:'),
    refused: family(one, 'refused:'),
    checks: of(one, 'checks'),
    checksFailed: of(one, 'checks_failed'),
    downs: of(one, 'downs'),
    conns: one.conns,
    sticky: of(one, 'stick:sticky'),
    fresh: of(one, 'stick:new') + of(one, 'stick:none'),
    moved: of(one, 'stick:moved'),
  };
}
