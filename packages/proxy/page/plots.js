// Which plots there are, and the hour of samples that they show.
import { call } from './api.js';
import { byId } from './dom.js';
import { Plot } from './plot.js';
import { byName, largest, spread } from './scale.js';
import { count, latency, rate } from './text.js';

const everyMs = 10_000;
/** An hour of 200 brokers is a large answer: it is asked for less often. */
const everyMsOfMany = 60_000;
const manyServers = 30;
const mostBands = 8;
const key = 'limpet-plots';

export class Plots {
  #details = /** @type {HTMLDetailsElement} */ (byId('plots-details'));
  #connects = new Plot({ title: 'CONNECT and CONNACK', unit: '/s', kind: 'lines', write: rate });
  #sessions = new Plot({ title: 'Sessions by broker', unit: 'sessions', kind: 'bands', write: count, axis: short });
  #latency = new Plot({
    title: 'CONNACK latency',
    unit: 'ms, logarithmic',
    kind: 'lines',
    log: true,
    write: latency,
    axis: String,
  });
  #ends = new Plot({ title: 'Ends of sessions', unit: '/s, by reason', kind: 'bands', write: rate });
  #timer = 0;

  constructor() {
    byId('plots').append(this.#connects.node, this.#sessions.node, this.#latency.node, this.#ends.node);
    this.#details.open = kept() ?? matchMedia('(min-width: 48rem)').matches;
    this.#details.addEventListener('toggle', () => {
      keep(this.#details.open);
      void this.load();
    });
    document.addEventListener('visibilitychange', () => void this.load());
  }

  /** Asks now, and again and again while somebody can see it. */
  async load() {
    clearTimeout(this.#timer);
    if (!this.#details.open || document.hidden) return;
    let nextMs = everyMs;
    try {
      const history = await call('GET', 'history');
      if (Object.keys(history.servers).length > manyServers) nextMs = everyMsOfMany;
      this.#show(history);
    } catch {
      // The stream's banner says when the proxy is away.
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.load(), nextMs);
  }

  /** @param {Record<string, any>} history as the API says it */
  #show(history) {
    const atMs = history.at_ms;
    this.#connects.update(atMs, [
      { name: 'CONNECT', values: history.connects },
      { name: 'accepted', values: history.accepted },
      { name: 'refused', values: history.refused },
    ]);
    const servers = byName(history.servers);
    if (Object.keys(servers).length > manyServers) this.#sessions.update(atMs, spread(servers), 'lines');
    else this.#sessions.update(atMs, largest(servers, mostBands), 'bands');
    this.#latency.update(atMs, [
      { name: 'half (p50)', values: history.connack_p50_ms },
      { name: '99 % (p99)', values: history.connack_p99_ms },
    ]);
    /** @type {Record<string, number[]>} */
    const ends = {};
    for (const [reason, values] of Object.entries(history.ends)) {
      ends[reason.replaceAll('_', ' ')] = values.map((/** @type {number} */ value) => (value * 1000) / history.step_ms);
    }
    this.#ends.update(atMs, largest(byName(ends), mostBands));
  }
}

/** `12k`. @param {number} value */
function short(value) {
  return value >= 1000 ? `${Number((value / 1000).toFixed(1))}k` : count(value);
}

function kept() {
  try {
    const word = localStorage.getItem(key);
    return word === null ? null : word === 'open';
  } catch {
    return null;
  }
}

/** @param {boolean} open */
function keep(open) {
  try {
    localStorage.setItem(key, open ? 'open' : 'closed');
  } catch {
    // Then it is forgotten.
  }
}
