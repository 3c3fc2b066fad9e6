/**
 * A piscina task: connects, waits for the CONNACK, disconnects, over and over, with a fixed number of clients at a time
 * (closed loop), until its time is over.
 */
import { connect } from 'node:net';
import { acceptedConnack, connectPacket, disconnectPacket } from './packets.ts';

export interface ConnectLoad {
  readonly port: number;
  /** Client ids are `PREFIX-NUMBER`, from 0. */
  readonly prefix: string;
  /** Ids are used again after so many; null: every connection has a new one. */
  readonly ids: number | null;
  readonly seconds: number;
  readonly concurrency: number;
}

export interface ConnectResult {
  readonly accepted: number;
  /** Refused, reset, closed early or late, by reason. */
  readonly lost: Readonly<Record<string, number>>;
  readonly elapsedS: number;
}

/** Each source address has its own ephemeral ports, so that those in TIME_WAIT are never missed. */
const sourceAddresses = 64;
const clientMs = 10_000;

export default async function load(task: ConnectLoad): Promise<ConnectResult> {
  const startedMs = performance.now();
  const endMs = startedMs + task.seconds * 1000;
  const lost: Record<string, number> = {};
  let accepted = 0;
  let next = 0;
  const client = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const number = next++;
      const id = `${task.prefix}-${task.ids === null ? number : number % task.ids}`;
      const outcome = await connectOnce(task.port, id, `127.0.0.${2 + (number % sourceAddresses)}`);
      if (outcome === 'accepted') accepted += 1;
      else lost[outcome] = (lost[outcome] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: task.concurrency }, client));
  return { accepted, lost, elapsedS: (performance.now() - startedMs) / 1000 };
}

/** One client's life; answers `accepted`, or what went wrong. */
function connectOnce(port: number, clientId: string, localAddress: string): Promise<string> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port, localAddress, noDelay: true });
    let outcome = 'closed before its CONNACK';
    socket.setTimeout(clientMs, () => {
      outcome = 'no answer in time';
      socket.destroy();
    });
    socket.write(connectPacket(clientId));
    socket.once('data', bytes => {
      if (bytes.equals(acceptedConnack)) outcome = 'accepted';
      else outcome = `refused (${bytes.toString('hex', 0, 8)})`;
      socket.end(disconnectPacket);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      outcome = error.code ?? error.message;
    });
    socket.once('close', () => resolve(outcome));
  });
}
