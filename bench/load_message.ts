/**
 * A piscina task: holds open connections and publishes through all of them, either at a steady rate or as fast as they
 * take it. The conductor says when, by the message port: `open` → `go` → `sent` → `close`.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { MessagePort } from 'node:worker_threads';
import { acceptedConnack, connectPacket, disconnectPacket, publishPacket } from './packets.ts';

export interface MessageLoad {
  readonly port: number;
  readonly prefix: string;
  readonly connections: number;
  readonly seconds: number;
  /** Messages a second through all connections together; null: saturated. */
  readonly rate: number | null;
  readonly conductor: MessagePort;
}

export type MessageSignal =
  | { readonly kind: 'open' }
  | { readonly kind: 'go' }
  | { readonly kind: 'close' }
  | { readonly kind: 'sent'; readonly messages: number; readonly elapsedS: number };

/** A reading of a sensor. */
const payloadBytes = 64;
const pacedTickMs = 2;
/** Saturated: messages in one write. */
const batch = 64;

export default async function load(task: MessageLoad): Promise<void> {
  const sockets: Socket[] = [];
  for (let number = 0; number < task.connections; number += 1) {
    sockets.push(await openClient(task.port, `${task.prefix}-${number}`));
  }
  const publish = publishPacket(payloadBytes);
  const said = (signal: MessageSignal): void => task.conductor.postMessage(signal);
  const told = (): Promise<unknown> => once(task.conductor, 'message');
  const go = told();
  said({ kind: 'open' });
  await go;
  const startedMs = performance.now();
  const messages = await (task.rate === null
    ? saturate(sockets, publish, task.seconds)
    : pace(sockets, publish, task.seconds, task.rate));
  const close = told();
  said({ kind: 'sent', messages, elapsedS: (performance.now() - startedMs) / 1000 });
  await close;
  await Promise.all(sockets.map(closeClient));
  task.conductor.close();
}

async function openClient(port: number, clientId: string): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  socket.write(connectPacket(clientId));
  const [bytes] = (await once(socket, 'data', { signal: AbortSignal.timeout(10_000) })) as [Buffer];
  if (!bytes.equals(acceptedConnack)) throw new Error(`client ${clientId} was refused: ${bytes.toString('hex')}`);
  return socket;
}

async function closeClient(socket: Socket): Promise<void> {
  if (socket.closed) return;
  const closed = once(socket, 'close');
  socket.end(disconnectPacket);
  socket.resume();
  await closed;
}

/** One message a write, each connection in its turn, as devices do it. */
async function pace(sockets: readonly Socket[], publish: Buffer, seconds: number, rate: number): Promise<number> {
  const total = Math.floor(rate * seconds);
  const startedMs = performance.now();
  let sent = 0;
  while (sent < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startedMs) / 1000) * rate));
    for (; sent < due; sent += 1) sockets[sent % sockets.length]?.write(publish);
    await delay(pacedTickMs);
  }
  return total;
}

/** Every connection writes as much as its peer takes. */
async function saturate(sockets: readonly Socket[], publish: Buffer, seconds: number): Promise<number> {
  const many = Buffer.concat(Array.from({ length: batch }, () => publish));
  const endMs = performance.now() + seconds * 1000;
  const pump = async (socket: Socket): Promise<number> => {
    let sent = 0;
    while (performance.now() < endMs) {
      await new Promise<void>((resolve, reject) => {
        socket.write(many, error => (error ? reject(error) : resolve()));
      });
      sent += batch;
    }
    return sent;
  };
  const counts = await Promise.all(sockets.map(pump));
  return counts.reduce((sum, count) => sum + count, 0);
}
