// All that is known of one broker, and the history of its verdicts.
import { call, path } from './api.js';
import { h, textOf } from './dom.js';
import { bytes, count, duration, latency, limit, moment, percent, visible } from './text.js';

/**
 * @import { ServerView } from '../src/admin/page/page_view.ts'
 * @import { Moment } from './server_row.js'
 * @type {readonly (readonly [label: string, read: (server: ServerView, nowMs: number) => string])[]}
 */
const facts = [
  ['Now', nowText],
  [
    'Address',
    ({ address, port }) =>
      address === null ? 'does not resolve' : `${address.includes(':') ? `[${address}]` : address}:${port}`,
  ],
  [
    'Last check',
    ({ check }, nowMs) =>
      check === null ? '–' : `${check.word} ${visible(check.info)} ${duration(nowMs - check.atMs)} ago`,
  ],
  [
    'Checks',
    ({ checks, checksFailed, downs }) => `${count(checks)}, ${count(checksFailed)} failed, ${count(downs)} × DOWN`,
  ],
  ['Time DOWN', ({ downtimeMs }) => duration(downtimeMs)],
  [
    'Sessions',
    one =>
      `${count(one.sessions)}, at most ${count(one.sessionsMax)}, limit ${limit(one.maxconn)}, total ${count(one.total)}`,
  ],
  ['Being dialled', ({ conns, sessions }) => count(Math.max(0, conns - sessions))],
  [
    'Share',
    ({ share, fairShare }) => `${percent(share)}${fairShare === null ? '' : `, by weight ${percent(fairShare)}`}`,
  ],
  ['Came', ({ sticky, fresh, moved }) => `${count(sticky)} sticky, ${count(fresh)} new, ${count(moved)} moved here`],
  ['Rate', one => `${count(one.rate)} /s, at most ${count(one.rateMax)} /s`],
  ['Bytes', ({ bytesIn, bytesOut }) => `${bytes(bytesIn)} in, ${bytes(bytesOut)} out`],
  ['Failed attempts', ({ failed }) => count(failed)],
  ['Refused clients', ({ refused }) => count(refused)],
  ['Connect', ({ latency: { connectP50 } }) => `half within ${latency(connectP50)}`],
  [
    'CONNACK',
    ({ latency: { connackP50, connackP99 } }) =>
      `half within ${latency(connackP50)}, 99 % within ${latency(connackP99)}`,
  ],
  ['Weight', one => `${one.weight}, configured ${one.weightConfigured}${one.backup ? ', backup' : ''}`],
];

export class ServerDetail {
  node = h('div', { class: 'detail' });
  #list = h('dl', { class: 'facts' });
  #history = h('ol', { class: 'history' });
  #sinceMs = -1;
  #writers;
  #where;

  /** @param {string} backend @param {ServerView} server */
  constructor(backend, server) {
    this.#where = `servers/${path(backend, server.name)}`;
    this.#writers = facts.map(([label, read]) => {
      const value = h('dd');
      this.#list.append(h('div', {}, h('dt', {}, label), value));
      return { read, write: textOf(value) };
    });
    this.node.append(this.#list, h('h4', {}, `Verdicts and states of ${server.name}`), this.#history);
  }

  focus() {
    // What is opened stands right behind the button that opened it.
  }

  /** @param {ServerView} server @param {Moment} now */
  update(server, { nowMs }) {
    for (const { read, write } of this.#writers) write(read(server, nowMs));
    if (server.sinceMs === this.#sinceMs) return;
    this.#sinceMs = server.sinceMs;
    void this.#load(nowMs);
  }

  /** @param {number} nowMs */
  async #load(nowMs) {
    try {
      const { history } = await call('GET', this.#where);
      this.#history.replaceChildren(
        ...history.map((/** @type {{ at_ms: number, state: string, reason: string }} */ { at_ms, state, reason }) =>
          h(
            'li',
            {},
            h('time', { datetime: new Date(at_ms).toISOString() }, moment(at_ms, nowMs)),
            h('strong', {}, visible(state)),
            h('span', {}, visible(reason)),
          ),
        ),
      );
      if (history.length === 0) this.#history.replaceChildren(h('li', {}, 'Nothing has changed since the start.'));
    } catch (error) {
      this.#history.replaceChildren(h('li', { class: 'failed' }, visible(/** @type {Error} */ (error).message)));
    }
  }
}

/** What an operator has set comes first; the reason is that of the checks. @param {ServerView} server */
function nowText({ word, reason, admin }) {
  if (reason === '') return word;
  return admin === 'ready' ? `${word}: ${visible(reason)}` : `${word}, set by an operator. Checks: ${visible(reason)}`;
}
