// The proxies that share the state, where there is more than one, or a virtual address.
import { byId, h, keyed, textOf } from './dom.js';
import { makeState } from './signs.js';
import { makeRow, makeTable } from './table.js';
import { count, duration, visible } from './text.js';

/**
 * @import { PageView, PeerView } from '../src/admin/page/page_view.ts'
 * @import { Column } from './table.js'
 * @typedef {PeerView & { readonly nowMs: number }} Peer
 */

/** @type {readonly Column<Peer>[]} */
const columns = [
  { label: 'Proxy', look: 'name' },
  { label: 'State', look: 'status' },
  { label: 'Role', look: 'role', read: one => one.role },
  { label: 'Connections', look: 'num main', read: one => (one.conns === null ? '–' : count(one.conns)) },
  { label: 'Version', look: 'version', read: one => visible(one.version) },
  { label: 'Up', look: 'when', read: one => (one.state === 'silent' ? '–' : duration(one.nowMs - one.startedAtMs)) },
  { label: 'Last beat', look: 'when', read: one => (one.self ? '–' : `${duration(one.beatAgeMs)} ago`) },
];

/** @param {Peer} peer @returns {[tone: 'up' | 'warn' | 'down', word: string]} */
function stateOf({ state, ready }) {
  if (state === 'silent') return ['down', 'SILENT'];
  return ready === false ? ['warn', 'NOT READY'] : ['up', 'ALIVE'];
}

/** Names of others come out of Redis. @param {Peer} peer */
function peerRow(peer) {
  const { row, cells, update } = makeRow(columns);
  const [name, status] = cells;
  const state = makeState();
  const vip = h('span', { class: 'address' });
  name?.append(h('b', {}, visible(peer.name)), peer.self ? ' (this one)' : '', vip);
  status?.append(state.node);
  const writeVip = textOf(vip);
  return {
    node: h('tbody', { role: 'rowgroup' }, row),
    update(/** @type {Peer} */ one) {
      update(one);
      writeVip(one.vip.map(visible).join(', '));
      state.update(...stateOf(one));
    },
  };
}

/** @returns {(view: PageView) => void} */
export function makeProxies() {
  const section = byId('proxies-section');
  const table = makeTable('Proxies', columns);
  byId('proxies').append(table);
  const rows = keyed(table, (/** @type {Peer} */ { name, self }) => `${self} ${name}`, peerRow, table.tHead);
  return ({ proxies, atMs }) => {
    section.hidden = proxies.length < 2 && proxies.every(({ vip }) => vip.length === 0);
    rows(proxies.map(peer => ({ ...peer, nowMs: atMs })));
  };
}
