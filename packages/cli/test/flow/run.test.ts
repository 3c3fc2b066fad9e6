import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Client, connectClient } from '../../../proxy/test/kit/clients.ts';
import { type Directory, makeDirectory } from '../../../proxy/test/kit/directory.ts';
import { type Mosquitto, startMosquitto } from '../../../proxy/test/kit/mosquitto.ts';
import type { Process } from '../../../proxy/test/kit/process.ts';
import { limpet, nothingLeft, pressCtrlC, startLimpetProgram } from './program.ts';

let directory: Directory;
beforeEach(async () => {
  directory = await makeDirectory('run');
});
afterEach(async () => {
  await directory[Symbol.asyncDispose]();
});

function configuration(bind: string, broker: number): string {
  return directory.write(
    'limpet.yaml',
    `global: { workers: 2, hard_stop_after: 60s }
frontends:
  mqtt: { bind: "${bind}", default_backend: brokers }
backends:
  brokers:
    servers: { one: "127.0.0.1:${broker}" }
`,
  );
}

/** `limpet run` with one client connected through it. */
async function servingOneClient(broker: Mosquitto): Promise<{ program: Process; client: Client }> {
  const program = startLimpetProgram('run', '-c', configuration('127.0.0.1:0', broker.port));
  await program.waitForLine(/"event":"ready"/);
  const [, port] = await program.waitForLine(/"event":"listening".*"port":(\d+)/);
  const client = await connectClient(Number(port), { clientId: 'one' });
  return { program, client };
}

describe('limpet run', () => {
  it('ends with 0 on Ctrl-C once its sessions have ended, and leaves nothing', async () => {
    await using broker = await startMosquitto();
    const { program, client } = await servingOneClient(broker);
    await using _program = program;
    pressCtrlC(program);
    await program.waitForLine(/"event":"stopping"/);
    await client.end();
    expect(await program.waitForExit()).toEqual({ code: 0, signal: null });
    await nothingLeft(program);
  });

  it('ends at once on a second Ctrl-C, and leaves nothing', async () => {
    await using broker = await startMosquitto();
    const { program, client } = await servingOneClient(broker);
    await using _program = program;
    pressCtrlC(program);
    await program.waitForLine(/"event":"stopping"/);
    pressCtrlC(program);
    await program.waitForExit();
    await nothingLeft(program);
    await client.closed;
  });

  it('says that a port is taken, what to do, and ends with 1', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    try {
      const { code, stderr } = await limpet('run', '-c', configuration(`127.0.0.1:${port}`, 1883));
      expect(stderr[0]).toMatch(new RegExp(`^limpet: .*127\\.0\\.0\\.1:${port}`));
      expect(stderr[1]).toMatch(/\(BIND_IN_USE\)$/);
      expect(code).toBe(1);
    } finally {
      holder.close();
    }
  });
});
