/**
 * The traffic by which twins are compared: clients that are new, that return, that are refused by their broker, that send
 * garbage, that may not come in; bytes both ways; a broker that is killed and comes back, and one that was never there.
 */
import { connect } from 'node:net';
import { Belongings } from './belongings.ts';
import { type Client, connectClient } from './clients.ts';
import { until, within } from './condition.ts';
import type { StatRow } from './stat_csv.ts';
import type { Twin, TwinFrontend } from './twins.ts';

/** What the statistics said while clients were connected, while a broker was away, and when all had left. */
export interface Seen {
  readonly live: Map<string, StatRow>;
  readonly broken: Map<string, StatRow>;
  readonly settled: Map<string, StatRow>;
}

const upLength = 20_000;
const crowd = 6;
const returning = 4;
const refusals = 2;
/** At the frontend where nobody may come in. */
const strangers = 2;
/** A whole PUBLISH, a request of the wrong protocol, and a CONNECT with a protocol name that does not exist. */
const garbage: readonly Buffer[] = [
  Buffer.from('3006000161626364', 'hex'),
  Buffer.from('GET / HTTP/1.1\r\nHost: mqtt\r\n\r\n'),
  Buffer.from('100d0004585858580402003c000161', 'hex'),
];

export async function drive(twin: Twin): Promise<Seen> {
  await using things = new Belongings();
  const join = async (id: string, frontend: TwinFrontend = 'mqtt'): Promise<Client> =>
    things.own(await connectClient(twin.port(frontend), { clientId: id }));
  await status(twin, 'brokers/b2', 'UP');

  const clients: Client[] = [];
  for (let n = 0; n < crowd; n += 1) clients.push(await join(`c${n}`));
  for (const client of clients) await echo(client, upLength);
  await comeBack(clients, returning, join);
  for (let n = 0; n < refusals; n += 1) await refused(twin, `r${n}`);
  for (const bytes of garbage) await endOf(twin, 'mqtt', bytes);
  for (let n = 0; n < strangers; n += 1) await endOf(twin, 'closed', Buffer.from('1000', 'hex'));
  // By weight: of four in turn, three would go to the server that is not there.
  for (let n = 0; n < 4; n += 1) clients.push(await join(`f${n}`, 'flaky'));
  let connections = crowd + returning + refusals + garbage.length;
  const live = await settled(twin, { connections, brokers: crowd, flaky: 4 });

  await twin.brokers.b2.kill9();
  await status(twin, 'brokers/b2', 'DOWN');
  for (const id of ['c1', 'n0', 'n1']) clients.push(await join(id));
  connections += 3;
  const broken = await settled(twin, { connections, brokers: crowd / 2 + 3, flaky: 4 });

  await twin.brokers.b2.restart();
  await status(twin, 'brokers/b2', 'UP');
  for (const id of ['n2', 'n3']) clients.push(await join(id));
  // The largest number there was: long enough for whoever only looks now and then.
  connections += 2;
  await settled(twin, { connections, brokers: crowd + 2, flaky: 4 });
  for (const client of clients) if (client.mqtt.connected) await echo(client, upLength);
  for (const client of clients) await client.end();
  return { live, broken, settled: await settled(twin, { connections, brokers: 0, flaky: 0 }) };
}

/** The client sends itself a message. */
async function echo(client: Client, length: number): Promise<void> {
  const topic = `to/${client.mqtt.options.clientId}`;
  await client.mqtt.subscribeAsync(topic);
  const came = new Promise<void>(resolve => client.mqtt.once('message', () => resolve()));
  await client.mqtt.publishAsync(topic, Buffer.alloc(length, 'x'));
  await within(came, { what: `the message of ${topic}` });
}

/** The first of them leave and return. */
async function comeBack(clients: Client[], count: number, join: (id: string) => Promise<Client>): Promise<void> {
  for (const [n, client] of clients.slice(0, count).entries()) {
    await client.end();
    clients[n] = await join(`c${n}`);
  }
}

async function refused(twin: Twin, clientId: string): Promise<void> {
  const mqtt = { username: 'nobody', password: 'x' };
  const answer = await connectClient(twin.port('mqtt'), { clientId, mqtt }).catch((error: unknown) => String(error));
  if (!String(answer).includes('Not authorized')) throw new Error(`${clientId} should be refused: ${String(answer)}`);
}

/** Sends it, and waits for the proxy to end the connection; which may be as soon as it is there. */
async function endOf(twin: Twin, frontend: TwinFrontend, bytes: Buffer): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port: twin.port(frontend) });
  const closed = new Promise(resolve => socket.once('close', resolve));
  socket.on('error', () => undefined);
  socket.resume();
  socket.write(bytes);
  await within(closed, { what: `the end of a connection to ${frontend}` });
}

async function status(twin: Twin, server: string, word: string): Promise<void> {
  const now = async (): Promise<string> => (await twin.stats()).get(server)?.status ?? '';
  await until(async () => (await now()) === word, { what: `${server} ${word}` });
}

interface Expected {
  /** Of frontend mqtt, ever. */
  readonly connections: number;
  /** Sessions now. */
  readonly brokers: number;
  readonly flaky: number;
}

/** The statistics as soon as they know of all that has happened, and say the same twice. */
async function settled(twin: Twin, { connections, brokers, flaky }: Expected): Promise<Map<string, StatRow>> {
  const expected = [connections, garbage.length, strangers, brokers, brokers, flaky, flaky].join();
  let before = '';
  return await until(
    async () => {
      const stats = await twin.stats();
      const number = (row: string, column: string): number => Number(stats.get(row)?.[column]);
      const sessions = ['mqtt/FRONTEND', 'brokers/BACKEND', 'flaky/FRONTEND', 'flaky/BACKEND'].map(row =>
        number(row, 'scur'),
      );
      const turnedAway = number('mqtt/FRONTEND', 'dreq') + number('mqtt/FRONTEND', 'ereq');
      const known = [
        number('mqtt/FRONTEND', 'conn_tot'),
        turnedAway,
        number('closed/FRONTEND', 'dcon'),
        ...sessions,
      ].join();
      const now = [known, ...[...stats.values()].map(({ stot, bin, bout }) => [stot, bin, bout].join())].join(' ');
      const isSame = now === before;
      before = now;
      return isSame && known === expected && stats;
    },
    { what: expected, seen: () => before },
  );
}
