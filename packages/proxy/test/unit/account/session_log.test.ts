import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Refused, SessionLog } from '../../../src/account/session_log.ts';
import type { LogConfig } from '../../../src/config/resolved.ts';
import type { Log, LogFields } from '../../../src/log.ts';
import type { Connect } from '../../../src/stages.ts';
import { CONNECT, inbound, link } from './sessions.ts';

interface Line {
  readonly event: string;
  readonly fields: LogFields;
}

function scene(how: { format?: LogConfig['format']; usernames?: boolean } = {}) {
  const lines: Line[] = [];
  const texts: string[] = [];
  const say = (event: string, fields: LogFields = {}): unknown => lines.push({ event, fields });
  const log: Log = {
    debug: say,
    info: say,
    warn: say,
    error: say,
    line: text => texts.push(text),
    format: how.format ?? 'json',
    reopen() {},
    async flush() {},
  };
  const counts = () => ({ total: 1, frontend: 1, backend: 1, server: 1 });
  return { log: new SessionLog(log, how.usernames ?? false, counts), lines, texts };
}

function linked(connect: Partial<Connect> = {}, assignedClientId: string | null = null) {
  return { inbound: inbound(), connect: { ...CONNECT, ...connect }, link: link(), assignedClientId };
}

const REFUSED: Refused = { reason: 'malformed', detail: 'what', answer: null, server: null, retries: 0 };

afterEach(() => {
  vi.restoreAllMocks();
});

test('one line when a client has its broker, one when it leaves', () => {
  const { log, lines } = scene();
  log.connected(linked());
  log.ended(linked(), { end: 'client_closed', bytesIn: 12, bytesOut: 34 });
  const who = {
    session: 7,
    frontend: 'mqtt',
    bind: '*:1883',
    client: '192.0.2.7:50123',
    client_id: 'device',
    version: '3.1.1',
  };
  expect(lines).toEqual([
    {
      event: 'connect',
      fields: {
        ...who,
        ...{ backend: 'emqx', server: 'emqx1', how: 'new', retries: 0 },
        ...{ connect_ms: 2.3, connack_ms: 5.7, total_ms: expect.any(Number) },
      },
    },
    {
      event: 'end',
      fields: {
        ...who,
        ...{ backend: 'emqx', server: 'emqx1', why: 'client_closed', bytes_in: 12, bytes_out: 34 },
        duration_ms: expect.any(Number),
      },
    },
  ]);
});

test('P11: user names only where they are asked for', () => {
  const [off, on] = [scene(), scene({ usernames: true })];
  for (const { log } of [off, on]) {
    log.connected(linked());
    log.ended(linked(), { end: 'client_closed', bytesIn: 0, bytesOut: 0 });
    log.refused(inbound(), CONNECT, 'emqx', REFUSED);
  }
  expect(JSON.stringify(off.lines)).not.toContain('bob');
  expect(on.lines.map(({ fields }) => fields.username)).toEqual(['bob', 'bob', 'bob']);
});

test('P11: text from clients and brokers is made printable', () => {
  const { log, lines } = scene({ usernames: true });
  const bad = 'x\u009b31m\u202e';
  log.connected(linked({ clientId: bad, username: bad }));
  log.connected(linked({ clientId: '' }, bad));
  log.refused(inbound(), { ...CONNECT, clientId: bad }, 'emqx', { ...REFUSED, detail: bad });
  expect(JSON.stringify(lines)).not.toMatch(/[\u0080-\u009f\u202e]/);
  expect(lines.map(({ fields }) => fields.client_id)).toEqual(Array(3).fill('x\\u009b31m\\u202e'));
});

test.each([
  [
    'the id that the broker assigned',
    linked({ clientId: '', version: 5 }, 'auto-1'),
    { client_id: 'auto-1', version: '5.0' },
  ],
  ['a bridge', linked({ bridge: true, version: 3 }), { bridge: true, version: '3.1' }],
])('%s', (_what, session, expected) => {
  const { log, lines } = scene();
  log.connected(session);
  expect(lines[0]?.fields).toMatchObject(expected);
});

test('a degraded choice says so; IPv6 has its brackets', () => {
  const { log, lines } = scene();
  const choice = { backend: 'emqx', server: 'emqx1', how: 'moved', degraded: true } as const;
  log.connected({ ...linked(), inbound: inbound({ source: { address: '::1', port: 9 } }), link: link({ choice }) });
  expect(lines[0]?.fields).toMatchObject({ how: 'moved', degraded: true, client: '[::1]:9' });
});

describe('refusals', () => {
  const spy = () => vi.spyOn(performance, 'now');

  test('P7: ten lines a second for each reason; the rest are counted in the next one', () => {
    const { log, lines } = scene();
    const now = spy();
    now.mockReturnValue(5000);
    for (let count = 0; count < 500; count += 1) log.refused(inbound(), null, 'emqx', REFUSED);
    log.refused(inbound(), null, 'emqx', { ...REFUSED, reason: 'http' });
    expect(lines.map(({ fields }) => fields.reason)).toEqual([...Array(10).fill('malformed'), 'http']);
    now.mockReturnValue(6000);
    log.refused(inbound(), null, 'emqx', REFUSED);
    log.refused(inbound(), null, 'emqx', REFUSED);
    expect(lines.slice(11).map(({ fields }) => fields.suppressed)).toEqual([490, undefined]);
  });

  test('P7: the same for HAProxy lines; how many were left out is a line of its own', () => {
    const { log, texts, lines } = scene({ format: 'tcplog' });
    const now = spy();
    now.mockReturnValue(5000);
    for (let count = 0; count < 50; count += 1) log.refused(inbound(), null, 'emqx', REFUSED);
    expect(texts.length).toBe(10);
    now.mockReturnValue(6000);
    log.refused(inbound(), null, 'emqx', REFUSED);
    expect(lines).toEqual([{ event: 'refused_suppressed', fields: { reason: 'malformed', suppressed: 40 } }]);
    expect(texts.length).toBe(11);
  });

  test('who it was, as far as that is known', () => {
    const { log, lines } = scene();
    log.refused(inbound(), null, 'emqx', REFUSED);
    log.refused(inbound(), CONNECT, 'emqx', { ...REFUSED, reason: 'refused_by_server', server: 'emqx2' });
    expect(lines.map(({ fields }) => [fields.client_id, fields.backend, fields.server])).toEqual([
      [undefined, undefined, undefined],
      ['device', 'emqx', 'emqx2'],
    ]);
  });
});

test('tcplog: one line a session, at its end', () => {
  const { log, texts, lines } = scene({ format: 'tcplog' });
  log.connected(linked());
  log.ended(linked(), { end: 'client_closed', bytesIn: 0, bytesOut: 5 });
  expect(lines).toEqual([]);
  expect(texts).toEqual([
    expect.stringMatching(/^192\.0\.2\.7:50123 \[.*\] mqtt emqx\/emqx1 0\/2\/\d+ 5 -- 1\/1\/1\/1\/0 0\/0$/),
  ]);
});
