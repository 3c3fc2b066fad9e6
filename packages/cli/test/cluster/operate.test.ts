import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { connectClient } from '../../../proxy/test/kit/clients.ts';
import { makeDirectory } from '../../../proxy/test/kit/directory.ts';
import { startMosquitto } from '../../../proxy/test/kit/mosquitto.ts';
import { type Ended, limpet, startLimpetProgram } from '../flow/program.ts';

function configuration(ports: readonly number[]): string {
  return `global: { name: lb1, workers: 2, hard_stop_after: 5s, runtime_api: ./limpet.sock }
frontends:
  mqtt: { bind: "127.0.0.1:0", default_backend: brokers }
backends:
  brokers:
    servers:
${ports.map((port, at) => `      b${at + 1}: 127.0.0.1:${port}\n`).join('')}`;
}

describe('a running proxy', () => {
  it('is looked at, operated and reloaded by the commands', async () => {
    await using directory = await makeDirectory('operate');
    await using first = await startMosquitto();
    await using second = await startMosquitto();
    const file = directory.write('limpet.yaml', configuration([first.port]));
    await using program = startLimpetProgram('run', '-c', file);
    await program.waitForLine(/"event":"ready"/, 30_000);
    const [, port] = await program.waitForLine(/"event":"listening".*"port":(\d+)/);
    await using client = await connectClient(Number(port), { clientId: 'sensor 1', protocolVersion: 5 });
    const run = (...args: string[]): Promise<Ended> => limpet(...args, '-c', file);

    const status = await run('status');
    expect([status.code, status.stderr]).toEqual([0, []]);
    expect(status.stdout.join('\n')).toMatch(/workers +2 of 2 ready(.*\n)*.*b1 +(UP|no check) +1 +100%/);
    expect((await run('client', 'show', 'sensor 1')).stdout.join('\n')).toMatch(
      /^client sensor 1: on brokers\/b1 for \d+ s\n {2}why +new(.*\n)*.*entry +brokers → b1, pinned/,
    );
    expect((await run('client', 'list', '--server', 'brokers/b1')).stdout[1]).toMatch(/^sensor 1 /);
    expect((await run('table', 'show', 'brokers')).stdout[1]).toMatch(/^sensor 1 +b1 +pinned/);
    const out = directory.file('table.ndjson');
    expect((await run('table', 'export', 'brokers', '-o', out)).code).toBe(0);
    expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({ key: 'sensor 1', server: 'b1' });
    expect((await run('table', 'import', 'brokers', out)).stdout[0]).toMatch(
      /^1 entry read, 0 written, 1 left as they are/,
    );
    for (const order of [
      ['set', 'brokers', 'sensor 1', 'b1'],
      ['clear', 'brokers', 'sensor 1'],
      ['clear', 'brokers', '--yes'],
    ]) {
      expect((await run('table', ...order)).code).toBe(0);
      // The client is there: so is its entry, at once.
      expect((await run('table', 'get', 'brokers', 'sensor 1')).stdout[1], order.join(' ')).toMatch(
        /^sensor 1 +b1 +pinned/,
      );
    }
    expect((await run('runtime', 'show table brokers')).stdout.join('\n')).toMatch(
      /^# table: brokers(.*\n)*.*key=sensor\\? 1 /,
    );

    directory.write('limpet.yaml', configuration([first.port, second.port]));
    const reloaded = await run('reload');
    expect([reloaded.code, reloaded.stderr, reloaded.stdout.join(' ')]).toEqual([0, [], expect.stringContaining('b2')]);
    expect(client.mqtt.connected).toBe(true);

    const drain = await run('server', 'drain', 'brokers/b1', '--rate', '100/s', '--wait');
    expect(drain.stdout.at(-1)).toMatch(/^drain of brokers\/b1 is done in \d+ s: 1 asked to leave, 0 left$/);
    expect(drain.code).toBe(0);
    expect((await run('server', 'ready', 'brokers/b1', '--json')).stdout.join('\n')).toContain('"admin": "ready"');

    directory.write('limpet.yaml', 'frontends: {}\n');
    const bad = await limpet('reload', '--socket', directory.file('limpet.sock'));
    expect(bad.stderr.join('\n')).toMatch(
      /limpet\.yaml:(.*\n)*limpet: the proxy goes on with the configuration that it had$/,
    );
    expect([bad.code, bad.stdout]).toEqual([1, []]);
  });
});
