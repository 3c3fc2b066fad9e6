// The question before an operation, in place, and what became of it.
import { call, path } from './api.js';
import { button, h } from './dom.js';
import { announce } from './said.js';
import { many, visible } from './text.js';

/** @import { ServerView } from '../src/admin/page/page_view.ts' */

const usualRate = 200;

/** What stands on the button. @param {string} word */
export function wordsOf(word) {
  return { ready: 'Ready', drain: 'Drain', maint: 'Maint' }[word] ?? word;
}

/** What will happen. @param {string} word @param {ServerView} server */
function consequence(word, { name, sessions }) {
  const now = many(sessions, 'session');
  if (word === 'ready') return `${name} takes clients again, as its checks say. A drain that runs is taken back.`;
  if (word === 'maint')
    return `Nobody gets to ${name} any more, its checks stop, and its ${now} ${sessions === 1 ? 'is' : 'are'} ended at once.`;
  return `${name} gets no new clients, and returning ones move to other brokers. Of its ${now}, so many a second are asked to leave:`;
}

/** A number with its label. @param {string} label @param {string} name @param {number} value @param {string} least @param {string} unit */
export function numberField(label, name, value, least, unit) {
  const input = h('input', {
    type: 'number',
    name,
    value: String(value),
    min: least,
    max: '1000000',
    step: 'any',
    required: true,
  });
  return h(
    'label',
    { class: 'field' },
    h('span', {}, label),
    h('span', { class: 'with-unit' }, input, h('span', {}, unit)),
  );
}

/**
 * A form that asks, calls, and says what the proxy answered.
 * @param {string} title
 * @param {readonly Node[]} content
 * @param {string} yes
 * @param {(form: FormData) => Promise<string>} act answers what to announce
 * @param {() => void} close
 */
export function makeQuestion(title, content, yes, act, close) {
  const refused = h('p', { class: 'failed', role: 'alert' });
  const go = h('button', { type: 'submit', class: 'go' }, yes);
  const buttons = h('div', { class: 'buttons' }, go, button('Cancel', close));
  const form = h(
    'form',
    { class: 'question', 'aria-label': title },
    h('p', { class: 'title' }, title),
    ...content,
    buttons,
    refused,
  );
  form.addEventListener('submit', async event => {
    event.preventDefault();
    go.disabled = true;
    refused.textContent = '';
    try {
      announce(await act(new FormData(form)));
      close();
    } catch (error) {
      refused.textContent = visible(/** @type {Error} */ (error).message);
    } finally {
      go.disabled = false;
    }
  });
  return form;
}

/** Drain, ready or maint of one broker. */
export class Operation {
  node;
  #text = h('p');
  #word;

  /**
   * @param {string} backend
   * @param {ServerView} server
   * @param {string} word
   * @param {() => void} close
   */
  constructor(backend, server, word, close) {
    this.#word = word;
    const content = [this.#text, ...(word === 'drain' ? [drainFields()] : [])];
    const label = `${wordsOf(word)} ${server.name}`;
    const below = `servers/${path(backend, server.name)}`;
    this.node = makeQuestion(`${label}?`, content, label, form => order(word, below, server.name, form), close);
    this.node.dataset.word = word;
  }

  /** @param {ServerView} server */
  update(server) {
    const text = consequence(this.#word, server);
    if (this.#text.textContent !== text) this.#text.textContent = text;
  }

  focus() {
    /** @type {HTMLElement | null} */ (this.node.querySelector('input, button'))?.focus();
  }
}

function drainFields() {
  const rate = numberField('Pace', 'rate', usualRate, '0.1', 'a second');
  const until = numberField('Stop when this many are left', 'until', 0, '0', 'sessions');
  const stay = h('input', { type: 'checkbox', name: 'stay' });
  const inputs = [...rate.querySelectorAll('input'), ...until.querySelectorAll('input')];
  stay.addEventListener('change', () => {
    for (const input of inputs) input.disabled = stay.checked;
  });
  const label = h('label', { class: 'field check' }, stay, h('span', {}, 'Let the sessions that are there stay'));
  return h('div', { class: 'fields' }, rate, until, label);
}

/**
 * @param {string} word
 * @param {string} below
 * @param {string} name
 * @param {FormData} form
 */
async function order(word, below, name, form) {
  if (word !== 'drain') {
    await call('PUT', `${below}/state`, { state: word });
    return `${name} is ${word === 'ready' ? 'ready' : 'in maint'}.`;
  }
  const stays = form.get('stay') !== null;
  await call(
    'POST',
    `${below}/drain`,
    stays ? { rate: null } : { rate: Number(form.get('rate')), until: Number(form.get('until')) },
  );
  return stays ? `${name} gets no new clients.` : `The drain of ${name} has begun.`;
}
