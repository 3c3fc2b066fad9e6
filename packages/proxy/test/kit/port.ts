/**
 * Ports for programs that cannot pick one themselves.
 */
import { createServer } from 'node:net';
import type { Process } from './process.ts';

const attempts = 5;

/** A port that was free on 127.0.0.1 a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/**
 * Starts a program on a free port, and on another one if somebody took it in between. `ready` waits until the program
 * listens and throws when it dies before.
 */
export async function startOnFreePort(
  start: (port: number) => Process,
  ready: (process: Process, port: number) => Promise<unknown>,
): Promise<{ process: Process; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const process = start(port);
    try {
      await ready(process, port);
      return { process, port };
    } catch (error) {
      const clash = /address already in use|cannot bind socket|could not create server/i.test(process.tail());
      await process[Symbol.asyncDispose]();
      if (!clash || attempt === attempts) throw error;
    }
  }
}

/** Starts a program on a given port; the caller promises that it is free. */
export async function startOnPort(
  port: number,
  start: (port: number) => Process,
  ready: (process: Process, port: number) => Promise<unknown>,
): Promise<Process> {
  const process = start(port);
  try {
    await ready(process, port);
    return process;
  } catch (error) {
    await process[Symbol.asyncDispose]();
    throw error;
  }
}
