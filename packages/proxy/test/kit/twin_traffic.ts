/**
 * The traffic by which twins are compared: clients that are new, that return, that are refused by their broker, that send
 * garbage, that may not come in; bytes both ways; a broker that is killed and comes back, and one that was never there.
 */
import { once } from 'node:events';
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
  await comeBack(clients, 4, join);
  for (const id of ['r0', 'r1']) await refused(twin, id);
  for (const bytes of garbage) await endOf(twin, 'mqtt', bytes);
  for (let n = 0; n < 2; n += 1) await endOf(twin, 'closed', Buffer.from('1000', 'hex'));
  // By weight: of four in turn, three would go to the server that is not there.
  for (let n = 0; n < 4; n += 1) clients.push(await join(`f${n}`, 'flaky'));
  const live = await settled(twin, crowd, 4);

  await twin.brokers.b2.kill9();
  await status(twin, 'brokers/b2', 'DOWN');
  for (const id of ['c1', 'n0', 'n1']) clients.push(await join(id));
  const broken = await settled(twin, crowd / 2 + 3, 4);

  await twin.brokers.b2.restart();
  await status(twin, 'brokers/b2', 'UP');
  for (const id of ['n2', 'n3']) clients.push(await join(id));
  // The largest number there was: long enough for whoever only looks now and then.
  await settled(twin, crowd + 2, 4);
  for (const client of clients) if (client.mqtt.connected) await echo(client, upLength);
  for (const client of clients) await client.end();
  return { live, broken, settled: await settled(twin, 0, 0) };
}

/** The client sends itself a message. */
async function echo(client: Client, length: number): Promise<void> {
  const topic = `to/${client.mqtt.options.clientId}`;
  await client.mqtt.subscribeAsync(topic);
  const came = once(client.mqtt, 'message');
  await client.mqtt.publishAsync(topic, Buffer.alloc(length, 'x'));
  await came;
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

/** The statistics as soon as they know that so many sessions are there, and say the same twice. */
async function settled(twin: Twin, brokers: number, flaky: number): Promise<Map<string, StatRow>> {
  let before = '';
  return await until(
    async () => {
      const stats = await twin.stats();
      const now = [...stats.values()].map(({ scur, stot, bin, bout }) => [scur, stot, bin, bout].join()).join(' ');
      const isSame = now === before;
      before = now;
      const scur = (row: string): number => Number(stats.get(row)?.scur);
      const there = [scur('mqtt/FRONTEND'), scur('brokers/BACKEND'), scur('flaky/FRONTEND'), scur('flaky/BACKEND')];
      return isSame && there.join() === [brokers, brokers, flaky, flaky].join() && stats;
    },
    { what: `${brokers} and ${flaky} sessions`, seen: () => before },
  );
}
