// One broker: its row, and below it, on demand, its details or the question before an operation.
import { attributeOf, button, h, partOf, textOf } from './dom.js';
import { Operation, wordsOf } from './operate.js';
import { serverColumns } from './server_columns.js';
import { ServerDetail } from './server_detail.js';
import { makeState } from './signs.js';
import { makeRow } from './table.js';
import { count, duration, latency, percent, sum, visible } from './text.js';

/**
 * @import { ServerView } from '../src/admin/page/page_view.ts'
 * @typedef {object} Moment what all rows of a backend share at one update
 * @property {number} nowMs
 * @property {boolean} mayOperate
 * @property {number} longest the share that fills a bar
 */

export class ServerRow {
  node = h('tbody', { role: 'rowgroup', class: 'server' });
  #row = makeRow(serverColumns);
  #state = makeState();
  #below = h('td', { role: 'cell', class: 'below' });
  #writeSpan = attributeOf(this.#below, 'colspan');
  #belowRow = h('tr', { role: 'row', class: 'below-row', hidden: true }, this.#below);
  #open = /** @type {ServerDetail | Operation | null} */ (null);
  #opener = /** @type {HTMLElement | null} */ (null);
  #server = /** @type {ServerView | null} */ (null);
  #moment;
  #toggle;
  #backend;
  #write;
  #offered = '';
  #actions = h('span', { class: 'actions' });

  /**
   * @param {string} backend
   * @param {ServerView} server
   * @param {Moment} moment the same object at every update, with other values
   */
  constructor(backend, server, moment) {
    this.#backend = backend;
    this.#moment = moment;
    this.#toggle = button(server.name, () => this.#toggleDetail(), { class: 'expand', 'aria-expanded': 'false' });
    this.#write = this.#fillCells();
    this.node.dataset.key = server.name;
    this.node.append(this.#row.row, this.#belowRow);
    this.#below.addEventListener('keydown', event => {
      if (event.key === 'Escape') this.#close();
    });
  }

  #fillCells() {
    const [name, status, share, total, check] = ['name', 'status', 'share', 'total', 'check'].map(look =>
      this.#cell(look),
    );
    if (!name || !status || !share || !total || !check) throw new Error('a column is missing');
    const address = h('span', { class: 'address' });
    const since = h('span', { class: 'since' });
    const bar = h('span', { class: 'bar', 'aria-hidden': 'true' });
    const part = h('span', { class: 'part' });
    name.append(this.#toggle, address);
    status.append(h('div', { class: 'standing' }, this.#state.node, since, this.#actions));
    share.append(bar, part);
    const word = h('span', {});
    const took = h('span', { class: 'took' });
    const downs = h('span', { class: 'trouble' });
    check.append(word, took, downs);
    const sessions = h('span', {});
    const failed = h('span', { class: 'trouble' });
    total.append(sessions, failed);
    return {
      ...{ check: textOf(word), took: textOf(took), downs: textOf(downs) },
      ...{ total: textOf(sessions), failed: textOf(failed) },
      ...{ address: textOf(address), since: textOf(since), part: textOf(part), length: partOf(bar, '--part') },
      ...{
        fair: partOf(bar, '--fair'),
        unfair: attributeOf(bar, 'data-unfair'),
        tone: attributeOf(this.node, 'data-tone'),
        title: attributeOf(status, 'title'),
      },
    };
  }

  /** @param {string} look */
  #cell(look) {
    return this.#row.cells.find(cell => cell.classList.contains(look));
  }

  /** @param {ServerView} server */
  update(server) {
    this.#server = server;
    const write = this.#write;
    this.#row.update(server);
    this.#state.update(server.tone, server.word);
    write.tone(server.tone);
    write.title(server.reason === '' ? null : visible(server.reason));
    write.since(duration(this.#moment.nowMs - server.sinceMs));
    write.address(addressText(server));
    write.part(percent(server.share));
    write.length(server.share / this.#moment.longest);
    write.fair((server.fairShare ?? 0) / this.#moment.longest);
    write.unfair(server.fairShare === null ? '' : null);
    write.check(server.check?.word ?? (server.word === 'no check' ? 'none' : '–'));
    write.took(tookText(server));
    write.downs(server.downs === 0 ? '' : `${count(server.downs)} × DOWN`);
    write.total(sum(server.total));
    write.failed(server.failed === 0 ? '' : `${sum(server.failed)} failed`);
    this.#offer(server);
    if (this.#open === null) return;
    this.#open.update(server, this.#moment);
    this.#span();
  }

  /** As wide as the columns that are shown: a wider one would make empty columns beside them. */
  #span() {
    this.#writeSpan(String(this.#row.cells.filter(cell => getComputedStyle(cell).display !== 'none').length));
  }

  /** Only what makes sense now. @param {ServerView} server */
  #offer(server) {
    const offered = this.#moment.mayOperate ? server.admin : '';
    if (offered === this.#offered) return;
    this.#offered = offered;
    if (offered === '') return this.#actions.replaceChildren();
    const words = offered === 'ready' ? ['drain', 'maint'] : ['ready', offered === 'maint' ? 'drain' : 'maint'];
    const hadFocus = this.#actions.contains(document.activeElement);
    this.#actions.replaceChildren(
      ...words.map(word => {
        const label = `${wordsOf(word)} ${server.name}`;
        const made = button(wordsOf(word), () => this.#ask(word, made), { class: 'small', 'aria-label': label });
        return made;
      }),
    );
    if (hadFocus) this.#actions.querySelector('button')?.focus();
  }

  /** @param {string} word @param {HTMLElement} opener */
  #ask(word, opener) {
    if (this.#server === null) return;
    this.#show(new Operation(this.#backend, this.#server, word, () => this.#close()), opener);
  }

  #toggleDetail() {
    if (this.#open instanceof ServerDetail) return this.#close();
    if (this.#server !== null) this.#show(new ServerDetail(this.#backend, this.#server), this.#toggle);
  }

  /** @param {ServerDetail | Operation} part @param {HTMLElement} opener */
  #show(part, opener) {
    this.#open = part;
    this.#opener = opener;
    this.#below.replaceChildren(part.node);
    this.#belowRow.hidden = false;
    this.#toggle.setAttribute('aria-expanded', String(part instanceof ServerDetail));
    if (this.#server !== null) part.update(this.#server, this.#moment);
    this.#span();
    part.focus();
  }

  #close() {
    const hadFocus = this.#below.contains(document.activeElement);
    this.#open = null;
    this.#belowRow.hidden = true;
    this.#below.replaceChildren();
    this.#toggle.setAttribute('aria-expanded', 'false');
    const opener = this.#opener?.isConnected ? this.#opener : this.#toggle;
    if (hadFocus) opener.focus();
  }
}

/** @param {ServerView} server */
function addressText({ host, address, port, backup, dynamic }) {
  const shown = host.includes(':') ? `[${host}]` : host;
  const words = [
    ...(backup ? ['backup'] : []),
    ...(dynamic ? ['added'] : []),
    ...(address === null ? ['unresolved'] : []),
  ];
  return [`${shown}:${port}`, ...words].join(' · ');
}

/** @param {ServerView} server */
function tookText({ check, checksEnabled }) {
  return [
    ...(check === null ? [] : [check.durationMs < 1 ? '< 1 ms' : latency(check.durationMs)]),
    ...(checksEnabled ? [] : ['off']),
  ].join(' · ');
}
