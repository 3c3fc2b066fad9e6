import { count } from '../../output/numbers.ts';
import { type Finding, findings, sysctl } from '../finding.ts';
import type { Load } from '../load.ts';

/** Where clients wait before Limpet accepts them. Null: it cannot be read. */
export interface Backlog {
  readonly somaxconn: number | null;
  readonly synBacklog: number | null;
  readonly synCookies: number | null;
  readonly netdev: number | null;
}

const { ok, note, warning } = findings('backlog');

/** The kernel's own value since 5.4. */
const USUAL = 4096;
/** Limpet asks for as much as there can be. */
const ASKED = 65_535;

/** After a failure all clients come at once; those that find no room wait for seconds until they try again. */
export function judgeBacklog({ somaxconn, synBacklog, synCookies, netdev }: Backlog, { maxconn }: Load): Finding[] {
  const wanted = Math.min(ASKED, Math.max(USUAL, Math.ceil(maxconn / 10 / 1024) * 1024));
  return [
    ...(somaxconn === null ? [note('net.core.somaxconn cannot be read')] : [acceptQueue(somaxconn, wanted)]),
    ...(synBacklog === null ? [] : synFindings(synBacklog, synCookies, wanted)),
    ...(netdev === null || netdev >= 1000
      ? []
      : [
          note(
            `net.core.netdev_max_backlog is ${count(netdev)}: a network card that is quicker than the processor loses packets in a storm`,
            sysctl('net.core.netdev_max_backlog', 5000),
          ),
        ]),
  ];
}

function acceptQueue(somaxconn: number, wanted: number): Finding {
  const what = `${count(Math.min(somaxconn, ASKED))} clients can wait on each listening socket until they are accepted (net.core.somaxconn; Limpet asks for ${count(ASKED)})`;
  if (somaxconn >= wanted) return ok(what);
  const more = `${what}; a reconnect storm of ${count(wanted)} is a tenth of global.maxconn`;
  return (somaxconn < USUAL ? warning : note)(somaxconn < USUAL ? what : more, sysctl('net.core.somaxconn', wanted));
}

function synFindings(synBacklog: number, synCookies: number | null, wanted: number): Finding[] {
  if (synBacklog >= Math.min(wanted, USUAL)) return [];
  if (synCookies !== null && synCookies > 0) {
    const what = `net.ipv4.tcp_max_syn_backlog is ${count(synBacklog)}: beyond it SYN cookies serve, and clients without TCP timestamps lose window scaling`;
    return [note(what, sysctl('net.ipv4.tcp_max_syn_backlog', USUAL))];
  }
  const what = `net.ipv4.tcp_max_syn_backlog is ${count(synBacklog)} and SYN cookies are off: beyond it new clients are dropped`;
  return [warning(what, sysctl('net.ipv4.tcp_max_syn_backlog', USUAL), sysctl('net.ipv4.tcp_syncookies', 1))];
}
