import { printable } from '../../log.ts';

/** What one line of the FIFO says. `none`: nothing that matters here. */
export type Notice =
  | { readonly kind: 'word'; readonly isMaster: boolean; readonly who: string; readonly word: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly text: string };

/** keepalived.conf(5), `vrrp_notify_fifo`: kind, name in quotes, state, priority. */
const LINE = /^(?:INSTANCE|GROUP) "([^"]{1,128})" ([A-Z_]{1,32})(?: -?\d{1,9})?$/;
const LET_GO: ReadonlySet<string> = new Set(['BACKUP', 'FAULT', 'STOP', 'DELETED']);
/** A priority is another one, or another host's is lower: the state stays. */
const PASSING: ReadonlySet<string> = new Set(['MASTER_RX_LOWER_PRI', 'MASTER_PRIORITY', 'BACKUP_PRIORITY']);

/** Reads a line of keepalived's, or of `limpet vip`, which says the same. It comes from outside: escaped and bounded. */
export function readNotice(line: string): Notice {
  if (line.trim() === '') return { kind: 'none' };
  const [, name = '', word = ''] = LINE.exec(line) ?? [];
  const who = printable(name);
  if (word === 'MASTER') return { kind: 'word', isMaster: true, who, word };
  if (LET_GO.has(word)) return { kind: 'word', isMaster: false, who, word };
  return PASSING.has(word) ? { kind: 'none' } : { kind: 'unknown', text: printable(line) };
}
