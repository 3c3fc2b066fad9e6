/** The relay that a proxy chooses, and what is only so where it is the native one. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { allowedCpus } from '../../src/config/allowed_cpus.ts';
import { accepts, startBroker } from '../kit/broker.ts';
import { makeAuthority } from '../kit/certificates.ts';
import { until } from '../kit/condition.ts';
import { configFor } from '../kit/config.ts';
import { acceptedRaw } from '../kit/connects.ts';
import { makeDirectory } from '../kit/directory.ts';
import { type Limpet, runLimpet, startLimpet } from '../kit/limpet.ts';
import { freePort } from '../kit/port.ts';
import { relayKinds } from '../kit/relay_kind.ts';
import { askRuntime } from '../kit/runtime_api.ts';
import { connectSecure } from '../kit/secure_client.ts';

/** No kernel has it. */
const NEVER = 8191;

/** The names of the threads of a process. */
function threadsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).map(thread =>
    readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8').trim(),
  );
}

/** The CPUs that the threads of a process may run on, as the kernel writes them. */
function cpusOf(pid: number): Set<string> {
  const allowed = (thread: string): string =>
    /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8'))?.[1] ?? '';
  return new Set(readdirSync(`/proc/${pid}/task`).map(allowed));
}

async function reload(limpet: Limpet, config: object): Promise<void> {
  const before = limpet.events(({ event }) => event === 'reload').length;
  limpet.writeConfig(config);
  limpet.process.signal('SIGHUP');
  await until(() => limpet.events(({ event }) => event === 'reload').length > before, { what: 'the reload' });
}

test.each(relayKinds)('limpet says that it uses the %s relay, and its workers do', async relay => {
  await using directory = await makeDirectory('relay');
  await using broker = await startBroker(accepts());
  const api = directory.file('limpet.sock');
  await using limpet = await startLimpet(
    configFor({ servers: [broker.port], workers: 2, global: { relay, runtime_api: [api] } }),
  );
  const line = /^Relay: (.*)$/m.exec(await askRuntime(api, 'show info'))?.[1];
  const words = relay === 'native' ? 'native' : 'node: as global.relay says';
  expect([line, limpet.events(({ event }) => event === 'ready')[0]?.relay]).toEqual([words, words]);
  const moving = limpet.workers().map(pid => threadsOf(pid).includes('limpet-relay'));
  expect(moving).toEqual([relay === 'native', relay === 'native']);
});

describe.runIf(relayKinds.includes('native'))('with the native relay', () => {
  test('P9: a reload that gives a bind TLS, and takes it away again, keeps the sessions and serves new clients', async () => {
    await using authority = await makeAuthority();
    const issued = await authority.issue({ cn: 'front', names: ['IP:127.0.0.1'] });
    const answer = accepts();
    await using broker = await startBroker((peer, number) => {
      answer(peer, number);
      peer.socket.on('end', () => peer.end());
    });
    const port = await freePort();
    const bind = (tls: object): object => ({ bind: { address: `127.0.0.1:${port}`, ...tls } });
    const config = (tls: object): object =>
      configFor({ servers: [broker.port], workers: 2, global: { relay: 'native' }, frontend: bind(tls) });
    await using limpet = await startLimpet(config({}));
    const before = await acceptedRaw(port, { clientId: 'before' });
    await reload(limpet, config({ tls: { cert: issued.cert, key: issued.key } }));
    for (let number = 0; number < 4; number += 1) {
      await using client = await connectSecure(port, { clientId: `tls-${number}` });
      expect(client.serverCn).toBe('front');
    }
    await reload(limpet, config({}));
    for (let number = 0; number < 4; number += 1) {
      const client = await acceptedRaw(port, { clientId: `plain-${number}` });
      client[Symbol.dispose]();
    }
    const peer = await broker.waitForPeer(0);
    const had = peer.bytesIn;
    await before.write(Buffer.from('c000', 'hex'));
    await peer.waitForBytes(had + 2);
    before[Symbol.dispose]();
  });

  test('global.cpu_map binds each worker, its relay with it', async () => {
    await using broker = await startBroker(accepts());
    const [first = '0'] = [...cpusOf(process.pid)];
    const cpu = Number.parseInt(first, 10);
    await using limpet = await startLimpet(
      configFor({ servers: [broker.port], workers: 2, global: { relay: 'native', cpu_map: [[cpu]] } }),
    );
    const client = await acceptedRaw(limpet.port('mqtt'), { clientId: 'a' });
    for (const pid of limpet.workers()) expect([...cpusOf(pid)]).toEqual([`${cpu}`]);
    client[Symbol.dispose]();
  });

  test('a CPU outside of the mask ends the start before there is a worker', async () => {
    await using directory = await makeDirectory('cpus');
    const [cpu = 0] = allowedCpus(1);
    const config = configFor({ servers: [1], workers: 2, global: { cpu_map: [[cpu], [NEVER]] } });
    const file = directory.write('limpet.yaml', JSON.stringify(config));
    await using run = runLimpet(['run', '-c', file], { before: ['taskset', '-c', `${cpu}`] });
    const { code } = await run.waitForExit();
    const said = run.lines.map(({ text }) => text).join('\n');
    expect(said).toContain(`global.cpu_map names CPU ${NEVER}, and this process may use ${cpu}`);
    expect(said).not.toContain('worker_');
    expect(code).toBe(1);
  });
});
