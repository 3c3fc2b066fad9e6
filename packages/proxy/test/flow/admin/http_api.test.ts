import { expect, test } from 'vitest';
import { openApi } from '../../../src/admin/api/openapi.ts';
import { ROUTES } from '../../../src/admin/api/routes.ts';
import { until } from '../../kit/condition.ts';
import { connectRaw } from '../../kit/raw_socket.ts';
import { CONFIG, ORDER, serve, USERS } from './http_server.ts';

test('the description is served as it is made, for OpenAPI has names of its own', async () => {
  await using served = await serve();
  const { json } = await served.ask('/api/v1/openapi.json');
  expect(json).toEqual(JSON.parse(JSON.stringify(openApi(ROUTES))));
  expect(json.paths['/reload'].post).toHaveProperty('operationId');
});

const STATE = '/servers/emqx/emqx1/state';

test('a body that breaks off is no fault of ours', async () => {
  await using served = await serve({ users: USERS });
  const auth = Buffer.from('admin:limpet').toString('base64');
  const lines = [
    'POST /api/v1/reload HTTP/1.1',
    'Host: localhost',
    `Authorization: Basic ${auth}`,
    'Content-Length: 9',
  ];
  for (const [name, value] of Object.entries(ORDER)) lines.push(`${name}: ${value}`);
  {
    using raw = await connectRaw(served.port);
    await raw.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n{`));
    raw.end();
    await raw.waitForEnd();
  }
  expect((await served.order('PUT', STATE, { state: 'ready' }, 'admin:limpet')).status).toBe(200);
  expect(served.log.lines.filter(line => line.includes('stats_failed'))).toEqual([]);
});

test('without users everybody looks, and nobody acts or sees a client', async () => {
  await using served = await serve();
  expect((await served.ask('/api/v1/servers')).status).toBe(200);
  expect((await served.ask('/api/v1/clients')).status).toBe(403);
  expect((await served.ask('/api/v1/table/emqx')).status).toBe(403);
  const { status, json } = await served.order('PUT', STATE, { state: 'drain' });
  expect([status, json.error.code]).toEqual([403, 'FORBIDDEN']);
  expect(json.error.remedy).toBe('Ask as an operator or an admin: see `global.stats.users`.');
  expect(served.control.orders).toEqual([]);
});

test('with users only these come in; health is for everybody', async () => {
  await using served = await serve({ users: USERS });
  for (const path of [
    '/stats',
    '/stats;csv',
    '/stats/events',
    '/stats/assets/app.js',
    '/metrics',
    '/api/v1/info',
    '/x',
  ]) {
    const { status, headers } = await served.ask(path);
    expect([path, status]).toEqual([path, 401]);
    expect(headers['www-authenticate']).toBe('Basic realm="Limpet", charset="UTF-8"');
  }
  expect((await served.ask('/healthz')).status).toBe(200);
  expect((await served.ask('/readyz')).status).toBe(200);
  expect((await served.ask('/stats', { as: 'user:limpet' })).status).toBe(200);
  expect((await served.ask('/stats', { as: 'user:wrong' })).status).toBe(401);
  expect((await served.ask('/stats', { as: 'nobody:limpet' })).status).toBe(401);
});

test('each level may do what it is for, and the order says who gave it', async () => {
  await using served = await serve({ users: USERS });
  const status = async (as: string, method: string, path: string, body?: unknown) =>
    (await served.order(method, path, body, `${as}:limpet`)).status;
  expect(await status('user', 'PUT', STATE, { state: 'drain' })).toBe(403);
  expect(await status('operator', 'PUT', STATE, { state: 'drain' })).toBe(200);
  expect(await status('operator', 'POST', '/reload')).toBe(403);
  expect(await status('operator', 'DELETE', '/clients/a')).toBe(403);
  expect(await status('admin', 'DELETE', '/clients/a')).toBe(200);
  expect(await status('admin', 'PUT', '/table/emqx/k%2F1', { server: 'emqx2' })).toBe(200);
  expect(served.control.orders).toEqual([
    'setServerState {"backend":"emqx","server":"emqx1"} "drain" "http operator@127.0.0.1"',
    'endSessions {"clientId":"a"} "http admin@127.0.0.1"',
    'set "emqx" "k/1" "emqx2"',
  ]);
  expect(served.log.lines).toEqual([
    'info admin {"by":"http admin@127.0.0.1","what":"PUT /table/emqx/k%2F1"} PUT /table/emqx/k%2F1 (http admin@127.0.0.1)',
  ]);
});

test('wrong passwords: 401, after ten 429, one line in the log, and no secret in it', async () => {
  await using served = await serve({ users: USERS });
  const statuses: number[] = [];
  // One try comes back every six seconds, so a slow machine needs a few more.
  while (statuses.at(-1) !== 429 && statuses.length < 20) {
    statuses.push((await served.ask('/stats', { as: `admin:hunter${statuses.length}` })).status);
  }
  expect(statuses.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 401));
  const { status, headers } = await served.ask('/stats', { as: 'admin:limpet' });
  expect(status).toBe(429);
  expect(Number(headers['retry-after'])).toBeLessThanOrEqual(6);
  // Another user comes in from the same address.
  expect((await served.ask('/stats', { as: 'operator:limpet' })).status).toBe(200);
  expect(served.log.lines).toHaveLength(1);
  expect(served.log.lines[0]).toMatch(/^warn stats_auth_failed /);
  expect(served.log.lines.join()).not.toMatch(/hunter|limpet|scrypt/);
});

test.each<[string, Record<string, string>]>([
  ['no JSON', { 'X-Limpet-Request': '1', 'Content-Type': 'text/plain' }],
  ['a form', { 'Content-Type': 'application/x-www-form-urlencoded' }],
  ['no header of ours', { 'Content-Type': 'application/json' }],
  ['another site', { ...ORDER, 'Sec-Fetch-Site': 'cross-site' }],
  ['another origin', { ...ORDER, Origin: 'http://evil.example' }],
  ['no origin', { ...ORDER, Origin: 'null' }],
])('an order with %s is refused, right password or not', async (_, headers) => {
  await using served = await serve({ users: USERS });
  const body = '{"state":"maint"}';
  const { status, json } = await served.ask(`/api/v1${STATE}`, { method: 'PUT', headers, body, as: 'admin:limpet' });
  expect([status, json.error.code]).toEqual([403, 'CROSS_SITE']);
  expect(served.control.orders).toEqual([]);
});

test('a page of our own may give orders', async () => {
  await using served = await serve({ users: USERS });
  const headers = { ...ORDER, Origin: served.base, 'Sec-Fetch-Site': 'same-origin' };
  const asked = { method: 'PUT', headers, body: '{"state":"maint"}', as: 'admin:limpet' };
  expect((await served.ask(`/api/v1${STATE}`, asked)).status).toBe(200);
});

test('405 of the API names what is allowed there', async () => {
  await using served = await serve({ users: USERS });
  const { status, headers } = await served.order('POST', '/table/emqx/k', {}, 'admin:limpet');
  expect([status, headers.allow]).toEqual([405, 'GET, PUT, DELETE']);
});

test('an export streams, and ends when its reader has gone', async () => {
  await using served = await serve({ users: USERS });
  const { text, headers } = await served.ask('/api/v1/table/emqx/export?format=csv&server=emqx1', {
    as: 'admin:limpet',
  });
  expect([text, headers['content-type']]).toEqual(['{"key":"a"}\n{"key":"b"}\n', 'text/csv; charset=utf-8']);
  expect(served.control.orders).toEqual(['walk "emqx" "csv" {"server":"emqx1"}']);

  // A reader that reads nothing stops the walk long before its 64 MiB, and one that leaves ends it.
  served.control.chunks = Array.from({ length: 1024 }, () => 'x'.repeat(65_536));
  served.control.walked = 0;
  using raw = await connectRaw(served.port);
  raw.stopReading();
  const auth = Buffer.from('admin:limpet').toString('base64');
  await raw.write(
    Buffer.from(`GET /api/v1/table/emqx/export HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic ${auth}\r\n\r\n`),
  );
  let [before, looks] = [0, 0];
  const isStill = (): boolean => {
    looks = served.control.walked === before ? looks + 1 : 0;
    before = served.control.walked;
    return before > 0 && looks > 20;
  };
  await until(isStill, { what: 'the walk to stand still' });
  expect(served.control.walked).toBeLessThan(512);
  raw.reset();
  await until(() => served.control.walksEnded === 2, { what: 'the end of the walk' });
});

test('an import is a stream beyond the limit of JSON, which other bodies have', async () => {
  await using served = await serve({ users: USERS });
  const body = Buffer.alloc(3 * 1_048_576, 'a');
  const headers = { ...ORDER, 'Content-Type': 'application/x-ndjson' };
  const path = '/api/v1/table/emqx/import?format=json';
  const { json } = await served.ask(path, { method: 'POST', headers, body, as: 'admin:limpet' });
  expect(json).toEqual({ read: body.length, written: 1, kept: 0, errors: ['line 2: no key'] });
  const big = JSON.stringify({ state: 'x'.repeat(1_048_576) });
  using raw = await connectRaw(served.port);
  const auth = Buffer.from('admin:limpet').toString('base64');
  const head = [`PUT /api/v1${STATE} HTTP/1.1`, 'Host: localhost', `Authorization: Basic ${auth}`];
  const more = ['Content-Type: application/json', 'X-Limpet-Request: 1', `Content-Length: ${big.length}`];
  await raw.write(Buffer.from(`${[...head, ...more].join('\r\n')}\r\n\r\n`));
  await raw.waitForEnd();
  expect(raw.received().toString()).toMatch(/^HTTP\/1\.1 413 /);
});

test('the live stream: a snapshot at once and at each refresh, events, for each level what is theirs', async () => {
  await using served = await serve({ users: USERS, refreshMs: 50 });
  using user = await stream(served.port, 'user');
  using admin = await stream(served.port, 'admin');
  await until(() => events(user, 'snapshot').length >= 3, { what: 'three snapshots' });
  expect(events(user, 'snapshot')[0]).toMatchObject({ level: 'user', proxy: { name: 'lb1' } });
  served.control.emit({ id: 3, atMs: 5, level: 'info', event: 'admin', message: 'shutdown of dev-1 (http admin@::1)' });
  served.control.emit({ id: 4, atMs: 6, level: 'warn', event: 'server_down', message: 'a\nb' });
  await until(() => events(admin, 'event').length === 2, { what: 'two events' });
  expect(events(admin, 'event')[1]).toEqual({ id: 4, atMs: 6, level: 'warn', event: 'server_down', message: 'a\nb' });
  await until(() => events(user, 'event').length === 1, { what: 'one event' });
  expect(user.received().toString()).not.toContain('dev-1');
  // Nothing runs for nobody.
  user.reset();
  admin.reset();
  await until(() => served.control.listeners === 0, { what: 'the end of both streams' });
});

test('other users: live streams end, so that nobody stays in who may not', async () => {
  await using served = await serve({ users: USERS });
  using user = await stream(served.port, 'user');
  await until(() => events(user, 'snapshot').length === 1, { what: 'a snapshot' });
  await served.server.reconfigure({ ...CONFIG, users: USERS.slice(0, 1) });
  await user.waitForEnd();
  expect((await served.ask('/stats', { as: 'user:limpet' })).status).toBe(401);
});

test('a source has eight streams at most, and keeps no other source out', async () => {
  await using served = await serve();
  const streams: Raw[] = [];
  const open = async (source: string) => {
    const one = await stream(served.port, null, source);
    streams.push(one);
    await until(() => events(one, 'snapshot').length > 0, { what: 'a snapshot' });
    return one;
  };
  try {
    for (let n = 0; n < 8; n += 1) await open('127.0.0.1');
    expect(await served.ask('/stats/events')).toMatchObject({ status: 503, headers: { 'retry-after': '30' } });
    for (let n = 0; n < 24; n += 1) await open(`127.0.0.${2 + (n % 4)}`);
    await open('127.0.0.9');
    await streams[0]?.waitForEnd();
    expect(streams.filter(one => one.isClosed || one.ended)).toEqual([streams[0]]);
  } finally {
    for (const one of streams) one[Symbol.dispose]();
  }
});

test('a reader that reads nothing is dropped', async () => {
  await using served = await serve({ refreshMs: 1_000 });
  const streams = await Promise.all(Array.from({ length: 8 }, () => stream(served.port, null)));
  try {
    await until(() => streams.every(one => events(one, 'snapshot').length > 0), { what: 'all streams' });
    const [slow, ...others] = streams;
    slow?.stopReading();
    const message = 'x'.repeat(65_536);
    let id = 10;
    await until(
      () => {
        for (const other of others) other.forget();
        id += 1;
        served.control.emit({ id, atMs: 0, level: 'info', event: 'test', message });
        return slow?.isClosed || served.control.listeners === 0 || id > 200;
      },
      { what: 'enough for any buffer' },
    );
    slow?.readAgain();
    await slow?.waitForEnd();
    // Dropped, not kept waiting: far less than what was said has come.
    expect(slow?.bytesIn).toBeLessThan((id - 10) * message.length);
    expect(others.filter(one => one.isClosed || one.ended)).toEqual([]);
  } finally {
    for (const one of streams) one[Symbol.dispose]();
  }
});

type Raw = Awaited<ReturnType<typeof connectRaw>>;

async function stream(port: number, user: string | null, source = '127.0.0.1'): Promise<Raw> {
  const raw = await connectRaw(port, { localAddress: source });
  const auth = user === null ? '' : `Authorization: Basic ${Buffer.from(`${user}:limpet`).toString('base64')}\r\n`;
  await raw.write(Buffer.from(`GET /stats/events HTTP/1.1\r\nHost: localhost\r\n${auth}\r\n`));
  return raw;
}

function events(raw: Raw, name: string): readonly unknown[] {
  const found = raw
    .received()
    .toString()
    .matchAll(/event: (\w+)\ndata: (.*)\n\n/g);
  return [...found].filter(([, one]) => one === name).map(([, , data = '']) => JSON.parse(data));
}
