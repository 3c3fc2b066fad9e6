import { statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ScriptedBroker, startBroker } from '../kit/broker.ts';
import { until } from '../kit/condition.ts';
import { connectAll, ids } from '../kit/crowd.ts';
import { makeDirectory } from '../kit/directory.ts';
import { faceAddress } from '../kit/faces.ts';
import { connectLight } from '../kit/light_client.ts';
import { type Limpet, runLimpet } from '../kit/limpet.ts';
import { startMosquitto } from '../kit/mosquitto.ts';
import { type Mover, makeMover, readyz, roleSaid, startPaired, VIP } from '../kit/pair.ts';
import { connectRaw } from '../kit/raw_socket.ts';
import { askRuntime } from '../kit/runtime_api.ts';

/** More than one slice of a worker's turn. */
const crowdCount = 2000;

let mover: Mover;
beforeEach(async () => {
  mover = await makeMover();
});
afterEach(async () => {
  await mover[Symbol.asyncDispose]();
});

function brokersAt(port: number, more: object = {}): Record<string, object> {
  return { brokers: { servers: { b1: `127.0.0.1:${port}` }, check: false, ...more } };
}

interface Info {
  readonly role: string;
  readonly role_since_ms: number;
  readonly queued: number;
}

async function infoOf(limpet: Limpet): Promise<Info> {
  return (await (await fetch(`http://${faceAddress(limpet, 'stats')}/api/v1/info`)).json()) as Info;
}

describe('the role', () => {
  test('it is what the FIFO says, and /readyz, the log and the API tell it', async () => {
    await using broker = await startBroker();
    await using limpet = await startPaired(mover, { backends: brokersAt(broker.port) });
    expect(statSync(mover.trackFile).mode & 0o777).toBe(0o644);
    expect(statSync(mover.notifyFifo).mode & 0o777).toBe(0o660);
    expect(await readyz(limpet)).toEqual([503, { ready: false, reasons: ['standby'] }]);
    mover.master();
    await roleSaid(limpet, 'active');
    expect(await readyz(limpet)).toEqual([200, { ready: true, reasons: [] }]);
    const info = await infoOf(limpet);
    expect(info.role).toBe('active');
    expect(Date.now() - info.role_since_ms).toBeLessThan(10_000);
    mover.backup('FAULT');
    await roleSaid(limpet, 'standby', 2);
    expect(await readyz(limpet)).toEqual([503, { ready: false, reasons: ['standby'] }]);
    const [, , last] = limpet.events(({ event }) => event === 'role');
    expect(last).toMatchObject({ level: 'warn', why: 'the notify FIFO says FAULT (instance "limpet")' });
    expect(last?.msg).toMatch(
      /^standby from now on: the notify FIFO says FAULT \(instance "limpet"\); it was active for \d+s$/,
    );
  });

  test('where no word comes the addresses decide: at the start, and 2 s after a word', async () => {
    await using broker = await startBroker();
    const vip = { address: ['127.0.0.1'] };
    await using limpet = await startPaired(mover, { vip, backends: brokersAt(broker.port) });
    expect(limpet.events(({ event }) => event === 'role')).toMatchObject([{ role: 'active' }]);
    const saidMs = performance.now();
    mover.backup();
    await roleSaid(limpet, 'standby');
    await roleSaid(limpet, 'active', 2);
    expect(performance.now() - saidMs).toBeGreaterThan(1900);
  });

  test('what means nothing is told of, escaped, and changes nothing', async () => {
    await using broker = await startBroker();
    await using limpet = await startPaired(mover, { backends: brokersAt(broker.port) });
    mover.say('\u001b[2J MASTER');
    mover.say('INSTANCE "limpet" MASTER_RX_LOWER_PRI 200');
    const told = await limpet.waitForEvent(({ event }) => event === 'notify_unknown', 'its word');
    expect(told.line).toBe('\\u001b[2J MASTER');
    mover.master();
    await roleSaid(limpet, 'active');
    expect(limpet.events(({ event }) => event === 'notify_unknown')).toHaveLength(1);
  });
});

describe('on becoming standby', () => {
  let broker: ScriptedBroker;
  beforeEach(async () => {
    broker = await startBroker();
  });
  afterEach(async () => {
    await broker[Symbol.asyncDispose]();
  });

  test('sessions at the virtual address are reset, to the client and to the broker; others go on', async () => {
    await using limpet = await startPaired(mover, { backends: brokersAt(broker.port) });
    const port = limpet.port('mqtt');
    mover.master();
    await using away = await connectLight(port, { clientId: 'away', host: VIP });
    const peer = await broker.waitForPeer(0);
    const said = peer.bytesIn;
    using own = await connectRaw(port);
    await own.write(Buffer.from([0x10, 16, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 4, 0x73, 0x74, 0x61, 0x79]));
    await own.waitForBytes(4);
    const startMs = performance.now();
    mover.backup();
    expect(await away.closed).toBe('ECONNRESET');
    expect(await peer.closed).toBe('ECONNRESET');
    console.info(`both sides were reset within ${Math.round(performance.now() - startMs)} ms`);
    // No DISCONNECT was made up: the Will is the broker's to publish.
    expect(peer.bytesIn).toBe(said);
    const end = await limpet.waitForEvent(({ event }) => event === 'end', 'its end');
    expect(end).toMatchObject({ client_id: 'away', why: 'standby' });
    await own.write(Buffer.from([0xc0, 0]));
    await (await broker.waitForPeer(1)).waitForBytes(20);
    expect(own.isClosed).toBe(false);
  });

  test('so are those that are not sessions yet: before CONNECT, in a handshake, in a queue, at a broker that is silent', async () => {
    const certless = { websocket: { path: '/mqtt' } };
    await using limpet = await startPaired(mover, {
      vip: { connect_rate: { limit: '1/m', queue: 10 }, connect_rate_for: '1h' },
      frontend: { bind: ['0.0.0.0:0', { address: '0.0.0.0:0', ...certless }] },
      backends: brokersAt(broker.port),
    });
    mover.master();
    await roleSaid(limpet, 'active');
    broker.script = () => undefined;
    const [plain, webSocket] = [limpet.port('mqtt'), limpet.port('mqtt', 1)];
    using dialled = connectAt(plain, 'dialled');
    await broker.waitForPeer(0);
    using queued = connectAt(plain, 'queued');
    using silent = await connectRaw(plain, { host: VIP });
    using half = await connectRaw(plain, { host: VIP });
    await half.write(Buffer.from([0x10, 16, 0]));
    using upgrading = await connectRaw(webSocket, { host: VIP });
    await upgrading.write(Buffer.from('GET /mqtt HTTP/1.1\r\n'));
    using own = await connectRaw(plain);
    await until(async () => (await infoOf(limpet)).queued === 1, { what: 'one that waits' });
    mover.backup();
    const ends = await Promise.all([
      dialled.closed,
      queued.closed,
      silent.closed,
      half.closed,
      upgrading.closed,
      (await broker.waitForPeer(0)).closed,
    ]);
    expect(ends).toEqual(Array.from({ length: 6 }, () => 'ECONNRESET'));
    expect(own.isClosed).toBe(false);
  });

  test('what counts is the address of this host, not what a PROXY header says', async () => {
    await using limpet = await startPaired(mover, {
      frontend: { bind: { address: '0.0.0.0:0', accept_proxy: ['127.0.0.0/8'] } },
      backends: brokersAt(broker.port),
    });
    const port = limpet.port('mqtt');
    mover.master();
    await roleSaid(limpet, 'active');
    using stays = await connectRaw(port);
    await stays.write(Buffer.from(`PROXY TCP4 192.0.2.1 ${VIP} 5000 1883\r\n`));
    using goes = await connectRaw(port, { host: VIP });
    await goes.write(Buffer.from('PROXY TCP4 192.0.2.1 127.0.0.1 5000 1883\r\n'));
    const connect = Buffer.from([0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 1, 0x61]);
    await Promise.all([stays.write(connect), goes.write(connect)]);
    await Promise.all([stays.waitForBytes(4), goes.waitForBytes(4)]);
    mover.backup();
    expect(await goes.closed).toBe('ECONNRESET');
    await stays.write(Buffer.from([0xc0, 0]));
    expect(stays.isClosed).toBe(false);
  });

  test(`${crowdCount} sessions`, async () => {
    await using limpet = await startPaired(mover, { backends: brokersAt(broker.port) });
    mover.master();
    await roleSaid(limpet, 'active');
    const crowd = await connectAll(limpet.port('mqtt'), ids('c', crowdCount), { host: VIP });
    expect(crowd.refused).toEqual([]);
    const startMs = performance.now();
    mover.backup();
    const ends = await Promise.all(crowd.clients.map(client => client.closed));
    console.info(`${crowdCount} clients saw RST within ${Math.round(performance.now() - startMs)} ms`);
    expect(new Set(ends)).toEqual(new Set(['ECONNRESET']));
    await until(() => limpet.events(({ event, why }) => event === 'end' && why === 'standby').length === crowdCount, {
      what: 'their ends in the log',
    });
  });
});

/** A client at the virtual address that says CONNECT, and waits. */
function connectAt(port: number, clientId: string): { readonly closed: Promise<string | null> } & Disposable {
  const socket = connect({ host: VIP, port });
  let code: string | null = null;
  socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code ?? error.message;
  });
  const id = Buffer.from(clientId);
  const head = [0x10, 12 + id.length, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, id.length];
  socket.write(Buffer.concat([Buffer.from(head), id]));
  const closed = new Promise<string | null>(resolve => socket.once('close', () => resolve(code)));
  return { closed, [Symbol.dispose]: () => void socket.destroy() };
}

test('on becoming active CONNECTs go at the pace, nobody is refused, then at once again', async () => {
  await using broker = await startMosquitto();
  await using limpet = await startPaired(mover, {
    vip: { connect_rate: '100/s', connect_rate_for: '3s' },
    backends: brokersAt(broker.port),
  });
  const port = limpet.port('mqtt');
  await using free = await connectAll(port, ids('free', 100));
  expect([free.refused, free.longestWaitMs < 2000]).toEqual([[], true]);
  mover.master();
  await roleSaid(limpet, 'active');
  const startMs = performance.now();
  await using paced = await connectAll(port, ids('paced', 200), { host: VIP });
  const tookMs = performance.now() - startMs;
  console.info(`200 clients at 100 a second came in ${Math.round(tookMs)} ms`);
  expect(paced.refused).toEqual([]);
  // 20 ms' worth may go at once.
  expect(tookMs).toBeGreaterThan(1900);
  await until(() => performance.now() - startMs > 3500, { what: 'the end of the pace' });
  const laterMs = performance.now();
  await using later = await connectAll(port, ids('later', 200), { host: VIP });
  expect([later.refused, performance.now() - laterMs < 1500]).toEqual([[], true]);
});

describe('whether it is ready', () => {
  test('a backend without a server, a frontend that is disabled, no worker: the file says so, and comes back', async () => {
    await using directory = await makeDirectory('pair-api');
    const api = directory.file('api.sock');
    const broker = await startMosquitto();
    await using limpet = await startPaired(mover, {
      global: { runtime_api: api },
      backends: brokersAt(broker.port, { check: { type: 'tcp', inter: '200ms', fall: 2, rise: 1 } }),
    });
    mover.master();
    await roleSaid(limpet, 'active');
    await askRuntime(api, 'set server brokers/b1 state maint');
    await mover.turned('1');
    await askRuntime(api, 'set server brokers/b1 state ready');
    await mover.turned('0');
    await askRuntime(api, 'disable frontend mqtt');
    await mover.turned('1');
    await askRuntime(api, 'enable frontend mqtt');
    await mover.turned('0');
    await broker[Symbol.asyncDispose]();
    await mover.turned('1');
    const lines = await limpet.process.waitUntil('six lines', () => {
      const told = limpet.events(({ event }) => event === 'readiness');
      return told.length === 6 && told;
    });
    expect(lines.map(({ ready }) => ready)).toEqual([true, false, true, false, true, false]);
    expect(lines.at(-1)).toMatchObject({ level: 'warn', trouble: 'backend brokers has no usable server' });
  });

  test('whoever has changed the file is corrected', async () => {
    await using broker = await startBroker();
    await using _limpet = await startPaired(mover, { backends: brokersAt(broker.port) });
    writeFileSync(mover.trackFile, '254 what is this\n');
    await mover.turned('0', 3000);
  });

  test('a clean stop: sessions at the address are reset first, then the file says so; the others go on', async () => {
    await using broker = await startBroker();
    await using limpet = await startPaired(mover, { backends: brokersAt(broker.port) });
    const port = limpet.port('mqtt');
    mover.master();
    await roleSaid(limpet, 'active');
    await using away = await connectLight(port, { clientId: 'away', host: VIP });
    await using stays = await connectLight(port, { clientId: 'stays' });
    let trackAtReset = '';
    void away.closed.then(() => {
      trackAtReset = mover.track();
    });
    limpet.process.signal('SIGTERM');
    const tookMs = await mover.turned('1');
    console.info(`SIGTERM to 1 in the file: ${tookMs.toFixed(1)} ms`);
    expect(await away.closed).toBe('ECONNRESET');
    expect(['0', '1']).toContain(trackAtReset);
    const stayed = broker.peers[1];
    expect([stays.isClosed, stayed?.isClosed]).toEqual([false, false]);
    expect(await stays.closed).toBeNull();
    expect(await limpet.process.waitForExit()).toEqual({ code: 0, signal: null });
    expect(mover.track()).toBe('1');
  });
});

describe('a start that cannot be', () => {
  async function started(vip: object): Promise<string> {
    await using directory = await makeDirectory('pair-wrong');
    const config = {
      global: { workers: 1, vip: mover.vip(vip) },
      frontends: { mqtt: { bind: '127.0.0.1:0', default_backend: 'brokers' } },
      backends: brokersAt(1),
    };
    await using limpet = runLimpet(['run', '-c', directory.write('limpet.yaml', JSON.stringify(config))]);
    expect((await limpet.waitForExit()).code).not.toBe(0);
    return limpet.lines.map(({ text }) => text).join('\n');
  }

  test.each([
    ['track_file', 'TRACK_FILE'],
    ['notify_fifo', 'NOTIFY_FIFO'],
  ])('the folder of %s is not there', async (key, code) => {
    const said = await started({ [key]: '/nowhere/limpet/file' });
    expect(said).toContain(code);
    expect(said).toContain('/nowhere/limpet/file');
    expect(said).toContain('folder must be there');
  });

  test('the FIFO is a file, the track file is a folder', async () => {
    await using directory = await makeDirectory('pair-kinds');
    expect(await started({ notify_fifo: directory.write('notify', '') })).toContain('it is not a FIFO');
    expect(await started({ track_file: directory.path })).toContain('EISDIR');
  });
});
