import type { Arrival } from './arrivals.ts';
import type { DemoBroker } from './brokers.ts';
import { DEMO_PASSWORD } from './config.ts';
import type { Landing, Stray } from './landing.ts';

/** The id that aedes gives to a client that has none of its own. */
const GIVEN_ID = /^aedes_[\da-f-]{36}$/;

/** A client id may have 65,535 bytes; a line of the terminal has not. */
const WIDEST_ID = 64;

/** What runs. */
export function introduction(port: number, wishedPort: number, brokers: readonly DemoBroker[]): string {
  const taken =
    wishedPort === 0 || wishedPort === port ? [] : [`Port ${wishedPort} is taken; it is ${port} this time.`, ''];
  return [
    'Three MQTT brokers that act as one cluster, and Limpet in front of them:',
    '',
    `  limpet   127.0.0.1:${port}   2 workers, memory table, balance roundrobin, stick on client_id`,
    ...brokers.map(broker => `  ${broker.name}  127.0.0.1:${broker.port}`),
    '',
    ...taken,
  ].join('\n');
}

/** Where an operator looks at the demo. */
export interface Faces {
  readonly page: string;
  /** Of the runtime API. */
  readonly socket: string;
}

/** What to type next, with the port that is really used. */
export function nextSteps(port: number, { page, socket }: Faces): string {
  const to = `-h 127.0.0.1 -p ${port}`;
  return `Type next, in two other terminals:

  mosquitto_sub ${to} -i subscriber1 -t 't/#'
  mosquitto_pub ${to} -t t/xyz -m hello

The subscriber prints hello, whichever brokers the two are on. Stop it and start it again: this window shows that it
comes back to the same broker. (These brokers speak MQTT 3.1 and 3.1.1.)

Look at it, and take a broker out of service:

  ${page}        user admin, password ${DEMO_PASSWORD}
  export LIMPET_SOCKET=${socket}
  node packages/cli/dist/bin.js top

Ctrl-C ends all.
`;
}

/** One client's arrival at a broker. */
export function arrivalLine({ id, broker, before }: Arrival): string {
  const client = GIVEN_ID.test(id) ? 'a client without an id' : printable(id);
  if (before === undefined) return `${client} is on ${broker}`;
  return `${client} is on ${broker}${before === broker ? ' again' : `, was on ${before}`}`;
}

/** Where each client landed: a column per broker, its count in the head. */
export function landingTable(landing: Landing, brokers: readonly string[]): string {
  const columns = brokers.map(broker => {
    const ids = [...landing].filter(([, on]) => on === broker).map(([id]) => id);
    return [`${broker}: ${ids.length}`, ...ids.sort()];
  });
  const widths = columns.map(column => Math.max(...column.map(cell => cell.length)));
  const height = Math.max(...columns.map(column => column.length));
  const rows = Array.from({ length: height }, (_, row) =>
    columns.map((column, index) => (column[row] ?? '').padEnd(widths[index] ?? 0)).join('   '),
  );
  return rows.map(row => `  ${row}`.trimEnd()).join('\n');
}

/** How many came home, and who did not. */
export function homecoming(total: number, lost: readonly Stray[]): string {
  const elsewhere = lost.map(({ id, home, now }) => `  ${id} was on ${home}, is ${now ? `on ${now}` : 'nowhere'}`);
  return [`${total - lost.length} of ${total} came home.`, ...elsewhere, ''].join('\n');
}

/** A client's own text, made safe for a terminal: it may hold control characters. */
export function printable(text: string): string {
  const safe = text.slice(0, WIDEST_ID).replace(/[^\x20-\x7e]/g, unit => `\\u${hex4(unit)}`);
  return text.length > WIDEST_ID ? `${safe}…` : safe;
}

function hex4(unit: string): string {
  return unit.charCodeAt(0).toString(16).padStart(4, '0');
}
