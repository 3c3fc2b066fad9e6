import { describe, expect, test } from 'vitest';
import type { ProbeConfig } from '../../../src/config/resolved.ts';
import { until } from '../../kit/condition.ts';
import { startHaproxy } from '../../kit/haproxy.ts';
import { startMosquitto } from '../../kit/mosquitto.ts';
import { startNginx } from '../../kit/nginx.ts';
import { freePort } from '../../kit/port.ts';
import { result } from './ask.ts';
import { listen, MQTT } from './servers.ts';

const V1 = { version: 1, tlvs: [] } as const;
const V2 = { version: 2, tlvs: [] } as const;

describe('PROXY protocol', () => {
  test.each([
    ['v1', V1],
    ['v2', V2],
  ])('%s: nginx sees LOCAL before the CONNECT, and mosquitto behind it the check', async (_title, sendProxy) => {
    await using broker = await startMosquitto();
    await using receiver = await startNginx({ upstream: broker.port });
    expect(await result(receiver.port, MQTT, {}, { sendProxy })).toMatchObject({ ok: true, code: 0 });
    expect(await result(receiver.port, { type: 'tcp' }, {}, { sendProxy })).toMatchObject({ ok: true });
    const lines = await until(async () => (await receiver.connections()).length === 2 && receiver.connections(), {
      what: "two lines in nginx's log",
    });
    const nobody = { source: null, destination: null };
    expect(lines).toEqual([expect.objectContaining(nobody), expect.objectContaining(nobody)]);
    expect(Math.max(...lines.map(line => line.bytesIn))).toBeGreaterThan(0);
    expect(await result(receiver.port, MQTT)).toMatchObject({ ok: false, status: 'L7RSP' });
  });

  test.each([
    ['v1', V1],
    ['v2', V2],
  ])('%s: HAProxy takes an HTTP check on the server’s own port', async (_title, sendProxy) => {
    await using receiver = await startHaproxy(
      port => `
defaults
  mode http
  timeout client 5s
frontend checks
  bind 127.0.0.1:${port} accept-proxy
  http-request return status 200 if { fc_rcvd_proxy }
  http-request return status 503
`,
    );
    const probe: ProbeConfig = { type: 'http', method: 'GET', path: '/', host: null, expect: [200] };
    expect(await result(receiver.port, probe, {}, { sendProxy })).toMatchObject({ ok: true, code: 200 });
    expect(await result(receiver.port, probe)).toMatchObject({ ok: false });
  });

  test('header and CONNECT are one write, and a check on another port has no header', async () => {
    await using server = await listen(socket => socket.write(Buffer.from('20020000', 'hex')));
    await result(server.port, MQTT, {}, { sendProxy: V2 });
    await result(await freePort(), MQTT, { port: server.port }, { sendProxy: V2 });
    const whole = () => server.received().filter(bytes => bytes.toString('hex').endsWith('e000'));
    await until(() => whole().length === 2, { what: 'two whole checks' });
    const [own, other] = whole();
    // proxy-protocol.txt, 2.2: the signature, version 2 with LOCAL, UNSPEC, and no address.
    expect(own?.subarray(0, 16).toString('hex')).toBe('0d0a0d0a000d0a515549540a20000000');
    expect(own?.[16]).toBe(0x10);
    expect(other?.[0]).toBe(0x10);
  });
});
