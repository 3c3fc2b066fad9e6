import type { BackendFacts, ServerFacts } from '../snapshot.ts';

/** HAProxy's word for a server. Both kinds of drain, and weight 0, are its DRAIN; a server that is DOWN stays DOWN in drain. */
export function serverStatus(server: ServerFacts): 'UP' | 'DOWN' | 'MAINT' | 'DRAIN' | 'no check' {
  if (server.admin === 'maint') return 'MAINT';
  if (server.verdict === 'down') return 'DOWN';
  if (server.admin !== 'ready' || server.weight === 0) return 'DRAIN';
  return server.verdict === 'up' ? 'UP' : 'no check';
}

/** Whether new clients may come to it. */
export function isUsable(server: ServerFacts): boolean {
  const status = serverStatus(server);
  return status === 'UP' || status === 'no check';
}

/** HAProxy's word for a backend: DOWN where no server takes new clients. */
export function backendStatus(backend: BackendFacts): 'UP' | 'DOWN' {
  return backend.servers.some(isUsable) ? 'UP' : 'DOWN';
}
