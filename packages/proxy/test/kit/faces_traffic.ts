/**
 * Clients whose every byte is counted, before a proxy of two workers one of which is killed, and what its faces say.
 */
import { connectBytes, field } from '../unit/preread/connect_bytes.ts';
import { Belongings } from './belongings.ts';
import { Brokers } from './cluster.ts';
import { until } from './condition.ts';
import { connectFor } from './connects.ts';
import { makeDirectory } from './directory.ts';
import { type Faces, type Known, settledFaces } from './faces.ts';
import { type Limpet, startLimpet } from './limpet.ts';
import { startMosquitto } from './mosquitto.ts';
import { connectRaw, type RawSocket } from './raw_socket.ts';

const pingreq = Buffer.from([0xc0, 0]);
const disconnect = Buffer.from([0xe0, 0]);
export const refusals = 3;
export const garbage = 4;

/** What the test's own clients did and saw. */
interface Truth {
  readonly connections: number;
  readonly accepted: number;
  readonly sent: number;
  readonly received: number;
}

/** Remembers every client there ever was. */
class Witness {
  readonly #clients: RawSocket[] = [];
  /** What is known of clients that are lost: nobody knows what of their last words was heard. */
  readonly #last = new Map<RawSocket, readonly [sent: number, received: number]>();
  #accepted = 0;

  saw(client: RawSocket, isAccepted: boolean): void {
    this.#clients.push(client);
    if (isAccepted) this.#accepted += 1;
  }

  /** What they do from now on may be lost. */
  remember(clients: readonly RawSocket[]): void {
    for (const client of clients) this.#last.set(client, bytesOf(client));
  }

  /** It was not lost. */
  forget(client: RawSocket): void {
    this.#last.delete(client);
  }

  known(sessions: number): Known {
    const { sent, received } = this.truth();
    return { sessions, bytesIn: sent, bytesOut: received };
  }

  truth(): Truth {
    const bytes = this.#clients.map(client => this.#last.get(client) ?? bytesOf(client));
    const sent = bytes.reduce((sum, [its]) => sum + its, 0);
    const received = bytes.reduce((sum, [, its]) => sum + its, 0);
    return { connections: this.#clients.length, accepted: this.#accepted, sent, received };
  }
}

function bytesOf({ socket, bytesIn }: RawSocket): readonly [sent: number, received: number] {
  return [socket.bytesWritten, bytesIn];
}

export interface Shown {
  readonly before: Faces;
  readonly after: Faces;
  readonly over: Faces;
  readonly truth: { readonly before: Truth; readonly over: Truth };
  /** Sessions that the killed worker had. */
  readonly lost: number;
  readonly brokers: Readonly<Record<string, number>>;
}
export async function driveFaces(): Promise<Shown> {
  await using things = new Belongings();
  const directory = things.own(await makeDirectory('faces'));
  const config = [`password_file ${directory.write('passwords', '')}`];
  const names = ['b1', 'b2', 'b3'];
  const mosquittos = await Promise.all(names.map(async name => [name, await startMosquitto({ config })] as const));
  const brokers = things.own(new Brokers(new Map(mosquittos)));
  const limpet = things.own(
    await startLimpet({
      global: {
        name: 'lb',
        workers: 2,
        log: { level: 'debug' },
        runtime_api: [directory.file('limpet.sock')],
        stats: { bind: '127.0.0.1:0' },
      },
      frontends: { mqtt: { bind: ['127.0.0.1:0', '127.0.0.1:0'], default_backend: 'brokers' } },
      // One check each, so that counters come to rest.
      backends: { brokers: { check: { inter: '1h' }, servers: brokers.servers() } },
    }),
  );
  const witness = new Witness();
  const clients = await traffic(limpet, witness);
  const before = await settledFaces(limpet, witness.known(clients.length));
  const truthBefore = witness.truth();
  witness.remember(clients);
  const { lost, left } = await killOneWorker(limpet, clients);
  for (const client of left) witness.forget(client);
  const after = await settledFaces(limpet, witness.known(left.length));

  // As many come back as were lost; then all leave.
  const back = await Promise.all(lost.map((_, n) => join(limpet, witness, `back-${n}`, 5)));
  for (const client of [...left, ...back]) await leave(client);
  const over = await settledFaces(limpet, witness.known(0));
  const seen = Object.fromEntries(brokers.names.map(name => [name, brokers.connections(name).length]));
  const truth = { before: truthBefore, over: witness.truth() };
  return { before, after, over, truth, lost: lost.length, brokers: seen };
}

/** Clients of both versions, some of which return, some are refused by their broker, and garbage. Answers who is there. */
async function traffic(limpet: Limpet, witness: Witness): Promise<RawSocket[]> {
  const clients: RawSocket[] = [];
  for (let n = 0; n < 12; n += 1) clients.push(await join(limpet, witness, `c${n}`, n % 2 === 0 ? 4 : 5, n % 2));
  for (const client of clients.slice(0, 4)) await leave(client);
  for (let n = 0; n < 4; n += 1) clients[n] = await join(limpet, witness, `c${n}`, n % 2 === 0 ? 4 : 5);
  for (let n = 0; n < refusals; n += 1) {
    const payload = [field(`r${n}`), field('nobody'), field('x')];
    await turnedAway(limpet, witness, connectBytes({ level: 4, flags: 0xc2, payload }));
  }
  for (let n = 0; n < garbage; n += 1) await turnedAway(limpet, witness, Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  return clients;
}

/** A client that is accepted, and whose PINGREQ is answered. */
async function join(limpet: Limpet, witness: Witness, clientId: string, level: 4 | 5, bind = 0): Promise<RawSocket> {
  const client = await connectRaw(limpet.port('mqtt', bind));
  witness.saw(client, true);
  await client.write(connectFor({ clientId, level }));
  const [, rest = 0, , code] = await client.waitForBytes(4);
  if (code !== 0) throw new Error(`${clientId} was refused: ${code}`);
  // With the properties that the broker may have put in (5.0).
  const connackLength = 2 + rest;
  await client.waitForBytes(connackLength);
  await client.write(pingreq);
  await client.waitForBytes(connackLength + 2);
  return client;
}

async function leave(client: RawSocket): Promise<void> {
  await client.write(disconnect);
  client.end();
  await client.closed;
}

async function turnedAway(limpet: Limpet, witness: Witness, bytes: Buffer): Promise<void> {
  using client = await connectRaw(limpet.port('mqtt'));
  witness.saw(client, false);
  await client.write(bytes);
  await client.waitForEnd();
}

async function killOneWorker(
  limpet: Limpet,
  clients: readonly RawSocket[],
): Promise<{ lost: RawSocket[]; left: RawSocket[] }> {
  const [first] = limpet.events(({ event }) => event === 'worker_ready');
  process.kill(Number(first?.worker_pid), 'SIGKILL');
  await limpet.waitForEvent(({ event }) => event === 'worker_died', 'its death');
  await until(() => limpet.events(({ event }) => event === 'worker_ready').length === 3, { what: 'its successor' });
  const pings = clients.map(async client => {
    const { bytesIn } = client;
    await client.write(pingreq).catch(() => undefined);
    await until(() => client.isClosed || client.ended || client.bytesIn > bytesIn, { what: 'an answer, or the end' });
    return client.isClosed || client.ended;
  });
  const isLost = await Promise.all(pings);
  return { lost: clients.filter((_, n) => isLost[n]), left: clients.filter((_, n) => !isLost[n]) };
}
