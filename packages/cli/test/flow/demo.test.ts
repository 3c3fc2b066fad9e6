import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { connectClient } from '../../../proxy/test/kit/clients.ts';
import { freePort } from '../../../proxy/test/kit/port.ts';
import type { Process } from '../../../proxy/test/kit/process.ts';
import { linesOf, nothingLeft, pressCtrlC, startLimpetProgram } from './program.ts';

async function isRefused(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1');
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  return error.code === 'ECONNREFUSED';
}

/** Every port of 127.0.0.1 that the demo's introduction names: the proxy's, then the brokers'. */
function portsOf(program: Process): number[] {
  const rows = linesOf(program, 'stdout').map(line => /^ {2}(?:limpet|broker\d) +127\.0\.0\.1:(\d+)/.exec(line));
  return rows.flatMap(row => (row === null ? [] : [Number(row[1])]));
}

describe('limpet demo', () => {
  it('P6, P2: spreads 30 clients 10, 10, 10, brings each home, and leaves nothing after Ctrl-C', async () => {
    await using program = startLimpetProgram('demo', '--clients', '30', '--port', String(await freePort()));
    await program.waitForLine(/^Ctrl-C ends all/, 20_000);
    const lines = linesOf(program, 'stdout');
    expect(lines).toContain('  broker1: 10   broker2: 10   broker3: 10');
    expect(lines).toContain('All 30 left and connected again: 30 of 30 came home.');
    const ports = portsOf(program);
    expect(ports).toHaveLength(4);

    pressCtrlC(program);
    expect(await program.waitForExit()).toEqual({ code: 0, signal: null });
    await nothingLeft(program);
    expect(await Promise.all(ports.map(isRefused))).toEqual([true, true, true, true]);
    expect(linesOf(program, 'stderr')).toEqual([]);
  });

  it('carries a message between two clients, and shows where they are', async () => {
    await using program = startLimpetProgram('demo', '--port', '0');
    const [, port] = await program.waitForLine(/mosquitto_sub -h 127\.0\.0\.1 -p (\d+) -i subscriber1/, 20_000);
    await using subscriber = await connectClient(Number(port), { clientId: 'subscriber1' });
    const message = new Promise(resolve => {
      subscriber.mqtt.on('message', (topic, payload) => resolve(`${topic} ${payload}`));
    });
    await subscriber.mqtt.subscribeAsync('t/#');
    await using publisher = await connectClient(Number(port), { clientId: 'publisher1' });
    await publisher.mqtt.publishAsync('t/xyz', 'hello');
    expect(await message).toBe('t/xyz hello');

    const [, home] = await program.waitForLine(/^subscriber1 is on (broker\d)$/);
    await subscriber.end();
    await using _back = await connectClient(Number(port), { clientId: 'subscriber1' });
    await program.waitForLine(new RegExp(`^subscriber1 is on ${home} again$`));
  });

  it('takes the next free port where the wished one is taken, and says so', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    try {
      await using program = startLimpetProgram('demo', '--port', String(port));
      const [, taken, real] = await program.waitForLine(/^Port (\d+) is taken; it is (\d+) this time\.$/, 20_000);
      expect(Number(taken)).toBe(port);
      expect(portsOf(program)[0]).toBe(Number(real));
      await using _client = await connectClient(Number(real), { clientId: 'somebody' });
    } finally {
      holder.close();
    }
  });

  it('ends with 0 when it is told to stop while clients of others are connected', async () => {
    await using program = startLimpetProgram('demo', '--port', '0');
    const [, port] = await program.waitForLine(/mosquitto_pub -h 127\.0\.0\.1 -p (\d+) /, 20_000);
    await using client = await connectClient(Number(port), { clientId: 'lingering' });
    program.signal('SIGTERM');
    expect(await program.waitForExit()).toEqual({ code: 0, signal: null });
    await client.closed;
    await nothingLeft(program);
  });
});
