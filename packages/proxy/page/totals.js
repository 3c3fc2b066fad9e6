// The head of the page: who this is, and the sums.
import { byId, h, keyed, textOf } from './dom.js';
import { makeState } from './signs.js';
import { bytes, count, duration, many, moment, visible, visibleLines } from './text.js';
import { meaningOf } from './words.js';

/**
 * @import { PageView, ProxyView } from '../src/admin/page/page_view.ts'
 * @type {readonly (readonly [label: string, value: (proxy: ProxyView) => string, more: (proxy: ProxyView) => string])[]}
 */
const sums = [
  ['Sessions', one => count(one.sessions), one => `max ${count(one.sessionsMax)} · limit ${count(one.maxconn)}`],
  ['New sessions', one => `${count(one.rate)} /s`, one => `max ${count(one.rateMax)} /s`],
  ['Sessions so far', one => count(one.total), one => `${many(one.connects, 'CONNECT')}`],
  ['Refused', one => count(one.refused), one => (one.queued === 0 ? 'nobody waits' : `${count(one.queued)} wait`)],
  ['From clients', one => bytes(one.bytesIn), one => `${bytes(one.bytesOut)} to them`],
  [
    'Store',
    one => one.store,
    one => (one.storeReachable ? (one.store === 'redis' ? 'reachable' : 'this process') : 'away'),
  ],
  ['Workers', one => `${one.workersReady} of ${one.workers}`, one => `pid ${one.pid}`],
];

/** What an operator should know before anything else. @param {PageView} view */
function alarms({ proxy, proxies, backends, atMs }) {
  const said = [];
  if (proxy.stopping) said.push(`This process stops: ${many(proxy.sessions, 'session')} left.`);
  if (proxy.successorPid !== null) said.push(`This process is being replaced by pid ${proxy.successorPid}.`);
  if (!proxy.storeReachable) said.push('Redis is away: stick entries are decided here, and written when it is back.');
  for (const { name, state, role: was, ready, beatAgeMs } of proxies) {
    if (state === 'alive' && was === 'standby' && ready === false) {
      said.push(`Proxy ${visible(name)} (standby) is not ready: it cannot take over.`);
    }
    if (state === 'silent') said.push(`Proxy ${visible(name)} (${was}) has been silent for ${duration(beatAgeMs)}.`);
  }
  for (const { name, usable } of backends) if (usable === 0) said.push(`Backend ${name} has no usable broker.`);
  if (proxy.workersReady < proxy.workers && !proxy.stopping) {
    said.push(`${proxy.workersReady} of ${proxy.workers} workers are ready.`);
  }
  const { lastReload } = proxy;
  if (lastReload !== null && !lastReload.ok) {
    said.push(`The reload at ${moment(lastReload.atMs, atMs)} changed nothing: ${visibleLines(lastReload.summary)}`);
  }
  return said;
}

/** @returns {(view: PageView) => void} */
export function makeTotals() {
  const name = textOf(clear('name'));
  const about = textOf(clear('about'));
  const role = makeState();
  byId('role').append(role.node);
  byId('role').title = meaningOf('active');
  const list = byId('totals');
  const writers = sums.map(([label, value, more]) => {
    const main = h('dd', { class: 'value' });
    const small = h('dd', { class: 'more' });
    list.append(h('div', { title: meaningOf(label) }, h('dt', {}, label), main, small));
    const writes = /** @type {const} */ ([textOf(main), textOf(small)]);
    return (/** @type {ProxyView} */ proxy) => {
      writes[0](value(proxy));
      writes[1](more(proxy));
    };
  });
  const showAlarms = keyed(
    byId('alarms'),
    (/** @type {string} */ text) => text,
    text => ({ node: h('p', { class: 'banner alarm' }, text), update() {} }),
  );
  return view => {
    const { proxy } = view;
    name(proxy.name);
    about(`Limpet ${proxy.version} · up ${duration(view.atMs - proxy.startedAtMs)}${before(proxy)}`);
    role.update(proxy.role === 'active' ? 'up' : 'none', roleText(view));
    document.title = title(view);
    for (const write of writers) write(proxy);
    showAlarms(alarms(view));
  };
}

/** The role, and since when where it has changed. @param {PageView} view */
function roleText({ proxy: { role, roleSinceMs }, atMs }) {
  return roleSinceMs === null ? role : `${role} for ${duration(atMs - roleSinceMs)}`;
}

/** While the replaced process drains, its clients are connected, but not here. @param {ProxyView} proxy */
function before({ predecessorPid, predecessorSessions }) {
  if (predecessorPid === null) return '';
  return ` · has replaced pid ${predecessorPid}, which still holds ${many(predecessorSessions ?? 0, 'session')}`;
}

/** The tab says when something is wrong. @param {PageView} view */
function title({ proxy, backends }) {
  const down = backends.reduce((sum, { servers }) => sum + servers.filter(({ tone }) => tone === 'down').length, 0);
  return `${down > 0 ? `(${down} DOWN) ` : ''}${proxy.name} – Limpet`;
}

/** @param {string} id */
function clear(id) {
  const element = byId(id);
  element.textContent = '';
  return element;
}
