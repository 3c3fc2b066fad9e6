import { describe, expect, test } from 'vitest';
import { diffConfig } from '../../../src/config/diff.ts';
import type { Config } from '../../../src/config/resolved.ts';
import { configOf } from './scratch.ts';

const BASE = `
global: { name: lb, workers: 2 }
frontends:
  mqtt: { bind: ['127.0.0.1:0', '*:1883'], default_backend: emqx }
backends:
  emqx:
    stick: { on: client_id }
    check: { type: mqtt, username: probe, password: hunter2 }
    servers: { a: 10.0.0.1:1883, b: { address: 10.0.0.2:1883, weight: 5 } }
`;

function change(from: string, to: string): string {
  expect(BASE).toContain(from);
  return BASE.replace(from, to);
}

const diff = (text: string): ReturnType<typeof diffConfig> => diffConfig(configOf(BASE), configOf(text));

describe('what changes in place', () => {
  test.each([
    ['nothing', '', '', []],
    ['a weight', 'weight: 5', 'weight: 7', ['server emqx/b: weight 5 → 7']],
    ['a server more', 'a: 10.0.0.1:1883,', 'a: 10.0.0.1:1883, c: 10.0.0.3,', ['server emqx/c added: 10.0.0.3:1883']],
    ['a server less', 'a: 10.0.0.1:1883, ', '', ['server emqx/a removed']],
    ['an address', '10.0.0.1:1883', 'broker:1884', ['server emqx/a: address 10.0.0.1:1883 → broker:1884']],
    ['balance', 'emqx:\n', 'emqx:\n    balance: leastconn\n', ['backend emqx: balance roundrobin → leastconn']],
    ['stick', 'on: client_id', 'on: client_id, expire: 40m', ['backend emqx: stick changed']],
    ['a bind more', "'*:1883'", "'*:1883', '*:1884'", ['frontend mqtt: bind *:1884 added']],
    ['a bind less', ", '*:1883'", '', ['frontend mqtt: bind *:1883 removed']],
    ['workers', 'workers: 2', 'workers: 3', ['global: workers 2 → 3']],
    ['a limit', 'name: lb', 'name: lb, maxconn: 500', ['global: maxconn 100000 → 500']],
    [
      'a limit of a frontend',
      'default_backend: emqx',
      'default_backend: emqx, maxconn: 9, conn_rate: 10/s',
      ['frontend mqtt: maxconn none → 9', 'frontend mqtt: conn_rate none → 10/s'],
    ],
  ])('%s', (_, from, to, lines) => {
    expect(diff(change(from, to))).toMatchObject({ changes: lines, needsRestart: [] });
  });

  test('frontends and backends that come and go, with their binds', () => {
    const text = BASE.replace('mqtt:', 'other:').replace(/emqx/g, 'hive');
    expect(diff(text).changes).toEqual([
      'frontend mqtt removed',
      'frontend other added',
      'frontend mqtt: bind 127.0.0.1:0 removed',
      'frontend other: bind 127.0.0.1:0 added',
      'frontend other: bind *:1883: from frontend mqtt',
      'backend emqx removed',
      'backend hive added',
    ]);
  });

  test('P11: a password that changed is not in any line', () => {
    const { changes } = diff(change('hunter2', 'correct horse'));
    expect(changes).toEqual(['server emqx/a: check changed', 'server emqx/b: check changed']);
  });
});

describe('what needs a restart stays as it was', () => {
  test.each([
    ['name: lb', 'name: lb2', /^global: name lb → lb2: to change it, restart/],
    ['name: lb', 'name: lb, log: { level: debug }', /^global: log changed: /],
    [
      'frontends:',
      'state: { store: redis, redis: { url: redis://:pw@h } }\nfrontends:',
      /^state: store memory → redis: /,
    ],
  ])('%s → %s', (from, to, line) => {
    const before = configOf(BASE);
    const { changes, needsRestart, applicable } = diff(change(from, to));
    expect([changes, needsRestart.length]).toEqual([[], 1]);
    expect(needsRestart[0]).toMatch(line);
    expect(needsRestart[0]).not.toContain('pw');
    const { global, state } = applicable;
    expect({ global, state }).toEqual({ global: before.global, state: before.state });
  });

  test('the rest is taken over beside it', () => {
    const { applicable } = diff(change('workers: 2', 'workers: 3').replace('name: lb', 'name: x'));
    expect(applicable.global).toMatchObject({ name: 'lb', workers: 3 });
  });
});

/** Any other value of the same kind. */
function other(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  return typeof value === 'string' ? `${value}x` : { other: value };
}

/** The keys of a part whose change nobody would hear of; `place` puts the changed part into a configuration. */
function blindKeys(
  part: object | undefined,
  except: readonly string[],
  place: (part: never) => Partial<Config>,
): string[] {
  const config = configOf(BASE);
  return Object.entries(part ?? {}).flatMap(([key, value]) => {
    if (except.includes(key)) return [];
    const changed = { ...config, ...place({ ...part, [key]: other(value) } as never) };
    const { changes, needsRestart } = diffConfig(config, changed);
    return changes.length + needsRestart.length === 0 ? [key] : [];
  });
}

test('every key of a configuration is compared', () => {
  const config = configOf(BASE);
  const [frontend] = config.frontends;
  const [backend] = config.backends;
  const [server, ...servers] = backend?.servers ?? [];
  const inBackend = (one: object): Partial<Config> => ({ backends: [{ ...backend, ...one }] as never });
  expect(blindKeys(config.global, [], global => ({ global }))).toEqual([]);
  expect(blindKeys(frontend, ['name', 'binds'], one => ({ frontends: [one] }))).toEqual([]);
  expect(blindKeys(backend, ['name', 'servers'], inBackend)).toEqual([]);
  expect(blindKeys(server, ['name'], one => inBackend({ servers: [one, ...servers] }))).toEqual([]);
});
