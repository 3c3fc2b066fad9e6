/**
 * A server on this host as if it were further away, by the relay in `delay/` (a kernel with netem would do it as well; not
 * every kernel has it).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { within } from '../packages/proxy/test/kit/condition.ts';
import { cpuUsOfTree } from './cpu.ts';
import { spreadOf } from './figures.ts';
import { programOf } from './program.ts';

/** Disposing of it ends it, and the connections that go through it. */
export interface Distance extends AsyncDisposable {
  /** Where the server is reached, on 127.0.0.1. */
  readonly port: number;
  /** CPU µs of the relay so far. */
  cpuUs(): number;
}

/** `delayUs` in each direction. */
export async function startDistance(port: number, delayUs: number): Promise<Distance> {
  const child: ChildProcess = spawn(programOf('delay'), [`${port}`, `${delayUs}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const gone = once(child, 'exit');
  const end = async (): Promise<void> => {
    child.stdin?.end();
    await gone;
  };
  try {
    if (child.stdout === null) throw new Error('the relay has no output');
    const [line] = await within(once(createInterface({ input: child.stdout }), 'line'), {
      what: 'a port of the relay',
    });
    const { port: near } = JSON.parse(line as string) as { port: number };
    return { port: near, cpuUs: () => cpuUsOfTree(child.pid ?? -1), [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

const pings = 200;

/** The median time of a PING to a Redis at this port, in microseconds. */
export async function pingUs(port: number): Promise<number> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  const timesUs: number[] = [];
  for (let ping = 0; ping < pings; ping += 1) {
    const startMs = performance.now();
    socket.write('PING\r\n');
    await within(once(socket, 'data'), { what: 'the answer to a PING' });
    timesUs.push((performance.now() - startMs) * 1000);
  }
  socket.destroy();
  return spreadOf(timesUs).median;
}
