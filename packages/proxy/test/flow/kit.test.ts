import { expect, onTestFinished, test } from 'vitest';
import {
  accepts,
  closesAtOnce,
  connack,
  neverAnswers,
  refuses,
  startBroker,
  streamBytes,
  streams,
} from '../kit/broker.ts';
import { connectClient } from '../kit/clients.ts';
import { until, within } from '../kit/condition.ts';
import { startHaproxy } from '../kit/haproxy.ts';
import { runLimpet, startLimpet } from '../kit/limpet.ts';
import { startMosquitto } from '../kit/mosquitto.ts';
import { startNginx } from '../kit/nginx.ts';
import { isAlive } from '../kit/proc.ts';
import { startProcess } from '../kit/process.ts';
import { connectRaw } from '../kit/raw_socket.ts';
import { startRedis } from '../kit/redis.ts';

const connect311 = Buffer.from('\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a', 'latin1');

test('a condition that never holds is an error that says what was waited for, and what was seen instead', async () => {
  const wait = { what: 'the moon', timeoutMs: 30, seen: () => 'the sun' };
  await expect(until(() => false, wait)).rejects.toThrow('waited 30 ms for the moon; instead:\nthe sun');
  await expect(within(new Promise(() => undefined), wait)).rejects.toThrow('waited 30 ms for the moon');
  await expect(within(Promise.resolve(1), wait)).resolves.toBe(1);
});

test('a program that dies before it is ready shows its last lines', async () => {
  await using child = startProcess('sh', ['-c', 'echo one; echo two >&2; exit 3']);
  await expect(child.waitForLine(/ready/)).rejects.toThrow(
    /exit code 3[\s\S]*one[\s\S]*two|exit code 3[\s\S]*two[\s\S]*one/,
  );
});

test('a program that does not exist is told as such', async () => {
  await using child = startProcess('limpet-has-no-such-program', []);
  await expect(child.waitForLine(/ready/)).rejects.toThrow('limpet-has-no-such-program');
});

test('a program dies with the process that started it, even by SIGKILL', async () => {
  const kit = new URL('../kit/process.ts', import.meta.url).pathname;
  const script = `const { startProcess } = await import(${JSON.stringify(kit)});
    console.log('child', startProcess('sleep', ['60']).pid); setInterval(() => undefined, 1000);`;
  await using owner = startProcess(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script]);
  const [, pid] = await owner.waitForLine(/child (\d+)/);
  onTestFinished(() => {
    if (isAlive(Number(pid))) process.kill(Number(pid), 'SIGKILL');
  });
  expect(isAlive(Number(pid))).toBe(true);
  await owner.kill('SIGKILL');
  await until(() => !isAlive(Number(pid)), { what: 'the end of the grandchild' });
});

test('mosquitto says which clients came, and keeps their sessions over a restart', async () => {
  await using mosquitto = await startMosquitto({ persistence: true });
  const options = { clientId: 'a b, c', clean: false };
  const client = await connectClient(mosquitto.port, options);
  await client.mqtt.subscribeAsync('t', { qos: 1 });
  await client.drop();
  await mosquitto.restart();
  await using again = await connectClient(mosquitto.port, options);
  expect(again.connack.sessionPresent).toBe(true);
  await using other = await connectClient(mosquitto.port, { clientId: 'other', protocolVersion: 5 });
  expect(other.connack.sessionPresent).toBe(false);
  await mosquitto.waitForClient('a b, c', 2);
  await mosquitto.waitForClient('other');
  expect(mosquitto.connections()).toMatchObject([
    { clientId: 'a b, c', clean: false, protocol: 2, address: '127.0.0.1' },
    { clientId: 'a b, c', clean: false, protocol: 2 },
    { clientId: 'other', clean: true, protocol: 5 },
  ]);
});

test('a client that is refused says why, and one whose connection is closed too', async () => {
  await using broker = await startBroker(refuses(5));
  await expect(connectClient(broker.port, { clientId: 'a' })).rejects.toThrow(/client a: .*Not authorized/);
  for (const how of ['fin', 'rst'] as const) {
    broker.script = closesAtOnce(how);
    await expect(connectClient(broker.port, { clientId: how })).rejects.toThrow(`client ${how}: `);
  }
  broker.script = neverAnswers();
  await expect(connectClient(broker.port, { clientId: 'c', timeoutMs: 100 })).rejects.toThrow(/CONNACK|connack/);
});

test('a frozen mosquitto answers nothing until it is thawed', async () => {
  await using mosquitto = await startMosquitto();
  mosquitto.freeze();
  using client = await connectRaw(mosquitto.port);
  await client.write(connect311);
  await expect(client.waitForBytes(1, 100)).rejects.toThrow('waited 100 ms for 1 bytes');
  mosquitto.thaw();
  expect(await client.waitForBytes(4)).toEqual(connack(4, 0));
});

test.each([{ unixSocket: true }, {}])('redis is killed and comes back empty in the same place: %o', async options => {
  await using redis = await startRedis(options);
  const before = redis.client({ retryStrategy: () => null });
  await before.set('key', 'value');
  expect(await redis.cli(['get', 'key'])).toBe('value');
  await redis.kill9();
  await expect(redis.cli(['ping'])).rejects.toThrow();
  await redis.restart();
  expect(await redis.cli(['get', 'key'])).toBe('');
  expect(await redis.client().ping()).toBe('PONG');
});

test('haproxy reads the PROXY header and logs the address in it', async () => {
  await using broker = await startBroker();
  await using haproxy = await startHaproxy(
    port => `defaults
  mode tcp
  log global
  option tcplog
  timeout connect 5s
  timeout client 5s
  timeout server 5s
listen mqtt
  bind 127.0.0.1:${port} accept-proxy
  server broker 127.0.0.1:${broker.port}`,
  );
  using client = await connectRaw(haproxy.port);
  await client.write(Buffer.concat([Buffer.from('PROXY TCP6 2001:db8::1 2001:db8::2 4711 1883\r\n'), connect311]));
  expect(await client.waitForBytes(4)).toEqual(connack(4, 0));
  client.end();
  broker.peers[0]?.end();
  await haproxy.process.waitForLine(/2001:db8::1:4711 .* mqtt\/broker /);
  expect(await haproxy.runtime('show stat')).toContain('mqtt,broker,');
});

test('nginx reads the PROXY header and logs the address in it, and that LOCAL has none', async () => {
  await using broker = await startBroker();
  await using nginx = await startNginx({ upstream: broker.port });
  const local = Buffer.from('\r\n\r\n\0\r\nQUIT\n\x20\0\0\0', 'latin1');
  for (const header of [Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 4711 1883\r\n'), local]) {
    using client = await connectRaw(nginx.port);
    await client.write(Buffer.concat([header, connect311]));
    await client.waitForBytes(4);
    client.end();
    broker.peers.at(-1)?.end();
    await client.closed;
  }
  const connections = await until(async () => (await nginx.connections()).length === 2 && nginx.connections(), {
    what: 'two lines in the log',
  });
  const destination = { destination: '192.0.2.2', destinationPort: 1883 };
  expect(connections).toMatchObject([
    { source: '192.0.2.1', sourcePort: 4711, ...destination },
    { source: null, sourcePort: null, destination: null, destinationPort: null },
  ]);
});

test('the scripted broker streams exactly what it promised, with back-pressure', async () => {
  const total = 3_000_001;
  await using broker = await startBroker(streams(total));
  using client = await connectRaw(broker.port);
  client.stopReading();
  await client.write(connect311);
  const peer = await broker.waitForPeer(0);
  expect(await peer.waitForBytes(connect311.length)).toEqual(connect311);
  client.readAgain();
  const received = await client.waitForBytes(4 + total);
  expect(received.subarray(4).equals(streamBytes(total))).toBe(true);
});

test('the scripted broker answers a CONNECT that comes byte by byte, in its own version', async () => {
  await using broker = await startBroker(accepts());
  using client = await connectRaw(broker.port);
  const connect5 = Buffer.from('\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01a', 'latin1');
  for (const byte of connect5) await client.write(Buffer.of(byte));
  expect(await client.waitForBytes(5)).toEqual(connack(5, 0));
});

test('an RST of the broker is an error at the client, and FIN is an end', async () => {
  await using broker = await startBroker(neverAnswers());
  using reset = await connectRaw(broker.port);
  (await broker.waitForPeer(0)).reset();
  expect(await reset.closed).toBe('ECONNRESET');
  broker.script = closesAtOnce('fin');
  using ended = await connectRaw(broker.port);
  await ended.waitForEnd();
  expect(ended.ended).toBe(true);
});

test('limpet runs as its user runs it, and tells its ports, its workers and what it does', async () => {
  await using broker = await startBroker();
  const servers = { one: { address: `127.0.0.1:${broker.port}`, check: false } };
  await using limpet = await startLimpet({
    global: { workers: 2 },
    frontends: { mqtt: { bind: ['127.0.0.1:0', '127.0.0.1:0'], default_backend: 'emqx' } },
    backends: { emqx: { servers } },
  });
  expect(limpet.workers()).toHaveLength(2);
  const ports = [limpet.port('mqtt', 0), limpet.port('mqtt', 1)];
  expect(new Set(ports).size).toBe(2);
  for (const port of ports) {
    using client = await connectRaw(port);
    await client.write(connect311);
    expect(await client.waitForBytes(4)).toEqual(connack(4, 0));
  }
  for (const peer of broker.peers) peer.end();
  await limpet.waitForEvent(event => JSON.stringify(event).includes('"one"'), 'a line that names the server');
  expect(await limpet.stop()).toEqual({ code: 0, signal: null });
});

test('a limpet that cannot start says why', async () => {
  await expect(startLimpet('frontends: [')).rejects.toThrow(/limpet\.yaml/);
  await using refused = runLimpet(['run', '-c', '/does/not/exist.yaml']);
  expect((await refused.waitForExit()).code).toBe(1);
});
