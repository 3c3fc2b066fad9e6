import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../../src/endpoint.ts';
import { makeAuthority } from '../../kit/certificates.ts';
import { until, within } from '../../kit/condition.ts';
import { openTls } from './clients.ts';
import { bindConfig, listenTls, type TlsServer } from './tls_server.ts';

/** What one endpoint told. */
class Heard {
  readonly endpoint: Endpoint;
  bytes = '';
  count = 0;
  drained = 0;
  ended = 0;
  readonly closed: (string | null)[] = [];

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint;
    endpoint.attach({
      bytes: chunk => {
        this.count += chunk.length;
        if (this.count < 1000) this.bytes += chunk.toString();
      },
      drained: () => {
        this.drained += 1;
      },
      ended: () => {
        this.ended += 1;
      },
      closed: code => this.closed.push(code),
    });
  }
}

interface Line extends AsyncDisposable {
  readonly server: TlsServer;
  readonly client: TLSSocket;
  /** The client's connection below TLS. */
  readonly below: Socket;
  readonly heard: Heard;
}

async function makeLine(version: 'TLSv1.2' | 'TLSv1.3'): Promise<Line> {
  const authority = await makeAuthority();
  const { bundle } = await authority.issue({ cn: 'localhost' });
  const heard: Heard[] = [];
  const serve = (endpoint: Endpoint): void => void heard.push(new Heard(endpoint));
  const server = await listenTls(bindConfig({ certs: [bundle] }), { serve });
  const { client, below } = await openTls(server.port, { minVersion: version, maxVersion: version });
  const first = await until(() => heard[0], { what: 'the endpoint' });
  return {
    server,
    client,
    below,
    heard: first,
    async [Symbol.asyncDispose]() {
      client.destroy();
      await server[Symbol.asyncDispose]();
      await authority[Symbol.asyncDispose]();
    },
  };
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s: an endpoint over TLS', version => {
  test('is paused at first, and counts the bytes inside', async () => {
    await using line = await makeLine(version);
    line.client.write('hello');
    line.heard.endpoint.write(Buffer.from('welcome'));
    const [answer] = await within(once(line.client, 'data'), { what: 'the answer' });
    expect(String(answer)).toBe('welcome');
    expect(line.heard.bytes).toBe('');
    line.heard.endpoint.resume();
    await until(() => line.heard.bytes === 'hello', { what: 'the word' });
    expect([line.heard.endpoint.bytesIn, line.heard.endpoint.bytesOut]).toEqual([5, 7]);
  });

  test('P1: 5 MB each way at once, byte-equal, with back-pressure', async () => {
    await using line = await makeLine(version);
    const payload = randomBytes(5_000_000);
    const received: Buffer[] = [];
    const back: Buffer[] = [];
    line.heard.endpoint.attach({
      bytes: chunk => received.push(chunk),
      drained: () => {
        line.heard.drained += 1;
      },
      ended() {},
      closed() {},
    });
    line.heard.endpoint.resume();
    line.client.pause();
    line.client.write(payload);
    expect(line.heard.endpoint.write(payload)).toBe(false);
    line.client.on('data', chunk => back.push(chunk));
    line.client.resume();
    const total = (chunks: readonly Buffer[]): number => chunks.reduce((sum, { length }) => sum + length, 0);
    await until(() => total(received) === payload.length && total(back) === payload.length, { what: 'all of it' });
    expect(Buffer.concat(received).equals(payload)).toBe(true);
    expect(Buffer.concat(back).equals(payload)).toBe(true);
    await until(() => line.heard.drained === 1, { what: 'drained' });
    expect([line.heard.endpoint.bytesIn, line.heard.endpoint.bytesOut]).toEqual([5_000_000, 5_000_000]);
  });

  test("the client's close_notify is its end only: what we send still arrives", async () => {
    await using line = await makeLine(version);
    line.heard.endpoint.resume();
    line.client.end('bye');
    await until(() => line.heard.ended === 1, { what: 'its end' });
    expect([line.heard.bytes, line.heard.closed]).toEqual(['bye', []]);
    line.heard.endpoint.write(Buffer.from('more'));
    const [answer] = await within(once(line.client, 'data'), { what: 'what came after' });
    expect(String(answer)).toBe('more');
    line.heard.endpoint.end();
    await within(once(line.client, 'close'), { what: 'the end' });
    await until(() => line.heard.closed.length === 1, { what: 'closed' });
    expect(line.heard.closed).toEqual([null]);
  });

  test('our end() leaves the way from the client open', async () => {
    await using line = await makeLine(version);
    line.heard.endpoint.resume();
    line.heard.endpoint.write(Buffer.from('last'));
    line.heard.endpoint.end();
    let got = '';
    line.client.on('data', chunk => (got += String(chunk)));
    await within(once(line.client, 'end'), { what: 'close_notify' });
    expect(got).toBe('last');
    line.client.write('still here');
    await until(() => line.heard.bytes === 'still here', { what: 'what came after our end' });
    line.client.end();
    await until(() => line.heard.closed.length === 1, { what: 'closed' });
    expect([line.heard.ended, line.heard.closed]).toEqual([1, [null]]);
  });

  test('a FIN without close_notify is the end, as in HAProxy', async () => {
    await using line = await makeLine(version);
    line.heard.endpoint.resume();
    line.client.write('bye');
    await until(() => line.heard.bytes === 'bye', { what: 'its word' });
    line.below.end();
    await until(() => line.heard.ended === 1, { what: 'its end' });
    line.heard.endpoint.close();
    await until(() => line.heard.closed.length === 1, { what: 'closed' });
  });

  test('close() flushes, reset() resets, once', async () => {
    await using closing = await makeLine(version);
    let got = 0;
    closing.client.on('data', chunk => (got += chunk.length));
    closing.heard.endpoint.write(Buffer.alloc(300_000));
    closing.heard.endpoint.close();
    await within(once(closing.client, 'end'), { what: 'the end' });
    expect(got).toBe(300_000);
    await until(() => closing.heard.closed.length === 1, { what: 'closed' });
    await using resetting = await makeLine(version);
    const gone = new Promise(resolve => resetting.client.once('close', resolve));
    let code: string | undefined;
    for (const socket of [resetting.below, resetting.client]) {
      socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code));
    }
    resetting.heard.endpoint.reset();
    resetting.heard.endpoint.reset();
    await within(gone, { what: 'the reset at the client' });
    expect(code).toBe('ECONNRESET');
    await until(() => resetting.heard.closed.length === 1, { what: 'closed' });
    expect(resetting.heard.closed).toEqual(['ECONNABORTED']);
  });

  test('P7: a broken record ends the connection, and is told', async () => {
    await using line = await makeLine(version);
    line.heard.endpoint.resume();
    line.client.write('good');
    await until(() => line.heard.bytes === 'good', { what: 'a good record' });
    line.below.write(Buffer.concat([Buffer.from([23, 3, 3, 0, 40]), randomBytes(40)]));
    await until(() => line.heard.closed.length === 1, { what: 'closed' });
    expect(line.heard.closed[0]).toMatch(/^ERR_SSL_/);
    expect(line.heard.bytes).toBe('good');
    await until(() => line.server.open === 0, { what: 'the end of the connection' });
  });

  test('a reset by the client is told as one', async () => {
    await using line = await makeLine(version);
    line.heard.endpoint.resume();
    line.below.resetAndDestroy();
    await until(() => line.heard.closed.length === 1, { what: 'closed' });
    expect([line.heard.ended, line.heard.closed]).toEqual([0, ['ECONNRESET']]);
  });
});
