/**
 * Checks of servers that speak TLS.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProbeConfig, TlsServerConfig } from '../../../src/config/resolved.ts';
import type { CheckResult } from '../../../src/health/check_status.ts';
import { type Authority, type Issued, makeAuthority } from '../../kit/certificates.ts';
import { until } from '../../kit/condition.ts';
import { startHaproxy } from '../../kit/haproxy.ts';
import { type Mosquitto, startMosquitto } from '../../kit/mosquitto.ts';
import { freePort } from '../../kit/port.ts';
import { result } from './ask.ts';
import { listen, MQTT } from './servers.ts';

const TCP: ProbeConfig = { type: 'tcp' };
const HTTP: ProbeConfig = { type: 'http', method: 'GET', path: '/', host: null, expect: [200] };

let authority: Authority;
let foreign: Authority;
let broker: Issued;
let ourselves: Issued;
beforeAll(async () => {
  [authority, foreign] = await Promise.all([makeAuthority(), makeAuthority('Foreign')]);
  broker = await authority.issue({ cn: 'broker', names: ['broker.example', 'IP:127.0.0.1'] });
  ourselves = await authority.issue({ cn: 'limpet' });
});
afterAll(async () => {
  await authority[Symbol.asyncDispose]();
  await foreign[Symbol.asyncDispose]();
});

function tls(given: Partial<TlsServerConfig> = {}): TlsServerConfig {
  return { verify: 'required', ca: authority.ca, sni: null, cert: null, key: null, ...given };
}

function startTlsBroker(...more: string[]): Promise<Mosquitto> {
  return startMosquitto({
    config: [`cafile ${authority.ca}`, `certfile ${broker.cert}`, `keyfile ${broker.key}`, ...more],
  });
}

describe('a real broker', () => {
  test('is asked within TLS: its CONNACK is Layer7, the handshake alone Layer6', async () => {
    await using server = await startTlsBroker();
    const ok = { ok: true, status: 'L7OK', code: 0 };
    expect(await result(server.port, MQTT, {}, { tls: tls() })).toMatchObject(ok);
    expect(server.connections()).toEqual([expect.objectContaining({ clientId: 'limpet-check-t-1', clean: true })]);
    await server.process.waitForLine(/Client limpet-check-t-1 disconnected\.?$/);
    const secured = { ok: true, status: 'L6OK', code: null, info: '' };
    expect(await result(server.port, TCP, {}, { tls: tls() })).toMatchObject(secured);
    expect(await result(server.port, MQTT)).toMatchObject({ ok: false, status: 'L7RSP' });
  });

  test.each<[string, () => Partial<TlsServerConfig>, Partial<CheckResult>]>([
    ['of an unknown authority', () => ({ ca: foreign.ca }), { ok: false, status: 'L6RSP' }],
    [
      'for another name',
      () => ({ sni: 'other.example' }),
      { ok: false, status: 'L6RSP', info: 'certificate for another name' },
    ],
    ['for the name that is asked for', () => ({ sni: 'broker.example' }), { ok: true, status: 'L6OK' }],
    ['that nobody verifies', () => ({ ca: foreign.ca, verify: 'none' }), { ok: true, status: 'L6OK' }],
  ])('a certificate %s', async (_title, given, expected) => {
    await using server = await startTlsBroker();
    expect(await result(server.port, TCP, {}, { tls: tls(given()) })).toMatchObject(expected);
  });

  test('gets our certificate where it wants one', async () => {
    await using server = await startTlsBroker('require_certificate true', 'use_identity_as_username true');
    const { cert, key } = ourselves;
    expect(await result(server.port, MQTT, {}, { tls: tls({ cert, key }) })).toMatchObject({ ok: true, code: 0 });
    // In TLS 1.3 the refusal comes behind our end of the handshake, so the layer may be either.
    expect(await result(server.port, MQTT, {}, { tls: tls() })).toMatchObject({ ok: false });
  });
});

describe('a server that misbehaves', () => {
  test.each<[string, ProbeConfig]>([
    ['TCP', TCP],
    ['MQTT', MQTT],
    ['HTTP', HTTP],
  ])('P5: %s, a handshake that never ends, that ends at once, and that is none', async (_title, probe) => {
    await using silent = await listen();
    const late = await result(silent.port, probe, { timeoutMs: 300 }, { tls: tls() });
    expect(late).toMatchObject({ ok: false, status: 'L6TOUT' });
    expect(late.durationMs).toBeGreaterThanOrEqual(290);
    await until(() => silent.open() === 0, { what: 'the end of the connection' });
    await using closing = await listen(socket => socket.once('data', () => socket.end()));
    expect(await result(closing.port, probe, {}, { tls: tls() })).toMatchObject({ ok: false, status: 'L6RSP' });
    await using plain = await listen(socket => socket.write(Buffer.alloc(1000, 'x')));
    const stranger = await result(plain.port, probe, {}, { tls: tls() });
    expect(stranger).toMatchObject({ ok: false, status: 'L6RSP', info: 'wrong version number' });
    const nobody = await result(await freePort(), probe, {}, { tls: tls() });
    expect(nobody).toMatchObject({ ok: false, status: 'L4CON', info: 'ECONNREFUSED' });
  });

  test('P5: TLS that opens, and a broker behind it that is frozen', async () => {
    await using server = await startTlsBroker();
    await using front = await startHaproxy(
      port => `
defaults
  mode tcp
  timeout connect 5s
  timeout client 5s
  timeout server 5s
listen tls
  bind 127.0.0.1:${port} ssl crt ${broker.bundle}
  server broker 127.0.0.1:${server.port} ssl verify none
`,
    );
    const given = { tls: tls() };
    expect(await result(front.port, MQTT, {}, given)).toMatchObject({ ok: true, status: 'L7OK' });
    server.freeze();
    expect(await result(front.port, MQTT, { timeoutMs: 1000 }, given)).toMatchObject({ ok: false, status: 'L7TOUT' });
  });
});

describe('beside TLS', () => {
  test.each([1, 2] as const)('the PROXY header v%d goes before it, plain', async version => {
    await using receiver = await startHaproxy(
      port => `
defaults
  mode http
  timeout client 5s
frontend checks
  bind 127.0.0.1:${port} accept-proxy ssl crt ${broker.bundle}
  http-request return status 200 if { fc_rcvd_proxy } { ssl_fc }
  http-request return status 503
`,
    );
    const sendProxy = { version, tlvs: [] } as const;
    const given = { sendProxy, tls: tls() };
    expect(await result(receiver.port, HTTP, {}, given)).toMatchObject({ ok: true, status: 'L7OK', code: 200 });
    expect(await result(receiver.port, HTTP, {}, { tls: tls() })).toMatchObject({ ok: false, status: 'L6RSP' });
  });

  test('a check on another port is plain', async () => {
    await using plain = await startMosquitto();
    const elsewhere = { port: plain.port };
    expect(await result(1, MQTT, elsewhere, { tls: tls() })).toMatchObject({ ok: true, status: 'L7OK', code: 0 });
    expect(await result(1, TCP, elsewhere, { tls: tls() })).toMatchObject({ ok: true, status: 'L4OK' });
  });
});
