// Finds one client: where it is, since when, and why there.
import { call, path } from './api.js';
import { button, byId, h } from './dom.js';
import { announce } from './said.js';
import { bytes, duration, many, moment, visible } from './text.js';

/**
 * @typedef {Record<string, any>} Json as the API says it
 */

/** @type {Readonly<Record<string, string>>} */
const whys = {
  sticky: 'It came back: its stick entry names this broker.',
  new: 'It had no stick entry, so the balance algorithm chose this broker.',
  moved: 'The broker of its stick entry could not be used, so it was moved here.',
  none: 'This backend keeps no stick entry for it; the balance algorithm chose this broker.',
};

/** @type {Readonly<Record<string, string>>} */
const stages = {
  preread: 'Its CONNECT is being read.',
  queue: 'It waits for its turn.',
  dial: 'Its broker is being asked.',
};

export class Search {
  #form = /** @type {HTMLFormElement} */ (byId('search'));
  #input = /** @type {HTMLInputElement} */ (byId('search-id'));
  #found = byId('found');
  #asked = 0;

  constructor() {
    this.#form.addEventListener('submit', event => {
      event.preventDefault();
      void this.#ask(this.#input.value);
    });
    document.addEventListener('keydown', event => {
      const typing = event.target instanceof HTMLElement && event.target.closest('input, select, textarea') !== null;
      if (event.key === '/' && !typing && !this.#form.hidden && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        this.#input.focus();
        this.#input.select();
      }
      if (event.key === 'Escape' && this.#found.contains(document.activeElement)) this.#close();
    });
  }

  /** @param {boolean} mayLook */
  allow(mayLook) {
    this.#form.hidden = !mayLook;
    if (!mayLook) this.#found.hidden = true;
  }

  /** @param {string} clientId */
  async #ask(clientId) {
    if (clientId === '') return;
    this.#asked += 1;
    const asked = this.#asked;
    const nowMs = Date.now();
    const client = await ask(clientId);
    if (asked !== this.#asked) return;
    const again = button('Look again', () => void this.#ask(clientId), { class: 'small' });
    const close = button('Close', () => this.#close(), { class: 'small' });
    const title = h('h2', { id: 'found-title' }, 'Client ', h('bdi', {}, h('code', {}, visible(clientId))));
    const parts =
      client instanceof Error ? [h('p', { class: 'failed' }, visible(client.message))] : answers(client, nowMs);
    this.#found.replaceChildren(h('div', { class: 'section-head' }, title, again, close), ...parts);
    this.#found.hidden = false;
    this.#found.focus();
    announce(this.#found.querySelector('p')?.textContent ?? '');
  }

  #close() {
    this.#found.hidden = true;
    this.#found.replaceChildren();
    this.#input.focus();
  }
}

/** @param {string} clientId @returns {Promise<Json | Error>} */
async function ask(clientId) {
  try {
    // `.` and `..` are no path segments that a browser would send.
    if (/^\.{1,2}$/.test(clientId)) {
      const { sessions } = await call('GET', `clients?client_id=${clientId}&limit=10`);
      return { sessions, entries: [] };
    }
    return await call('GET', `clients/${path(clientId)}`);
  } catch (error) {
    return /** @type {Error} */ (error);
  }
}

/** @param {Json} client @param {number} nowMs */
function answers({ sessions, entries }, nowMs) {
  const lines = sessions.map((/** @type {Json} */ session) => sessionPart(session, nowMs));
  if (sessions.length === 0) lines.push(h('p', { class: 'lead' }, 'It is not connected to this proxy.'));
  const kept = entries.map(entryPart);
  if (entries.length === 0) kept.push(h('p', {}, 'No stick entry names it.'));
  return [...lines, h('h3', {}, 'Stick entry'), ...kept];
}

/** @param {Json} one @param {number} nowMs */
function sessionPart(one, nowMs) {
  const since = one.linked_at_ms ?? one.accepted_at_ms;
  const lead =
    one.stage === 'relay'
      ? h(
          'p',
          { class: 'lead' },
          'On ',
          h('b', {}, `${one.backend}/${one.server}`),
          ` since ${moment(since, nowMs)}, for ${duration(nowMs - since)}.`,
        )
      : h(
          'p',
          { class: 'lead' },
          stages[one.stage] ?? '',
          one.server === null ? '' : ` (${one.backend}/${one.server})`,
        );
  const tries = one.retries > 0 ? ` Before that, ${many(one.retries, 'attempt')} at other brokers failed.` : '';
  const why = h('p', {}, one.how === null ? '' : `${whys[one.how] ?? ''}${tries}`);
  const way = [
    `frontend ${one.frontend}, ${one.bind}`,
    ...(one.tls === null ? [] : [one.tls]),
    ...(one.websocket ? ['WebSocket'] : []),
  ];
  /** @type {(readonly [string, string])[]} */
  const rows = [
    ['Address', one.client],
    ['Came by', way.join(', ')],
    ['Worker', `${one.worker}, session ${one.id}`],
    ['MQTT', `${one.version ?? '–'}${one.keep_alive_s === null ? '' : `, keep-alive ${one.keep_alive_s} s`}`],
    ['User name', one.username === null ? 'none, or not shown (log.usernames)' : one.username],
    ['Bytes', `${bytes(one.bytes_in)} in, ${bytes(one.bytes_out)} out`],
  ];
  return h('div', { class: 'where' }, lead, why, factList(rows));
}

/** @param {Json} one */
function entryPart(one) {
  const left =
    one.state === 'pinned'
      ? 'it stays while the client is connected'
      : `${one.ttl_ms === null ? 'no end is known' : `${duration(one.ttl_ms)} left`}`;
  const rows = /** @type {const} */ ([
    ['Broker', `${one.backend}/${one.server}`],
    ['State', `${one.state}: ${left}`],
    ['Key', one.key],
    ['Written by', `${one.owner}, session ${one.epoch}`],
  ]);
  return factList(rows);
}

/** @param {readonly (readonly [label: string, value: string])[]} rows */
function factList(rows) {
  const items = rows.map(([label, value]) =>
    h('div', {}, h('dt', {}, label), h('dd', {}, h('bdi', {}, visible(value)))),
  );
  return h('dl', { class: 'facts' }, ...items);
}
