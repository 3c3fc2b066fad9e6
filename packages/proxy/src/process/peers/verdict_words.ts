import type { AdminState } from '@limpet/state';
import type { ServerHealth } from '../../health/server_watch.ts';

/**
 * What this proxy thinks of a server, as the others and `redis-cli` read it: `UP L7OK`, `DOWN L4CON Layer4 connection
 * problem (ECONNREFUSED)`, `MAINT`, `DRAIN`, `no check`. The first word is the verdict; the rest is for people.
 */
export function verdictWords(admin: AdminState, { verdict, checked, lastCheck, reason }: ServerHealth): string {
  if (admin === 'maint') return 'MAINT';
  if (admin === 'drain') return 'DRAIN';
  const status = lastCheck === null ? '' : ` ${lastCheck.status}`;
  if (verdict === 'down') return `DOWN${status} ${reason}`;
  return checked ? `UP${status}` : 'no check';
}

/** Words of another proxy, perhaps of a later release: its checks have found the server well. */
export function saysUp(words: string): boolean {
  return firstWord(words) === 'UP';
}

/** It sends clients there. */
export function saysUsable(words: string): boolean {
  return saysUp(words) || /^no check\b/i.test(words);
}

function firstWord(words: string): string {
  return (/^\S+/.exec(words)?.[0] ?? '').toUpperCase();
}
