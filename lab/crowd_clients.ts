/**
 * A process on the client host: many clients with persistent sessions. Each comes back by itself when it has lost its
 * connection, 1 to 5 s later, and tells what its CONNACK said. Each pings, so that it finds out at the latest then.
 *
 * `crowd_clients.ts ADDRESS PORT COUNT`
 */
import { connect, type Socket } from 'node:net';
import { generate } from 'mqtt-packet';

/** One attempt to connect, and how it ended. */
export interface Attempt {
  readonly client: number;
  /** When the attempt began and ended, milliseconds since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
  /** `Session Present` of an accepting CONNACK (MQTT 3.1.1 section 3.2.2.2); null: there was none. */
  readonly sessionPresent: boolean | null;
  /** Why there was none. */
  readonly why: string;
}

export interface CrowdNews {
  readonly attempts: readonly Attempt[];
  /** When a client that was in has noticed that it is no more. */
  readonly lossesMs: readonly number[];
}

const leastDelayMs = 1_000;
const mostDelayMs = 5_000;
/** For a CONNACK, as client libraries have it. */
const patienceMs = 30_000;
const keepAliveS = 20;
const tellMs = 100;
const pingreq = Buffer.from([0xc0, 0]);

const [host = '', port = '', count = ''] = process.argv.slice(2);
let attempts: Attempt[] = [];
let lossesMs: number[] = [];

const nowMs = (): number => performance.timeOrigin + performance.now();

function come(client: number): void {
  const fromMs = nowMs();
  const socket = connect({ host, port: Number(port), noDelay: true });
  let isIn = false;
  let why = 'closed';
  const tell = (sessionPresent: boolean | null): void => {
    attempts.push({ client, fromMs, toMs: nowMs(), sessionPresent, why: sessionPresent === null ? why : '' });
  };
  socket.setTimeout(patienceMs, () => {
    why = 'late';
    socket.destroy();
  });
  socket.write(generate({ cmd: 'connect', clientId: `device-${client}`, clean: false, keepalive: keepAliveS }));
  socket.on('data', bytes => {
    if (isIn) return;
    isIn = bytes[0] === 0x20 && bytes[3] === 0;
    why = 'refused';
    if (!isIn) socket.destroy();
    else stay(socket);
    if (isIn) tell((bytes[2] ?? 0) === 1);
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    why = error.code ?? error.message;
  });
  socket.once('close', () => {
    if (isIn) lossesMs.push(nowMs());
    else tell(null);
    comeLater(client);
  });
}

/** Pings as often as it has promised; without an answer by the next ping it gives the connection up. */
function stay(socket: Socket): void {
  const pings = setInterval(() => socket.write(pingreq), keepAliveS * 1000);
  socket.setTimeout(keepAliveS * 2_000, () => socket.destroy());
  socket.once('close', () => clearInterval(pings));
}

function comeLater(client: number): void {
  setTimeout(come, leastDelayMs + Math.random() * (mostDelayMs - leastDelayMs), client);
}

setInterval(() => {
  const news: CrowdNews = { attempts, lossesMs };
  attempts = [];
  lossesMs = [];
  process.send?.(news);
}, tellMs);
process.once('disconnect', () => process.exit(0));
for (let client = 0; client < Number(count); client += 1) comeLater(client);
