import type { Server } from './admin/facts.ts';
import type { Tone } from './output/paint.ts';

export interface ServerState {
  /** HAProxy's word where it has one. */
  readonly word: string;
  readonly tone: Tone;
}

type Judged = Pick<Server, 'admin' | 'verdict' | 'suspect' | 'weight'>;

/** A server's state as the page shows it: the operator's word comes first, a broker that is down is always told. */
export function serverState(server: Judged): ServerState {
  if (server.admin === 'maint') return { word: 'MAINT', tone: 'warn' };
  if (server.admin !== 'ready') {
    const word = server.admin === 'drain' ? 'DRAIN' : 'DRAIN NEW';
    return server.verdict === 'down' ? { word: `${word}, DOWN`, tone: 'bad' } : { word, tone: 'warn' };
  }
  if (server.verdict === 'down') return { word: 'DOWN', tone: 'bad' };
  if (server.verdict === 'no_check') return { word: 'no check', tone: 'plain' };
  if (server.suspect) return { word: 'UP, failing', tone: 'warn' };
  return server.weight === 0 ? { word: 'UP, NOLB', tone: 'warn' } : { word: 'UP', tone: 'good' };
}
