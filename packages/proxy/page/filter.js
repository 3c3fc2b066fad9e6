// Which brokers are shown, where there are many: those of a state, or with a text in their name.
import { attributeOf, button, h, textOf } from './dom.js';
import { count } from './text.js';

/** @import { ServerView, Tone } from '../src/admin/page/page_view.ts' */

const fewServers = 8;

/** @type {readonly (readonly [tone: Tone, label: string])[]} */
const tones = [
  ['up', 'UP'],
  ['warn', 'failing'],
  ['down', 'DOWN'],
  ['drain', 'drain'],
  ['maint', 'MAINT'],
  ['none', 'no check'],
];

export class ServerFilter {
  node = h('div', { class: 'filter', role: 'group', 'aria-label': 'Show brokers' });
  #tone = /** @type {Tone | null} */ (null);
  #text = '';
  #input = h('input', { type: 'search', placeholder: 'Name or address', 'aria-label': 'Name or address of a broker' });
  #chips;
  #last = /** @type {readonly ServerView[]} */ ([]);
  #rows = /** @type {Element | null} */ (null);

  constructor() {
    this.#chips = [/** @type {const} */ ([null, 'All']), ...tones].map(([tone, label]) => {
      const made = button(`${label} `, () => this.#choose(tone), { class: 'chip' });
      if (tone !== null) made.dataset.tone = tone;
      const number = h('b');
      made.append(number);
      return { tone, made, pressed: attributeOf(made, 'aria-pressed'), write: textOf(number) };
    });
    this.node.append(...this.#chips.map(({ made }) => made), this.#input);
    this.#input.addEventListener('input', () => {
      this.#text = this.#input.value.trim().toLowerCase();
      this.#apply();
    });
  }

  /** @param {Tone | null} tone */
  #choose(tone) {
    this.#tone = this.#tone === tone ? null : tone;
    this.#apply();
  }

  /** @param {readonly ServerView[]} servers @param {Element} rows holds the elements with `data-key` */
  update(servers, rows) {
    this.#last = servers;
    this.#rows = rows;
    this.node.hidden = servers.length <= fewServers;
    if (!this.node.hidden || this.#isOn()) this.#apply();
  }

  #isOn() {
    return this.#tone !== null || this.#text !== '';
  }

  #apply() {
    /** @type {Record<string, number>} */
    const numbers = {};
    for (const { tone } of this.#last) numbers[tone] = (numbers[tone] ?? 0) + 1;
    for (const { tone, made, pressed, write } of this.#chips) {
      const number = tone === null ? this.#last.length : (numbers[tone] ?? 0);
      write(count(number));
      pressed(String(tone === this.#tone));
      made.hidden = number === 0 && tone !== this.#tone;
    }
    const shown = new Set(this.#last.filter(server => this.#wants(server)).map(({ name }) => name));
    for (const row of this.#rows?.querySelectorAll('tbody.server') ?? []) {
      if (row instanceof HTMLElement) row.hidden = !shown.has(row.dataset.key ?? '');
    }
  }

  /** @param {ServerView} server */
  #wants({ tone, name, host, address, port }) {
    if (this.#tone !== null && tone !== this.#tone) return false;
    return this.#text === '' || `${name} ${host}:${port} ${address}`.toLowerCase().includes(this.#text);
  }
}
