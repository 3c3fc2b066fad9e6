// Backends: each a panel with its facts, a filter where there are many brokers, their rows, and the sums.
import { call, path } from './api.js';
import { button, h, keyed, textOf } from './dom.js';
import { ServerFilter } from './filter.js';
import { makeQuestion, numberField } from './operate.js';
import { serverColumns, sumColumns } from './server_columns.js';
import { ServerRow } from './server_row.js';
import { makeRow, makeTable } from './table.js';
import { count, duration, many } from './text.js';
import { meaningOf } from './words.js';

/**
 * @import { BackendView, PageView, ServerView } from '../src/admin/page/page_view.ts'
 * @import { Moment } from './server_row.js'
 */

const moveRate = 200;
const thresholdPercent = 5;

class Backend {
  node;
  /** @type {Moment} */
  #moment = { nowMs: 0, mayOperate: false, longest: 1 };
  #name;
  #about = h('p', { class: 'about' });
  #ask = h('div', { class: 'ask', hidden: true });
  #filter = new ServerFilter();
  #writeAbout = textOf(this.#about);
  #sum = makeRow(sumColumns);
  #rows;
  #rebalance;

  /** @param {BackendView} backend */
  constructor({ name }) {
    this.#name = name;
    this.#about.title = `${meaningOf('Stick')} ${meaningOf('Rerouted')}`;
    const heading = h('h2', {}, h('span', { class: 'kind' }, 'Backend '), name);
    this.#rebalance = button('Rebalance', () => this.#askRebalance(), {
      class: 'small',
      'aria-label': `Rebalance ${name}`,
    });
    const table = makeTable(`Brokers of backend ${name}`, serverColumns);
    this.#rows = keyed(
      table,
      (/** @type {ServerView} */ server) => server.name,
      server => new ServerRow(name, server, this.#moment),
      table.tHead,
    );
    table.append(h('tfoot', { role: 'rowgroup' }, this.#sum.row));
    const head = h('div', { class: 'section-head' }, heading, this.#rebalance, this.#about);
    this.node = h(
      'section',
      { class: 'backend', 'aria-label': `Backend ${name}` },
      head,
      this.#ask,
      this.#filter.node,
      h('div', { class: 'panel' }, table),
    );
  }

  #askRebalance() {
    const close = () => {
      this.#ask.hidden = true;
      this.#ask.replaceChildren();
      this.#rebalance.focus();
    };
    const fields = h(
      'div',
      { class: 'fields' },
      numberField('Pace', 'rate', moveRate, '0.1', 'a second'),
      numberField('Leave a surplus of', 'threshold', thresholdPercent, '0', '%'),
    );
    const text = h(
      'p',
      {},
      'Brokers that have more than their share ask the surplus to leave, at this pace; those clients move to the others.',
    );
    const act = async (/** @type {FormData} */ form) => {
      const threshold = Number(form.get('threshold')) / 100;
      await call('POST', `backends/${path(this.#name)}/rebalance`, { rate: Number(form.get('rate')), threshold });
      return `The rebalance of ${this.#name} has begun.`;
    };
    const question = makeQuestion(`Rebalance ${this.#name}?`, [text, fields], `Rebalance ${this.#name}`, act, close);
    question.addEventListener('keydown', event => {
      if (event.key === 'Escape') close();
    });
    this.#ask.replaceChildren(question);
    this.#ask.hidden = false;
    question.querySelector('input')?.focus();
  }

  /** @param {readonly [backend: BackendView, view: PageView]} now */
  update([backend, view]) {
    this.#moment.nowMs = view.atMs;
    this.#moment.mayOperate = view.level !== 'user';
    this.#moment.longest = longestBar(backend.servers);
    this.#writeAbout(about(backend));
    this.#rebalance.hidden = !this.#moment.mayOperate || backend.servers.length < 2;
    this.#rows(backend.servers);
    this.#sum.update(backend);
    this.#filter.update(backend.servers, this.node);
  }
}

/** @param {BackendView} backend */
function about({ balance, mode, stick, retries, reroutes, failed }) {
  const sticks =
    stick === null ? 'no stickiness' : `sticks on ${stick.field}: ${entries(stick)}, kept ${duration(stick.expireMs)}`;
  const trouble =
    failed === 0 ? [] : [`${many(failed, 'failed attempt')}, ${count(retries)} retried, ${count(reroutes)} rerouted`];
  return [...(mode === 'tcp' ? ['TCP'] : []), balance, sticks, ...trouble].join(' · ');
}

/** How full the table is; of a shared one nobody here knows. @param {NonNullable<BackendView['stick']>} stick */
function entries({ shared, used, size }) {
  return shared ? `${count(used)} seen here (shared table in Redis)` : `${count(used)} of ${count(size)} entries`;
}

/** The largest share fills its bar, so that bars of 200 brokers can be compared too. @param {readonly ServerView[]} servers */
function longestBar(servers) {
  return servers.reduce((most, { share, fairShare }) => Math.max(most, share, fairShare ?? 0), 0) || 1;
}

/** @param {Element} parent @returns {(view: PageView) => void} */
export function makeBackends(parent) {
  const update = keyed(
    parent,
    (/** @type {readonly [BackendView, PageView]} */ [{ name }]) => name,
    ([backend]) => new Backend(backend),
  );
  return view => update(view.backends.map(backend => /** @type {const} */ ([backend, view])));
}
