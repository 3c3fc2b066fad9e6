// What has happened, newest first.
import { call } from './api.js';
import { byId, h } from './dom.js';
import { moment, visible, visibleLines } from './text.js';

/** @import { AdminEvent } from './stream.js' */

const most = 200;

export class Events {
  #list = byId('events');
  #newest = 0;

  constructor() {
    // It scrolls, so keys must reach it.
    this.#list.tabIndex = 0;
    this.#list.append(h('li', {}, 'Nothing has happened yet.'));
  }

  /** Those since the last one that is shown: after the page was opened, and after the connection was lost. */
  async load() {
    try {
      const answer = await call('GET', `events?after=${this.#newest}`);
      const events = Array.isArray(answer) ? answer : (answer.events ?? []);
      for (const { id, at_ms, level, event, message } of events.slice(-most))
        this.add({ id, atMs: at_ms, level, event, message });
    } catch {
      // The stream brings those that come from now on.
    }
  }

  /** @param {AdminEvent} event */
  add({ id, atMs, level, event, message }) {
    // Events of the stream may overtake the answer that tells the earlier ones.
    const items = [...this.#list.children].filter(item => item instanceof HTMLElement && item.dataset.id !== undefined);
    const next = items.find(item => Number(/** @type {HTMLElement} */ (item).dataset.id) <= id) ?? null;
    if (next instanceof HTMLElement && next.dataset.id === String(id)) return;
    if (items.length === 0) this.#list.replaceChildren();
    this.#newest = Math.max(this.#newest, id);
    const words = { info: 'info', warn: 'warning', error: 'error' };
    const when = h('time', { datetime: new Date(atMs).toISOString() }, moment(atMs, Date.now()));
    const kind = h('span', { class: 'level' }, words[level] ?? 'info');
    const text = h(
      'span',
      { class: 'message' },
      h('code', {}, visible(event)),
      ' ',
      h('bdi', {}, (isOwn(event) ? visibleLines : visible)(said(event, message))),
    );
    this.#list.insertBefore(h('li', { 'data-level': level, 'data-id': String(id) }, when, kind, text), next);
    while (this.#list.children.length > most) this.#list.lastElementChild?.remove();
  }

  forget() {
    this.#newest = 0;
    this.#list.replaceChildren();
  }
}

/** Several problems of a file are several lines. What else happens may name a thing of a client. @param {string} event */
function isOwn(event) {
  return /^(reload|upgrade)_/.test(event);
}

/** A line without words of its own begins with the event's name, which stands before it already. @param {string} event @param {string} message */
function said(event, message) {
  return message === event ? '' : message.startsWith(`${event} `) ? message.slice(event.length + 1) : message;
}
