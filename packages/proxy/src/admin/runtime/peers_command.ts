import { stamp } from '../../account/stamp.ts';
import type { PeerFacts, Snapshot } from '../snapshot.ts';
import { age } from './age.ts';
import { type Command, Refusal } from './command.ts';
import { escaped } from './escape.ts';

/** HAProxy's `show peers`. Peers speak with each other there; here they are what the proxies tell of themselves in Redis. */
export const peersCommand: Command = {
  words: 'show peers',
  usage: '[<section>]',
  does: 'list the proxies that share the state, this one first',
  level: 'user',
  run: ([section], { control }) => {
    if (section !== undefined && section !== SECTION) throw new Refusal('No such peers');
    return peersText(control.snapshot());
  },
};

/** HAProxy has sections of peers; here all that share the state are one. */
const SECTION = 'limpet';

export function peersText({ atMs, proxies }: Snapshot): string {
  const alive = proxies.filter(({ state }) => state === 'alive').length;
  const head = `${SECTION}: [${stamp(atMs)}] id=${SECTION} peers=${proxies.length} alive=${alive}`;
  return [head, ...proxies.map(one => peerLine(one, atMs))].join('\n');
}

/** Names of others come out of Redis: spaces in them would make fields of their own. */
function peerLine({ name, self, state, role, ready, version, ...rest }: PeerFacts, atMs: number) {
  const { conns, beatAgeMs, startedAtMs, vip } = rest;
  const facts: readonly (readonly [name: string, value: string])[] = [
    ['id', `${word(name)}(${self ? 'local' : 'remote'})`],
    // HAProxy's word for a peer that speaks with us, and for one of which nothing is known.
    ['status', state === 'alive' ? 'ESTA' : 'NONE'],
    ['last_beat', age(beatAgeMs)],
    ['role', role],
    ['ready', ready === null ? '-' : ready ? 'yes' : 'no'],
    ['version', word(version)],
    ['conns', conns === null ? '-' : String(conns)],
    ['uptime', age(atMs - startedAtMs)],
    ['vip', vip.length === 0 ? '-' : vip.map(word).join(',')],
  ];
  return `  ${word(name)}: ${facts.map(([fact, value]) => `${fact}=${value}`).join(' ')}`;
}

function word(text: string): string {
  return escaped(text).replaceAll(' ', '\\x20');
}
