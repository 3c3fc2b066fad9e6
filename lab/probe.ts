/**
 * A process on the client host: a new client every 5 ms, through the virtual address, whatever becomes of those before.
 * It says in batches when a CONNACK came, and what failed.
 *
 * `probe.ts ADDRESS PORT`
 */
import { connect } from 'node:net';
import { generate } from 'mqtt-packet';

export interface ProbeBatch {
  /** When each CONNACK came, as milliseconds since the epoch, oldest first. */
  readonly connacksMs: readonly number[];
  /** When a connection ended without one, and the system's word for it. */
  readonly failures: readonly { readonly atMs: number; readonly why: string }[];
}

const everyMs = 5;
const batchMs = 50;
/** A SYN that was lost is sent again after a second: whoever asks so late measures the client's kernel. */
const patienceMs = 2_000;
const ids = 2_000;
const disconnect = Buffer.from([0xe0, 0]);
const connackLength = 4;

const [host = '', port = ''] = process.argv.slice(2);
let connacksMs: number[] = [];
let failures: { atMs: number; why: string }[] = [];

const nowMs = (): number => performance.timeOrigin + performance.now();

function visit(number: number): void {
  const socket = connect({ host, port: Number(port), noDelay: true });
  let answered = false;
  let why = 'closed';
  socket.setTimeout(patienceMs, () => {
    why = 'late';
    socket.destroy();
  });
  socket.write(generate({ cmd: 'connect', clientId: `probe-${number % ids}`, clean: true, keepalive: 0 }));
  socket.on('data', bytes => {
    if (answered) return;
    answered = bytes.length >= connackLength && bytes[3] === 0;
    if (answered) connacksMs.push(nowMs());
    else why = 'refused';
    socket.end(disconnect);
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    why = error.code ?? error.message;
  });
  socket.once('close', () => {
    if (!answered) failures.push({ atMs: nowMs(), why });
  });
}

/** By the clock, so that a late turn is made up for and the pace holds. */
function keepVisiting(): void {
  const startMs = performance.now();
  let number = 0;
  const turn = (): void => {
    while (startMs + number * everyMs <= performance.now()) visit(number++);
    setTimeout(turn, Math.max(0, startMs + number * everyMs - performance.now()));
  };
  turn();
}

setInterval(() => {
  const batch: ProbeBatch = { connacksMs, failures };
  connacksMs = [];
  failures = [];
  process.send?.(batch);
}, batchMs);
process.once('disconnect', () => process.exit(0));
keepVisiting();
