// Frontends with their binds, and the workers.
import { byId, h, keyed, textOf } from './dom.js';
import { makeState } from './signs.js';
import { makeRow, makeTable } from './table.js';
import { bytes, count, duration, limit, many, sum } from './text.js';

/**
 * @import { BindView, FrontendView, PageView, WorkerView } from '../src/admin/page/page_view.ts'
 * @import { Column } from './table.js'
 */

/** @type {readonly Column<FrontendView>[]} */
const frontendColumns = [
  { label: 'Frontend', look: 'name' },
  { label: 'State', look: 'status' },
  { label: 'Sessions', group: 'Sessions', short: 'Now', look: 'num main', read: one => count(one.sessions) },
  { label: 'Sessions max', group: 'Sessions', short: 'Max', look: 'num extra', read: one => count(one.sessionsMax) },
  { label: 'Limit', group: 'Sessions', short: 'Limit', look: 'num extra quiet', read: one => limit(one.maxconn) },
  { label: 'Rate /s', group: 'Rate /s', short: 'Now', look: 'num rate', read: one => count(one.rate) },
  { label: 'Rate max', group: 'Rate /s', short: 'Max', look: 'num rate extra', read: one => count(one.rateMax) },
  {
    label: 'Rate limit',
    group: 'Rate /s',
    short: 'Limit',
    look: 'num rate extra quiet',
    read: one => limit(one.connRate),
  },
  { label: 'Total', look: 'num extra total', read: one => sum(one.total) },
  { label: 'CONNECTs', look: 'num total', read: one => (one.mode === 'tcp' ? '–' : sum(one.connects)) },
  { label: 'Refused', look: 'num total', read: one => sum(one.refused) },
  { label: 'Bytes in', group: 'Bytes', short: 'In', look: 'num bytes extra', read: one => bytes(one.bytesIn) },
  { label: 'Bytes out', group: 'Bytes', short: 'Out', look: 'num bytes extra', read: one => bytes(one.bytesOut) },
];

/** @param {FrontendView} frontend */
function frontendRow(frontend) {
  const { row, cells, update } = makeRow(frontendColumns);
  const [name, status] = cells;
  const state = makeState();
  const leads = h('span', { class: 'address' });
  const binds = h('ul', { class: 'binds' });
  name?.append(h('b', {}, frontend.name), leads, binds);
  status?.append(state.node);
  const writeLeads = textOf(leads);
  const writeBinds = keyed(binds, (/** @type {BindView} */ { key }) => key, bindItem);
  return {
    node: h('tbody', { role: 'rowgroup' }, row),
    update(/** @type {FrontendView} */ one) {
      update(one);
      writeLeads(`→ ${one.leadsTo.join(', ')}`);
      writeBinds(one.binds);
      state.update(one.state === 'open' ? 'up' : 'maint', one.state === 'open' ? 'OPEN' : 'STOP');
    },
  };
}

function bindItem() {
  const node = h('li');
  const write = textOf(node);
  return {
    node,
    update(/** @type {BindView} */ { label, listens, tls, websocket, sessions }) {
      const ways = [...(tls ? ['TLS'] : []), ...(websocket ? ['WebSocket'] : [])].join(', ');
      const where =
        label === listens || listens.endsWith(`:${label.split(':').at(-1)}`) ? label : `${label} (${listens})`;
      write([where, ...(ways === '' ? [] : [ways]), many(sessions, 'session')].join(' · '));
    },
  };
}

/** @type {readonly Column<WorkerView & { readonly ageMs: number }>[]} */
const workerColumns = [
  { label: 'Worker', look: 'name', read: one => one.name },
  { label: 'State', look: 'status', read: one => one.state },
  { label: 'Sessions', look: 'num main', read: one => count(one.sessions) },
  { label: 'Rate /s', look: 'num rate', read: one => count(one.rate) },
  { label: 'Pid', look: 'num extra', read: one => String(one.pid) },
  { label: 'Up', look: 'num', read: one => duration(one.ageMs) },
];

function workerRow() {
  const { row, update } = makeRow(workerColumns);
  return { node: h('tbody', { role: 'rowgroup' }, row), update };
}

/** @returns {(view: PageView) => void} */
export function makeFrontends() {
  const table = makeTable('Frontends', frontendColumns);
  byId('frontends').append(table);
  const rows = keyed(table, (/** @type {FrontendView} */ { name }) => name, frontendRow, table.tHead);
  const workerTable = makeTable('Workers', workerColumns);
  workerTable.classList.add('small-table');
  byId('workers').append(workerTable);
  const byPid = (/** @type {WorkerView} */ { name, pid }) => `${name} ${pid}`;
  const workerRows = keyed(workerTable, byPid, workerRow, workerTable.tHead);
  return view => {
    rows(view.frontends);
    workerRows(view.workers.map(worker => ({ ...worker, ageMs: view.atMs - worker.startedAtMs })));
  };
}
