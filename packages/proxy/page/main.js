// The page: a stream of snapshots comes in, and each part writes what has changed.
import { makeBackends } from './backends.js';
import { byId } from './dom.js';
import { Events } from './events.js';
import { makeFrontends } from './frontends.js';
import { own } from './place.js';
import { Plots } from './plots.js';
import { makeProxies } from './proxies.js';
import { Search } from './search.js';
import { Stream } from './stream.js';
import { makeTasks } from './tasks.js';
import { time } from './text.js';
import { makeTotals } from './totals.js';
import { listWords } from './words.js';

/** @import { PageView } from '../src/admin/page/page_view.ts' */

const parts = [makeTotals(), makeTasks(), makeProxies(), makeFrontends(), makeBackends(byId('backends'))];
const search = new Search();
const events = new Events();
const plots = new Plots();
listWords();
let lastAtMs = 0;
let startedAtMs = 0;
let isLive = false;

/** @param {PageView} view */
function show(view) {
  // Another process counts its events anew.
  if (startedAtMs !== 0 && view.proxy.startedAtMs !== startedAtMs) events.forget();
  startedAtMs = view.proxy.startedAtMs;
  performance.clearMeasures('update');
  const start = performance.now();
  for (const update of parts) update(view);
  search.allow(view.level !== 'user');
  byId('readonly').hidden = view.level !== 'user';
  performance.measure('update', { start, end: performance.now() });
  lastAtMs = view.atMs;
}

/** @param {boolean} live */
function showState(live) {
  if (live && !isLive) {
    void events.load();
    void plots.load();
  }
  isLive = live;
  document.body.className = live ? 'live' : 'stale';
  const lost = byId('lost');
  lost.hidden = live;
  const text = `Connection lost, trying again. ${lastAtMs === 0 ? '' : `The numbers are those of ${time(lastAtMs)}.`}`;
  if (!live && lost.textContent !== text) lost.textContent = text;
}

new Stream(new URL('events', own), {
  onView: show,
  onEvent: event => events.add(event),
  onState: showState,
});
