import type { BackendFacts, ServerFacts, Snapshot } from '../snapshot.ts';

export interface Readiness {
  readonly ready: boolean;
  /** Why not, one line each. */
  readonly reasons: readonly string[];
}

/** The way of a new client from an open port to a broker, as far as it can be broken. */
export interface DataPath {
  readonly isStopping: boolean;
  /** One at least serves. */
  readonly hasWorker: boolean;
  /** Backends that open frontends lead to; null: no frontend is open. */
  readonly needed: readonly string[] | null;
  /** Those of them without a usable server. */
  readonly missing: readonly string[];
}

/** Whether new clients can come and find a broker: what a load balancer or keepalived in front should ask. */
export function readiness(snapshot: Snapshot): Readiness {
  const { info, frontends, backends, workers } = snapshot;
  const open = frontends.filter(({ state }) => state === 'open');
  const needed = new Set(open.flatMap(frontend => frontend.backends));
  return judgePath({
    isStopping: info.stopping,
    hasWorker: workers.some(({ state }) => state === 'ready'),
    needed: open.length === 0 ? null : [...needed],
    missing: backends.filter(backend => needed.has(backend.name) && !hasServer(backend)).map(({ name }) => name),
  });
}

/** The data path, and its role: of a pair only the active one is to get clients. */
export function availability(snapshot: Snapshot): Readiness {
  const { reasons } = readiness(snapshot);
  const all = snapshot.info.role === 'standby' ? ['standby', ...reasons] : reasons;
  return { ready: all.length === 0, reasons: all };
}

export function judgePath({ isStopping, hasWorker, needed, missing }: DataPath): Readiness {
  const reasons = [
    ...(isStopping ? ['the proxy is stopping'] : []),
    ...(hasWorker ? [] : ['no worker is ready']),
    ...(needed === null ? ['no frontend is open'] : []),
    ...missing.map(name => `backend ${name} has no usable server`),
  ];
  return { ready: reasons.length === 0, reasons };
}

function hasServer({ servers }: BackendFacts): boolean {
  return servers.some(isUsable);
}

/** New clients may go there. */
function isUsable({ admin, verdict, address, weight }: ServerFacts): boolean {
  return admin === 'ready' && verdict !== 'down' && address !== null && weight > 0;
}
