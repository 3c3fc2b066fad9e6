import type { LogLevel } from '../config/resolved.ts';

/** How many servers of a backend are UP, without and with the `backup` word. */
export interface ServersLeft {
  readonly active: number;
  readonly backup: number;
  /** Whether the backend has backup servers at all. */
  readonly hasBackups: boolean;
}

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
}

/**
 * The lines of one change of verdict. The second one, that a backend has nobody left, comes only with the change that
 * takes its last server away.
 */
export function transitionLines(
  backend: string,
  server: string,
  verdict: 'up' | 'down',
  reason: string,
  left: ServersLeft,
): readonly LogLine[] {
  const up = verdict === 'up';
  const message = `server ${backend}/${server} is ${up ? 'UP' : 'DOWN'}, reason: ${reason}, ${describeLeft(left)}`;
  const change: LogLine = { level: up ? 'info' : 'warn', message };
  if (up || left.active + left.backup > 0) return [change];
  return [change, { level: 'error', message: `backend ${backend} has no server available` }];
}

function describeLeft({ active, backup, hasBackups }: ServersLeft): string {
  const servers = `${active} ${active === 1 ? 'server' : 'servers'} left`;
  return hasBackups ? `${servers}, ${backup} backup` : servers;
}
