import type { AdminState } from '@limpet/state';
import type { ServerHealth } from '../../health/server_watch.ts';

/**
 * What this proxy thinks of a server, as the others and `redis-cli` read it: `UP L7OK`, `DOWN L4CON Layer4 connection
 * problem (ECONNREFUSED)`, `no check`. An operator's `MAINT` or `DRAIN` stands before that, as in `DRAIN UP L7OK`. The first
 * word is the verdict; what is behind the checks' own is for people.
 */
export function verdictWords(admin: AdminState, health: ServerHealth): string {
  const found = checkWords(health);
  return admin === 'maint' || admin === 'drain' ? `${admin.toUpperCase()} ${found}` : found;
}

function checkWords({ verdict, checked, lastCheck, reason }: ServerHealth): string {
  const status = lastCheck === null ? '' : ` ${lastCheck.status}`;
  if (verdict === 'down') return `DOWN${status} ${reason}`;
  return checked ? `UP${status}` : 'no check';
}

/** Words of another proxy, perhaps of a later release: its checks have found the server well. */
export function saysUp(words: string): boolean {
  return firstWord(words) === 'UP';
}

/**
 * It would send clients there if no operator said otherwise: operators' words hold for all proxies. One release earlier
 * `DRAIN` and `MAINT` stood alone.
 */
export function saysThere(words: string): boolean {
  const found = words.replace(/^(?:DRAIN|MAINT)\b ?/i, '');
  return found === '' ? words !== '' : saysUp(found) || /^no check\b/i.test(found);
}

function firstWord(words: string): string {
  return (/^\S+/.exec(words)?.[0] ?? '').toUpperCase();
}
