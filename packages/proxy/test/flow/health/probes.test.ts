import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { ProbeConfig } from '../../../src/config/resolved.ts';
import type { CheckResult } from '../../../src/health/check_status.ts';
import { until } from '../../kit/condition.ts';
import { makeDirectory } from '../../kit/directory.ts';
import { type Mosquitto, startMosquitto } from '../../kit/mosquitto.ts';
import { ask, result } from './ask.ts';
import { listen, listenDeaf, MQTT } from './servers.ts';

describe('a real broker', () => {
  test('accepts the check, which says goodbye', async () => {
    await using broker = await startMosquitto();
    expect(await result(broker.port, MQTT)).toMatchObject({ ok: true, status: 'L7OK', code: 0 });
    expect(await result(broker.port, { type: 'tcp' })).toMatchObject({ ok: true, status: 'L4OK', code: null });
    expect(broker.connections()).toEqual([
      expect.objectContaining({ clientId: 'limpet-check-t-1', protocol: 2, clean: true }),
    ]);
    await broker.process.waitForLine(/Client limpet-check-t-1 disconnected\.?$/);
  });

  test('a refusal for credentials is alive, and the right ones are accepted', async () => {
    await using directory = await makeDirectory('passwords');
    const passwords = directory.file('passwords');
    execFileSync('mosquitto_passwd', ['-c', '-b', passwords, 'probe', 'secret']);
    const config = ['allow_anonymous false', `password_file ${passwords}`];
    await using broker: Mosquitto = await startMosquitto({ config });
    const refused = { ok: true, status: 'L7OK', code: 5, info: 'not authorized' };
    expect(await result(broker.port, MQTT)).toMatchObject(refused);
    const accepted = await result(broker.port, { type: 'mqtt', username: 'probe', password: 'secret' });
    expect(accepted).toMatchObject({ ok: true, status: 'L7OK', code: 0 });
  });

  test('P5: killed it refuses, frozen it is silent', async () => {
    await using broker = await startMosquitto();
    broker.freeze();
    // The kernel accepts for it.
    expect(await result(broker.port, { type: 'tcp' })).toMatchObject({ ok: true });
    const silent = await result(broker.port, MQTT, { timeoutMs: 300 });
    expect(silent).toMatchObject({ ok: false, status: 'L7TOUT' });
    expect(silent.durationMs).toBeGreaterThanOrEqual(290);
    await broker.kill9();
    const dead = { ok: false, status: 'L4CON', info: 'ECONNREFUSED' };
    expect(await result(broker.port, MQTT)).toMatchObject(dead);
    expect(await result(broker.port, { type: 'tcp' })).toMatchObject(dead);
  });
});

describe('a server that misbehaves', () => {
  const http: ProbeConfig = { type: 'http', method: 'GET', path: '/health', host: null, expect: [200] };

  test.each<[string, string, Partial<CheckResult>]>([
    ['a refusal with code 3', '20020003', { ok: false, status: 'L7STS', code: 3 }],
    ['an MQTT 5.0 CONNACK', '2003009700', { ok: false, status: 'L7RSP', info: 'malformed CONNACK' }],
    ['a PINGRESP', 'd000', { ok: false, status: 'L7RSP', info: 'not a CONNACK' }],
  ])('MQTT, %s', async (_title, hex, expected) => {
    await using server = await listen(socket => socket.write(Buffer.from(hex, 'hex')));
    expect(await result(server.port, MQTT)).toMatchObject(expected);
    await until(() => server.open() === 0, { what: 'the end of the connection' });
  });

  test('MQTT, a CONNACK in pieces', async () => {
    await using server = await listen(socket => {
      socket.once('data', () => {
        socket.write(Buffer.from('2002', 'hex'), () => setImmediate(() => socket.write(Buffer.from('0000', 'hex'))));
      });
    });
    expect(await result(server.port, MQTT)).toMatchObject({ ok: true, code: 0 });
    // The last thing it was told is DISCONNECT.
    await until(() => server.received()[0]?.toString('hex').endsWith('e000'), { what: 'DISCONNECT' });
  });

  test.each<[string, ProbeConfig]>([
    ['MQTT', MQTT],
    ['HTTP', http],
  ])('%s, closed without an answer', async (_title, probe) => {
    await using server = await listen(socket => socket.once('data', () => socket.end()));
    expect(await result(server.port, probe)).toMatchObject({ ok: false, status: 'L7RSP', code: null });
  });

  test.each<[string, ProbeConfig]>([
    ['MQTT', MQTT],
    ['HTTP', http],
  ])('%s, an answer that never comes, and a flood that is none', async (_title, probe) => {
    await using server = await listen();
    const started = await result(server.port, probe, { timeoutMs: 200 });
    expect(started).toMatchObject({ ok: false, status: 'L7TOUT' });
    await until(() => server.open() === 0, { what: 'the end of the connection' });
    await using flood = await listen(socket => socket.write(Buffer.alloc(1_000_000, 'x')));
    expect(await result(flood.port, probe)).toMatchObject({ ok: false, status: 'L7RSP' });
  });

  test('a SYN that nobody answers is a Layer4 timeout', async () => {
    await using deaf = await listenDeaf();
    for (const probe of [MQTT, { type: 'tcp' }, http] as const) {
      expect(await result(deaf.port, probe, { timeoutMs: 200 })).toMatchObject({ ok: false, status: 'L4TOUT' });
    }
  });

  test('an abort ends the check and its connection', async () => {
    await using server = await listen();
    const abort = new AbortController();
    const asked = ask(server.port, MQTT, { timeoutMs: 60_000 }, {}, abort.signal);
    await until(() => server.received()[0]?.length, { what: 'the CONNECT' });
    abort.abort();
    expect(await asked).toEqual({ kind: 'not_made', code: 'ABORTED' });
    await until(() => server.open() === 0, { what: 'the end of the connection' });
    expect(await ask(server.port, MQTT, {}, {}, abort.signal)).toEqual({ kind: 'not_made', code: 'ABORTED' });
    expect(server.received()).toHaveLength(1);
  });
});
