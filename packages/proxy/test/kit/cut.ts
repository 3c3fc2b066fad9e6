/**
 * Sending in pieces that the proxy really reads one by one: the next piece goes out when the kernel says that the one
 * before has been taken.
 */
import { until } from './condition.ts';
import { kernelSockets } from './kernel.ts';
import { connectRaw, type RawSocket } from './raw_socket.ts';

/** One client for each list of pieces, all at once; the caller disposes of them. */
export async function sendInPieces(port: number, lists: readonly (readonly Buffer[])[]): Promise<RawSocket[]> {
  const clients = await Promise.all(lists.map(() => connectRaw(port)));
  const rounds = Math.max(...lists.map(pieces => pieces.length));
  for (let round = 0; round < rounds; round += 1) {
    if (round > 0) await taken(port, clients);
    await Promise.all(clients.map((client, index) => client.write(lists[index]?.[round] ?? Buffer.alloc(0))));
  }
  return clients;
}

/** Resolves when the program that listens on this port of 127.0.0.1 has read everything that these clients have sent. */
async function taken(port: number, clients: readonly RawSocket[]): Promise<void> {
  const isTaken = (): boolean => {
    const sockets = kernelSockets().filter(socket => socket.localPort === port);
    const unread = new Map(sockets.map(socket => [socket.remotePort, socket.unread]));
    return clients.every(client => unread.get(client.socket.localPort ?? 0) === 0);
  };
  await until(isTaken, { what: 'the proxy to read what was sent' });
}

/** The bytes in two pieces, cut behind the first `at`. */
export function cutAt(bytes: Buffer, at: number): Buffer[] {
  return [bytes.subarray(0, at), bytes.subarray(at)];
}

/** The bytes in pieces of that length. */
export function cutEvery(bytes: Buffer, length: number): Buffer[] {
  const count = Math.ceil(bytes.length / length);
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * length, (index + 1) * length));
}
