import { once } from 'node:events';
import { createServer } from 'node:net';
import { LimpetError } from '@limpet/proxy';

/** How many ports after the wished one are tried. */
const TRIES = 100;

/**
 * The wished port of 127.0.0.1, or the next free one after it. 0 stays 0: the kernel chooses.
 * Throws a LimpetError where no port may be used at all.
 */
export async function freePort(wished: number): Promise<number> {
  if (wished === 0) return 0;
  const last = Math.min(wished + TRIES - 1, 65_535);
  for (let port = wished; port <= last; port += 1) {
    if (await isFree(port)) return port;
  }
  throw new LimpetError(
    'DEMO_NO_PORT',
    `all ports of 127.0.0.1 from ${wished} to ${last} are taken`,
    'name a free one with --port, or --port 0 to have one chosen',
  );
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') return false;
    throw new LimpetError(
      'DEMO_NO_PORT',
      `port ${port} of 127.0.0.1 cannot be used (${code})`,
      'name another one with --port; ports below 1024 are for root only',
      { cause: error },
    );
  }
  const closed = once(server, 'close');
  server.close();
  await closed;
  return true;
}
