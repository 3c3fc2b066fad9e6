/** The log goes nowhere: the proxy serves all the same, and stops when it is told to. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { connectClient } from '../../../proxy/test/kit/clients.ts';
import { until, within } from '../../../proxy/test/kit/condition.ts';
import { makeDirectory } from '../../../proxy/test/kit/directory.ts';
import { startMosquitto } from '../../../proxy/test/kit/mosquitto.ts';
import { freePort } from '../../../proxy/test/kit/port.ts';

const BIN = fileURLToPath(new URL('../../dist/bin.js', import.meta.url));

/** Starts `limpet run` with a standard output that is a full disk, or a pipe whose reader has gone. */
function startRun(file: string, output: 'full' | 'closed') {
  const full = openSync('/dev/full', 'w');
  const out = output === 'full' ? full : 'pipe';
  const child = spawn(process.execPath, [BIN, 'run', '-c', file], {
    stdio: ['ignore', out, 'ignore'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  child.stdout?.destroy();
  closeSync(full);
  return child;
}

test.each(['full', 'closed', 'full, pretty', 'closed, tcplog'])(
  'P8: standard output is %s: it starts, serves, and stops on SIGTERM',
  async how => {
    const [output = '', format = 'json'] = how.split(', ');
    await using directory = await makeDirectory('full-disk');
    await using broker = await startMosquitto();
    const port = await freePort();
    // One worker: it says that it is ready before it asks where its first client goes, so SIGTERM is caught by then.
    const file = directory.write(
      'limpet.yaml',
      `global: { workers: 1, log: { format: ${format}, level: debug } }
frontends:
  mqtt: { bind: "127.0.0.1:${port}", default_backend: brokers }
backends:
  brokers:
    servers: { one: "127.0.0.1:${broker.port}" }
`,
    );
    const child = startRun(file, output === 'full' ? 'full' : 'closed');
    const exited = once(child, 'exit');
    try {
      const connect = () => connectClient(port, { clientId: 'one' }).catch(() => null);
      const client = await until(connect, { what: 'a client that is served', timeoutMs: 15_000 });
      await client.end();
      child.kill('SIGTERM');
      expect(await within(exited, { what: 'its end' })).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  },
);
