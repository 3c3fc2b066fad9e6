/**
 * How many sessions there are now, by whoever tells it.
 */
import { until } from './condition.ts';
import { type ApiScope, askFaces, type Faces } from './faces.ts';
import type { Limpet } from './limpet.ts';

/** Resolves when no face tells of any session. */
export async function noSessionsTold(limpet: Limpet): Promise<void> {
  let told: readonly (readonly [place: string, sessions: number])[] = [];
  const areNone = async (): Promise<boolean> => {
    told = sessionsTold(await askFaces(limpet));
    return told.every(([, sessions]) => sessions === 0);
  };
  const some = (): string => JSON.stringify(told.filter(([, sessions]) => sessions !== 0));
  await until(areNone, { what: 'no session on any face', seen: some });
}

/** Place and number, of all places that tell one. */
function sessionsTold({ api, runtimeBackends, stats, info, metrics, page }: Faces): (readonly [string, number])[] {
  const backends = [...api.backends, ...runtimeBackends];
  const servers = backends.flatMap(backend => backend.servers);
  const scopes: readonly ApiScope[] = [api.info, ...api.frontends, ...backends, ...servers, ...api.workers];
  const shown = [page.proxy, ...page.frontends, ...page.backends, ...page.workers];
  const shownServers = page.backends.flatMap(backend => backend.servers);
  return [
    ...[...scopes, ...shown, ...shownServers].map(({ sessions }) => ['sessions', sessions] as const),
    ...[...servers, ...shownServers].map(({ conns }) => ['conns', conns] as const),
    ...Object.entries(stats).flatMap(([shape, rows]) =>
      [...rows].map(([name, row]) => [`${shape} ${name}`, Number(row.scur)] as const),
    ),
    ...Object.entries(info).map(([shape, row]) => [`info ${shape}`, Number(row.CurrConns)] as const),
    ...[...metrics].filter(([name]) => name.includes('_current_sessions{')),
  ];
}
