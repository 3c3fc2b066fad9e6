import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startStats } from '../../../src/admin/http/stats_server.ts';
import { FakeControl } from '../../kit/admin_control.ts';
import { serverFacts } from '../../kit/admin_facts.ts';
import { until } from '../../kit/condition.ts';
import { LinesLog } from '../../kit/lines_log.ts';
import { connectRaw } from '../../kit/raw_socket.ts';
import { CONFIG, ORDER, serve, USERS } from './http_server.ts';

test('page, assets, CSV, JSON, metrics and health are there, each of its type', async () => {
  await using served = await serve();
  const page = await served.ask('/stats');
  expect(page).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
  expect(page.text).toContain('<!doctype html>');
  const asset = readdirSync(new URL('../../../page', import.meta.url)).find(name => name.endsWith('.js'));
  const script = await served.ask(`/stats/assets/${asset}`);
  expect(script).toMatchObject({ status: 200, headers: { 'content-type': 'text/javascript; charset=utf-8' } });
  const csv = await served.ask('/stats;csv;norefresh');
  expect(csv.text).toMatch(/^# pxname,svname,/);
  expect((await served.ask('/stats;json')).json[0][0]).toHaveProperty('objType');
  expect((await served.ask('/metrics')).text).toContain('limpet_server_up{backend="emqx",server="emqx1"} 1');
  expect((await served.ask('/healthz')).text).toBe('ok\n');
  expect(await served.ask('/')).toMatchObject({ status: 302, headers: { location: '/stats' } });
});

test('every answer forbids what no page of ours needs', async () => {
  await using served = await serve();
  for (const path of ['/stats', '/metrics', '/healthz', '/api/v1/info', '/nothing']) {
    const { headers } = await served.ask(path);
    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' });
    expect(headers).toMatchObject({ 'referrer-policy': 'no-referrer' });
    expect(headers['cache-control']).toBe(path === '/stats' ? 'no-cache' : 'no-store');
    expect(Object.keys(headers).filter(name => name.startsWith('access-control'))).toEqual([]);
  }
});

test('HEAD has the headers of GET and no body', async () => {
  await using served = await serve();
  for (const path of ['/stats', '/stats;csv', '/metrics', '/healthz', '/readyz', '/api/v1/info', '/nothing']) {
    const [get, head] = [await served.ask(path), await served.ask(path, { method: 'HEAD' })];
    expect([head.status, head.text]).toEqual([get.status, '']);
    // The primary's own measurements differ from one look to the next.
    if (path !== '/metrics') expect(head.headers['content-length']).toBe(get.headers['content-length']);
  }
});

test('what has not changed is not sent again', async () => {
  await using served = await serve();
  const { headers } = await served.ask('/stats');
  const again = await served.ask('/stats', { headers: { 'If-None-Match': `W/"x", ${headers.etag}` } });
  expect([again.status, again.text]).toEqual([304, '']);
});

test.each([
  ['POST', '/stats', 'GET, HEAD'],
  ['DELETE', '/metrics', 'GET, HEAD'],
  ['OPTIONS', '/api/v1/info', 'GET, HEAD, POST, PUT, DELETE'],
  ['PATCH', '/api/v1/info', 'GET, HEAD, POST, PUT, DELETE'],
  ['TRACE', '/healthz', 'GET, HEAD'],
])('%s %s: 405, and what is allowed', async (method, path, allow) => {
  await using served = await serve();
  expect(await served.ask(path, { method })).toMatchObject({ status: 405, headers: { allow } });
});

test.each([
  '/stats/assets/../../../../etc/passwd',
  '/stats/assets/..%2f..%2fetc%2fpasswd',
  '/stats/assets/index.html/',
  '/stats/assets/',
  '//etc/passwd',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/stats/assets/app.js%00',
])('%s leads nowhere', async path => {
  await using served = await serve();
  const { status, json } = await served.ask(path);
  expect([status, json.error.code]).toEqual([404, 'NO_SUCH_PATH']);
});

test('it answers under its own names only, health included', async () => {
  await using served = await serve();
  const asked = async (host: string, path = '/stats') => (await served.ask(path, { headers: { Host: host } })).status;
  expect(await asked(`localhost:${served.port}`)).toBe(200);
  expect(await asked('[::1]:1')).toBe(200);
  expect(await asked('LB1.example.com')).toBe(200);
  for (const path of ['/stats', '/healthz', '/readyz', '/api/v1/info', '/metrics', '/nothing']) {
    expect(await asked('evil.example', path)).toBe(421);
  }
});

test('a check of HTTP/1.0 without a Host header is answered', async () => {
  await using served = await serve();
  using raw = await connectRaw(served.port);
  await raw.write(Buffer.from('GET /healthz HTTP/1.0\r\n\r\n'));
  await raw.waitForEnd();
  expect(raw.received().toString()).toMatch(/^HTTP\/1\.1 200 /);
});

test('readyz says why not, to those who may look', async () => {
  await using served = await serve({ users: USERS });
  served.control.facts = {
    ...served.control.facts,
    backends: [
      { ...at(served.control, 0), servers: [serverFacts('emqx1', { verdict: 'down' })] },
      at(served.control, 1),
    ],
  };
  const asked = async (as?: string) => {
    const { status, json } = await served.ask('/readyz', as === undefined ? {} : { as });
    return [status, json];
  };
  const why = { ready: false, reasons: ['backend emqx has no usable server'] };
  expect(await asked()).toEqual([503, { ready: false }]);
  expect(await asked('user:wrong')).toEqual([503, { ready: false }]);
  expect(await asked('user:limpet')).toEqual([503, why]);
  await served.server.reconfigure(CONFIG);
  expect(await asked()).toEqual([503, why]);
});

function at(control: FakeControl, place: number) {
  const found = control.facts.backends[place];
  if (found === undefined) throw new Error('no such backend');
  return found;
}

test('what is no HTTP, or too much of it, gets an error and no more', async () => {
  await using served = await serve();
  const said = async (text: string): Promise<string> => {
    using raw = await connectRaw(served.port);
    await raw.write(Buffer.from(text));
    await raw.waitForEnd();
    return raw.received().toString().split('\r\n')[0] ?? '';
  };
  expect(await said('\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0\r\n\r\n')).toBe('HTTP/1.1 400 Bad Request');
  expect(await said(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toContain(' 431 ');
  expect(await said('GET / HTTP/1.1\r\n\r\n')).toContain(' 400 ');
});

test('one that never ends its header, or its body, is cut off after 10 s', async () => {
  await using served = await serve({ users: USERS });
  const startMs = performance.now();
  const auth = Buffer.from('admin:limpet').toString('base64');
  const head = ['PUT /api/v1/info/maxconn HTTP/1.1', 'Host: localhost', `Authorization: Basic ${auth}`];
  const whole = [...head, 'Content-Type: application/json', 'X-Limpet-Request: 1', 'Content-Length: 20'].join('\r\n');
  for (const said of ['GET /healthz HTTP/1.1\r\nHost: localhost\r\n', `${whole}\r\n\r\n{"maxconn":`]) {
    using raw = await connectRaw(served.port);
    await raw.write(Buffer.from(said));
    await raw.waitForEnd(15_000);
    expect(raw.received().toString()).toMatch(/^HTTP\/1\.1 408 /);
  }
  expect(performance.now() - startMs).toBeGreaterThan(18_000);
});

test('the 65th connection takes the place of the oldest that waits for nothing, or is closed', async () => {
  await using served = await serve({ users: USERS });
  const raws = await Promise.all(Array.from({ length: 64 }, () => connectRaw(served.port)));
  try {
    expect((await served.ask('/healthz')).status).toBe(200);
    await raws[0]?.waitForEnd();
    expect(raws.filter(({ ended }) => ended)).toHaveLength(1);

    const auth = Buffer.from('admin:limpet').toString('base64');
    const head = [`Authorization: Basic ${auth}`, ...Object.entries(ORDER).map(([name, value]) => `${name}: ${value}`)];
    const order = `POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\n${head.join('\r\n')}\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n`;
    raws.push(await connectRaw(served.port));
    const busy = raws.slice(1);
    await Promise.all(busy.map(raw => raw.write(Buffer.from(order))));
    await until(() => busy.every(raw => raw.received().includes('100 Continue')), { what: 'all orders to be read' });
    using one = await connectRaw(served.port);
    await one.waitForEnd();
    expect(busy.filter(({ ended }) => ended)).toEqual([]);
  } finally {
    for (const raw of raws) raw[Symbol.dispose]();
  }
});

test('a connection asks again and again, but not before it is answered', async () => {
  await using served = await serve();
  const request = Buffer.from('GET /stats;csv HTTP/1.1\r\nHost: localhost\r\n\r\n');
  using patient = await connectRaw(served.port);
  const answers = () => patient.received().toString().split('HTTP/1.1 200 OK').length - 1;
  for (let asked = 1; asked <= 20; asked++) {
    await patient.write(request);
    await until(() => answers() === asked, { what: 'an answer' });
  }
  let looks = 0;
  const { snapshot } = served.control;
  served.control.snapshot = () => {
    looks += 1;
    return snapshot.call(served.control);
  };
  using hasty = await connectRaw(served.port);
  await hasty.write(Buffer.concat(Array<Buffer>(1000).fill(request)));
  await hasty.waitForEnd();
  expect(looks).toBeLessThanOrEqual(4);
});

test('a port that is taken is an error that says what to do', async () => {
  await using served = await serve();
  const again = startStats({ ...CONFIG, port: served.port, label: 'it' }, new FakeControl(), new LinesLog());
  await expect(again).rejects.toMatchObject({ code: 'STATS_BIND', remedy: expect.stringContaining('ss -ltnp') });
});

test('reconfigured: another path and refresh at once, another port beside connections that stay', async () => {
  await using served = await serve();
  await served.server.reconfigure({ ...CONFIG, uri: '/haproxy/stats', hosts: [] });
  expect((await served.ask('/stats')).status).toBe(404);
  const page = await served.ask('/haproxy/stats');
  expect(page.status).toBe(200);
  expect((await served.ask('/haproxy/stats', { headers: { Host: 'lb1.example.com' } })).status).toBe(421);

  await using other = await serve();
  const taken = served.server.reconfigure({ ...CONFIG, port: other.port });
  await expect(taken).rejects.toMatchObject({ code: 'STATS_BIND' });
  expect((await served.ask('/haproxy/stats')).status).toBe(200);

  const before = served.port;
  // The same port on all addresses: the old place has to go first.
  await served.server.reconfigure({ ...CONFIG, host: '0.0.0.0', port: before });
  expect([served.server.listening, (await served.ask('/stats')).status]).toEqual([`0.0.0.0:${before}`, 200]);
});

test('closing ends streams and idle connections, and waits for none', async () => {
  const served = await serve();
  using idle = await connectRaw(served.port);
  using stream = await connectRaw(served.port);
  await stream.write(Buffer.from('GET /stats/events HTTP/1.1\r\nHost: localhost\r\n\r\n'));
  await until(() => stream.received().includes('event: snapshot'), { what: 'the first snapshot' });
  await served.server.close();
  await Promise.all([idle.waitForEnd(), stream.waitForEnd()]);
  expect(served.control.listeners).toBe(0);
});

test('an error inside is told as one, without its text, and logged', async () => {
  await using served = await serve();
  served.control.snapshot = () => {
    throw new Error('secret');
  };
  const { status, text } = await served.ask('/stats;csv');
  expect(status).toBe(500);
  expect(text).not.toContain('secret');
  expect(served.log.lines).toEqual([expect.stringMatching(/^error stats_failed /)]);
});

test('a name of a client that is HTML stays a text of JSON', async () => {
  await using served = await serve({ users: USERS });
  const id = '<img src=x onerror=alert(1)>\u0000\u001b[2J\u009b\u200b\u202e';
  const { json, headers, text } = await served.ask(`/api/v1/clients/${encodeURIComponent(id)}`, { as: 'admin:limpet' });
  expect(json.client_id).toBe(id);
  // And of `curl` on a terminal nothing acts or hides.
  expect(text).toMatch(/^[\x20-\x7e]*\n$/);
  expect(headers['content-type']).toBe('application/json; charset=utf-8');
});
