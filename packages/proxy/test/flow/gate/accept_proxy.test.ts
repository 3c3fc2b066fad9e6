import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { until } from '../../kit/condition.ts';
import { connectRaw } from '../../kit/raw_socket.ts';
import { relayKinds } from '../../kit/relay_kind.ts';
import { readAll, startReceiver } from './receiver.ts';

const HEADER = Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.2 50000 1883\r\n');
const LINK = { source: { address: '192.0.2.1', port: 50000 }, destination: { address: '198.51.100.2', port: 1883 } };

describe.each(relayKinds)('a trusted peer, %s relay', kind => {
  test('P1: what comes behind the header, in the same chunk and later, is what is read next', async () => {
    await using receiver = await startReceiver(kind);
    using client = await connectRaw(receiver.port);
    await client.write(Buffer.concat([HEADER, Buffer.from('one ')]));
    const arrival = await receiver.arrival();
    expect(arrival.accepted).toMatchObject({ kind: 'accepted', link: LINK, headerBytes: HEADER.length });
    await client.write(Buffer.from('two'));
    client.end();
    expect(await readAll(arrival)).toEqual({ text: 'one two', bytesIn: 7 });
  });

  test('P1: an end that comes with the header is told to the next reader, behind the bytes', async () => {
    let sent = (): void => {};
    const before = (): Promise<void> =>
      new Promise(resolve => {
        sent = resolve;
      });
    await using receiver = await startReceiver(kind, { before });
    const bytes: string[] = [];
    for (const behind of ['', 'bytes']) {
      using client = await connectRaw(receiver.port);
      await client.write(Buffer.concat([HEADER, Buffer.from(behind)]));
      client.end();
      await once(client.socket, 'finish');
      // Header and end are with the kernel: they are read in one go.
      sent();
      const arrival = await receiver.arrival(bytes.length + 1);
      expect(arrival.accepted).toMatchObject({ kind: 'accepted', link: LINK });
      bytes.push((await readAll(arrival)).text);
    }
    expect(bytes).toEqual(['', 'bytes']);
  });

  test('P1: an endpoint that is made at once hears bytes and end', async () => {
    await using receiver = await startReceiver(kind);
    using client = await connectRaw(receiver.port);
    await client.write(Buffer.concat([HEADER, Buffer.from('bytes')]));
    const heard: string[] = [];
    const { endpoint } = await receiver.arrival();
    endpoint?.attach({
      bytes: chunk => heard.push(chunk.toString()),
      drained() {},
      ended: () => heard.push('ended'),
      closed() {},
    });
    client.end();
    endpoint?.resume();
    await until(() => heard.includes('ended'), { what: 'the end', seen: () => heard.join() });
    expect(heard).toEqual(['bytes', 'ended']);
  });

  test('P7: what is no header ends at once', async () => {
    await using receiver = await startReceiver(kind);
    using client = await connectRaw(receiver.port);
    await client.write(Buffer.from('100d00044d51545404020000000161', 'hex'));
    const { accepted } = await receiver.arrival();
    expect(accepted).toEqual({ kind: 'failed', reason: 'bad_proxy_header', detail: 'there is no PROXY header' });
  });

  test('P7: bytes that trickle do not extend the deadline', async () => {
    await using receiver = await startReceiver(kind, { timeoutMs: 300 });
    using client = await connectRaw(receiver.port);
    const letters = [...'PROXY UNKNOWN '.padEnd(90, 'x')];
    const trickle = setInterval(() => client.socket.write(letters.shift() ?? 'x'), 20);
    const startMs = performance.now();
    const { accepted } = await receiver.arrival();
    clearInterval(trickle);
    expect(accepted).toMatchObject({ kind: 'failed', reason: 'proxy_header_timeout' });
    expect(performance.now() - startMs).toBeLessThan(1500);
    expect(letters.length).toBeLessThan(90);
    expect(letters.length).toBeGreaterThan(0);
  });

  test('P7: silence ends at the deadline', async () => {
    await using receiver = await startReceiver(kind, { timeoutMs: 50 });
    using _client = await connectRaw(receiver.port);
    expect((await receiver.arrival()).accepted).toMatchObject({ kind: 'failed', reason: 'proxy_header_timeout' });
  });

  test.each([
    ['FIN', 'end'],
    ['RST', 'reset'],
  ] as const)('P7: %s in the middle of the header', async (_what, leave) => {
    await using receiver = await startReceiver(kind);
    using client = await connectRaw(receiver.port);
    await client.write(HEADER.subarray(0, 20));
    client[leave]();
    expect((await receiver.arrival()).accepted).toMatchObject({ kind: 'failed', reason: 'client_closed' });
  });

  test('a peer that has gone before anybody looked', async () => {
    await using receiver = await startReceiver(kind, {
      before: async client => {
        client.close();
        await until(() => client.isGone, { what: 'the end of the client' });
      },
    });
    using _client = await connectRaw(receiver.port);
    expect((await receiver.arrival()).accepted).toMatchObject({ kind: 'failed', reason: 'client_closed' });
  });
});

describe.each(relayKinds)('a peer that is not trusted, %s relay', kind => {
  test('its header is not read: it is what is read next', async () => {
    await using receiver = await startReceiver(kind, { trusted: ['127.0.0.2', '10.0.0.0/8'] });
    using stranger = await connectRaw(receiver.port);
    await stranger.write(HEADER);
    stranger.end();
    const arrival = await receiver.arrival(1);
    expect(arrival.accepted).toEqual({ kind: 'accepted', link: arrival.own, header: null, headerBytes: 0 });
    expect((await readAll(arrival)).text).toBe(HEADER.toString());

    using trusted = await connectRaw(receiver.port, { localAddress: '127.0.0.2' });
    await trusted.write(HEADER);
    expect((await receiver.arrival(2)).accepted).toMatchObject({ link: LINK });
  });
});
