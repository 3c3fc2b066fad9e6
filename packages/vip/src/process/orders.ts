import { Socket } from 'node:net';
import type { VipConfig } from '../config/config.ts';

/** What the supervisor sends first: the whole configuration, for no secret shall be in an environment or an argument. */
export interface Orders {
  readonly config: VipConfig;
  /** The highest fencing number that this host has known. */
  readonly highest: number;
}

/** The descriptor of the pipe to the supervisor. */
export const pipeDescriptor = 3;
/** What the supervisor may say afterwards. */
export const stopWord = 'stop';

/** The worker's end of the pipe to the supervisor. */
export interface OrderPipe {
  readonly orders: Promise<Orders>;
  /** Told to stop, or the supervisor is gone, however it went: nobody but the worker would remove the address now. */
  readonly stopped: Promise<void>;
  write(line: string): void;
}

export function openOrderPipe(): OrderPipe {
  const socket = new Socket({ fd: pipeDescriptor, readable: true, writable: true });
  let text = '';
  const stopped = new Promise<void>(resolve => {
    socket.on('close', () => resolve());
    socket.on('end', () => resolve());
    socket.on('data', () => {
      if (text.endsWith(`\n${stopWord}\n`)) resolve();
    });
  });
  const orders = new Promise<Orders>(resolve => {
    socket.setEncoding('utf8').prependListener('data', (chunk: string) => {
      const hadFirst = text.includes('\n');
      text += chunk;
      if (!hadFirst && text.includes('\n')) resolve(JSON.parse(text.slice(0, text.indexOf('\n'))) as Orders);
    });
  });
  // What was not read yet when the supervisor was killed ends the connection this way; `close` follows.
  socket.on('error', () => undefined);
  return { orders, stopped, write: line => void socket.write(line) };
}
