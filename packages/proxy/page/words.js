// What the words of the page mean: behind the pointer on heads and labels, and as a list at the end for fingers and keys.
import { byId, h } from './dom.js';

/** @type {Readonly<Record<string, string>>} */
const meanings = {
  Sessions: 'Client connections that are open now; below brokers and backends those that a broker has accepted.',
  'Sessions max': 'The most sessions there were at once since the start.',
  Limit: 'So many at once are let in (maxconn). A dash: no limit of its own.',
  'New sessions': 'Connections that came in the last second.',
  'Sessions so far': 'Sessions that got a broker since the start. A CONNECT is what a client says first.',
  Refused: 'Clients turned away since the start, by limits and rules, for what they sent, or as no broker took them.',
  'From clients': 'Bytes from clients to brokers since the start.',
  Store:
    'Where it is remembered which client belongs to which broker: in this process, or in Redis for several proxies.',
  Workers: 'Processes that carry bytes. The pid is that of the primary process, which decides and counts.',
  'NOT READY':
    'A proxy that lives and could not take over, or, without a virtual address, does not serve. Its log says why.',
  SILENT: 'A proxy that has said nothing for more than 3 seconds. Its connections count no more.',
  'Last beat': 'Each proxy says once a second that it lives, and how many connections it has.',
  active: 'An active proxy takes clients; a standby one waits for the virtual address.',
  Share: 'Part of the sessions of its backend. The mark is the part that its weight would give it.',
  'Rate /s': 'New ones in the last second: connections of frontends, sessions of brokers.',
  'Rate max': 'The most in one second since the start.',
  'Rate limit': 'So many connections a second are let in (conn_rate). A dash: no limit.',
  Total: 'Sessions that got a broker since the start; of a broker also the attempts to reach it that failed.',
  CONNECTs: 'Legal CONNECTs since the start.',
  'Bytes in': 'From clients, since the start.',
  'Bytes out': 'To clients, since the start.',
  Check:
    'The last health check. L4: the connection, L6: TLS, L7: the protocol; OK, TOUT: too late, CON: no connection, RSP: a wrong answer, STS: a refusal. Behind the slash the code of the answer.',
  'CONNACK p99': 'Of 100 accepted clients 99 had the answer of the broker (CONNACK) within this time, since the start.',
  Weight: 'Brokers get new clients in proportion to their weights.',
  UP: 'Its checks pass: it takes clients. failing: a check has just failed, or clients could not reach it.',
  DOWN: 'Its checks fail: nobody gets there. Clients that belong to it move to other brokers.',
  DRAIN: 'Nobody new gets there, and returning clients move away. Drain empties it at a pace.',
  'DRAIN NEW': 'Nobody new gets there, but clients that belong to it still do: what DRAIN means in HAProxy.',
  MAINT: 'Out of service: nobody gets there, its sessions are ended, and its checks stop.',
  NOLB: 'Weight 0: only clients that belong to it get there.',
  Stick: 'A stick entry remembers the broker of a client, so that it comes home when it returns.',
  Rerouted:
    'A broker could not be reached or refused in a way that another may answer differently: the next one was asked.',
};

/** Empty where a word is plain. @param {string} word */
export function meaningOf(word) {
  return meanings[word] ?? '';
}

/** The list at the end of the page. */
export function listWords() {
  byId('words').append(
    ...Object.entries(meanings).map(([word, meaning]) => h('div', {}, h('dt', {}, word), h('dd', {}, meaning))),
  );
}
