import type { BackendFacts, ServerFacts, Snapshot } from '../snapshot.ts';

export interface Readiness {
  readonly ready: boolean;
  /** Why not, one line each. */
  readonly reasons: readonly string[];
}

/** Whether new clients can come and find a broker: what a load balancer or keepalived in front should ask. */
export function readiness({ info, frontends, backends, workers }: Snapshot): Readiness {
  const open = frontends.filter(({ state }) => state === 'open');
  const needed = new Set(open.flatMap(frontend => frontend.backends));
  const reasons = [
    ...(info.stopping ? ['the proxy is stopping'] : []),
    ...(workers.some(({ state }) => state === 'ready') ? [] : ['no worker is ready']),
    ...(open.length === 0 ? ['no frontend is open'] : []),
    ...backends.filter(({ name }) => needed.has(name)).flatMap(faultOf),
  ];
  return { ready: reasons.length === 0, reasons };
}

function faultOf({ name, servers }: BackendFacts): readonly string[] {
  return servers.some(isUsable) ? [] : [`backend ${name} has no usable server`];
}

/** New clients may go there. */
function isUsable({ admin, verdict, address, weight }: ServerFacts): boolean {
  return admin === 'ready' && verdict !== 'down' && address !== null && weight > 0;
}
