// What stands in the rows of brokers, and in the row of their sums.
import { bytes, count, latency, limit, sum } from './text.js';

/**
 * @import { BackendView, ServerView } from '../src/admin/page/page_view.ts'
 * @import { Column } from './table.js'
 */

/** @type {readonly Column<ServerView>[]} */
export const serverColumns = [
  { label: 'Server', look: 'name' },
  { label: 'State', look: 'status' },
  { label: 'Sessions', group: 'Sessions', short: 'Now', look: 'num main', read: one => count(one.sessions) },
  { label: 'Sessions max', group: 'Sessions', short: 'Max', look: 'num extra', read: one => count(one.sessionsMax) },
  { label: 'Limit', group: 'Sessions', short: 'Limit', look: 'num extra quiet', read: one => limit(one.maxconn) },
  { label: 'Share', look: 'share' },
  { label: 'Rate /s', group: 'Rate /s', short: 'Now', look: 'num rate', read: one => count(one.rate) },
  { label: 'Rate max', group: 'Rate /s', short: 'Max', look: 'num rate extra', read: one => count(one.rateMax) },
  { label: 'Total', look: 'num extra total' },
  { label: 'Bytes in', group: 'Bytes', short: 'In', look: 'num bytes extra', read: one => bytes(one.bytesIn) },
  { label: 'Bytes out', group: 'Bytes', short: 'Out', look: 'num bytes extra', read: one => bytes(one.bytesOut) },
  { label: 'Check', look: 'check' },
  { label: 'CONNACK p99', look: 'num connack extra', read: one => latency(one.latency.connackP99) },
  { label: 'Weight', look: 'num weight extra', read: weightText },
];

/** @type {readonly Column<BackendView>[]} the same places */
export const sumColumns = [
  { label: 'All', look: 'name', read: () => 'Backend' },
  { label: 'State', look: 'status', read: one => `${one.usable} of ${one.servers.length} usable` },
  { label: 'Sessions', look: 'num main', read: one => count(one.sessions) },
  { label: 'Sessions max', look: 'num extra', read: one => count(one.sessionsMax) },
  { label: 'Limit', look: 'num extra quiet', read: () => '' },
  { label: 'Share', look: 'share', read: () => '' },
  { label: 'Rate /s', look: 'num rate', read: one => count(one.rate) },
  { label: 'Rate max', look: 'num rate extra', read: one => count(one.rateMax) },
  { label: 'Total', look: 'num extra total', read: one => sum(one.total) },
  { label: 'Bytes in', look: 'num bytes extra', read: one => bytes(one.bytesIn) },
  { label: 'Bytes out', look: 'num bytes extra', read: one => bytes(one.bytesOut) },
  { label: 'Check', look: 'check', read: () => '' },
  { label: 'CONNACK', look: 'num connack extra', read: one => latency(one.latency.connackP99) },
  {
    label: 'Weight',
    look: 'num weight extra',
    read: one => count(one.servers.reduce((all, { weight }) => all + weight, 0)),
  },
];

/** `50`, `5 of 50` where an operator or slowstart has changed it. @param {ServerView} server */
function weightText({ weight, weightConfigured, backup }) {
  const text = weight === weightConfigured ? String(weight) : `${weight} of ${weightConfigured}`;
  return backup ? `${text} bck` : text;
}
