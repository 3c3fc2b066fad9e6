/**
 * Short sessions in great number, which end in all the ways that there are: orderly, half-closed, reset, from either side.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { field } from '../unit/preread/connect_bytes.ts';
import { connack } from './broker.ts';
import { until, within } from './condition.ts';
import { connectFor } from './connects.ts';
import { cutEvery } from './cut.ts';
import { connectRaw, type RawSocket } from './raw_socket.ts';
import { PLEASE_END, PLEASE_RESET, type Sink, startSink } from './sink.ts';

/** So many at a time. */
export const AT_ONCE = 100;
/** Few enough ids for the stick table not to grow by them. */
const IDS = 500;
const LAST_WORDS = Buffer.alloc(1000, 'w');
const DISCONNECT = Buffer.of(0xe0, 0);
const ACCEPTED = connack(4, 0).length;
const SERVED = ACCEPTED + LAST_WORDS.length;
const SLOW_MS = 30_000;

/** What a client does, and what has come of it. */
interface Way {
  readonly name: string;
  /** Bytes; null: nobody knows. */
  readonly hears: number | null;
  /** How its connection ends, as in `RawSocket.closed`. */
  readonly code: string | null;
  talk(client: RawSocket, connect: Buffer): Promise<void>;
}

function publish(payload: Uint8Array): Buffer {
  const body = Buffer.concat([field('churn'), payload]);
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
}

const MESSAGE = publish(Buffer.from('hello'));

async function accepted(client: RawSocket, ...pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    await client.write(piece);
    await nextTurn();
  }
  const isAnswered = (): boolean => client.bytesIn >= ACCEPTED || client.ended || client.isClosed;
  await until(isAnswered, { what: 'a CONNACK', timeoutMs: SLOW_MS });
}

/** What a client does as soon as it has its CONNACK. */
function onceAccepted(next: (client: RawSocket) => unknown): Way['talk'] {
  return async (client, connect) => {
    await accepted(client, connect);
    await next(client);
  };
}

const WAYS: readonly Way[] = [
  {
    name: 'DISCONNECT',
    hears: SERVED,
    code: null,
    talk: onceAccepted(client => client.socket.end(Buffer.concat([MESSAGE, DISCONNECT]))),
  },
  {
    name: 'everything at once, and FIN',
    hears: SERVED,
    code: null,
    async talk(client, connect) {
      client.socket.end(Buffer.concat([connect, MESSAGE, DISCONNECT]));
    },
  },
  {
    name: 'dribbled, then half-closed',
    hears: SERVED,
    code: null,
    async talk(client, connect) {
      await accepted(client, ...cutEvery(connect, 5));
      await client.write(MESSAGE);
      client.end();
    },
  },
  {
    name: 'RST',
    hears: ACCEPTED,
    code: null,
    talk: onceAccepted(async client => {
      await client.write(MESSAGE);
      client.reset();
    }),
  },
  {
    name: 'RST in the middle of its CONNECT',
    hears: 0,
    code: null,
    async talk(client, connect) {
      await client.write(connect.subarray(0, 9));
      client.reset();
    },
  },
  {
    name: 'RST right behind its CONNECT',
    hears: null,
    code: null,
    async talk(client, connect) {
      await client.write(connect);
      client.reset();
    },
  },
  {
    name: 'FIN by the broker',
    hears: SERVED,
    code: null,
    talk: onceAccepted(client => client.write(publish(PLEASE_END))),
  },
  {
    name: 'RST by the broker',
    hears: ACCEPTED,
    code: 'ECONNRESET',
    talk: onceAccepted(client => client.write(publish(PLEASE_RESET))),
  },
];

/** The broker of a churn. */
export function startChurnBroker(): Promise<Sink> {
  return startSink(LAST_WORDS);
}

/**
 * So many sessions, `AT_ONCE` at a time; fewer where `isInVain` says so. Answers what went otherwise than it must, one line for
 * each such session.
 */
export async function churn(port: number, sessions: number, isInVain = (): boolean => false): Promise<string[]> {
  const failures: string[] = [];
  let next = 0;
  const oneAfterTheOther = async (): Promise<void> => {
    while (next < sessions && !isInVain()) {
      next += 1;
      const failure = await visit(port, next);
      if (failure !== null) failures.push(failure);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, oneAfterTheOther));
  return failures;
}

async function visit(port: number, number: number): Promise<string | null> {
  const way = WAYS[number % WAYS.length] as Way;
  try {
    using client = await connectRaw(port);
    client.socket.once('end', () => client.end());
    await way.talk(client, connectFor({ clientId: `churn-${number % IDS}` }));
    const code = await within(client.closed, { what: 'the end of the session', timeoutMs: SLOW_MS });
    const isWell = code === way.code && (way.hears === null || client.bytesIn === way.hears);
    return isWell ? null : `${way.name}: ${client.bytesIn} bytes, ${code}`;
  } catch (error) {
    return `${way.name}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
