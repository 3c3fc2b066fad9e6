import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/resolved.ts';
import { LimpetError } from '../../../src/errors.ts';
import { SILENT } from '../../../src/log.ts';
import { Configurator } from '../../../src/process/configurator.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const text = (servers: string): string =>
  `frontends: { mqtt: { bind: '*:1883', default_backend: emqx } }\nbackends: { emqx: { servers: { ${servers} } } }\n`;

/** A configurator whose parts only write down what they are asked. */
function scene(servers = 'a: 10.0.0.1') {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-reload-'));
  folders.push(folder);
  const file = join(folder, 'limpet.yaml');
  const write = (content: string): void => writeFileSync(file, content);
  write(text(servers));
  const loaded = loadConfig(file);
  if (!loaded.ok) throw new Error('a wrong configuration');
  const said: string[] = [];
  const state = { failing: '', stopping: false, broken: null as Error | null, committed: null as Config | null };
  const part = (name: string) => ({
    prepare: async () => {
      if (state.failing === name) throw new LimpetError('BAD', `${name} is bad`, 'mend it');
      said.push(`${name} prepared`);
      return {
        made: [],
        commit: (): never => {
          throw new Error('nobody commits here');
        },
        abort: () => void said.push(`${name} aborted`),
      };
    },
  });
  const configurator = new Configurator(loaded.config, {
    certificates: part('certificates'),
    servers: part('servers'),
    bindings: part('bindings'),
    commit: async next => {
      state.committed = next;
      if (state.broken !== null) throw state.broken;
      said.push('committed');
      return [];
    },
    isStopping: () => state.stopping,
    reloading: () => {},
    reloaded: () => {},
    log: SILENT,
  });
  return { configurator, said, state, write, config: loaded.config };
}

const serversOf = (config: Config | null): string[] => (config?.backends[0]?.servers ?? []).map(({ name }) => name);

test('a reload brings what the file says; the same file again changes nothing', async () => {
  const { configurator, state, write } = scene();
  write(text('a: 10.0.0.1, b: 10.0.0.2'));
  expect(await configurator.reload()).toMatchObject({
    ok: true,
    changes: ['server emqx/b added: 10.0.0.2:1883'],
    needsRestart: [],
    problems: [],
  });
  expect([serversOf(state.committed), serversOf(configurator.config)]).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ]);
  expect(await configurator.reload()).toMatchObject({ ok: true, changes: [] });
  expect([configurator.reloads, configurator.lastReload]).toMatchObject([2, { ok: true, summary: '0 changes' }]);
});

test('P9: a wrong file touches nothing, and every problem is told as `limpet check` tells it', async () => {
  const { configurator, said, write, config } = scene();
  write(text('a: nowhere:99999').replace('bind', 'bnid'));
  const { ok, problems } = await configurator.reload();
  expect([ok, problems.length > 1, said, configurator.config]).toEqual([false, true, [], config]);
  expect(problems[0]).toMatch(/limpet\.yaml:\d+:\d+: /);
});

test('a warning is told once: not again by a reload, unless it is another one', async () => {
  const warned = text('a: 10.0.0.1').replace(
    'backends:',
    'global: { tls: { ticket_secret: 0123456789abcdef0123456789abcdef } }\nbackends:',
  );
  const { configurator, write } = scene();
  write(warned);
  expect((await configurator.reload()).warnings).toEqual([expect.stringContaining('it has no effect')]);
  expect((await configurator.reload()).warnings).toEqual([]);
  write(`\n${warned}`);
  expect((await configurator.reload()).warnings).toHaveLength(1);
});

test('of a wrong file the first problem is remembered, on one line', async () => {
  const { configurator, write, config } = scene();
  write(text('a: nowhere:99999').replace('bind', 'bnid'));
  const { problems } = await configurator.reload();
  const { summary = '' } = configurator.lastReload ?? {};
  expect(summary).not.toContain('\n');
  expect(summary).toMatch(/^\S+limpet\.yaml:\d+:\d+: .*; .* \(\+\d more: limpet check -c /);
  expect(summary).toContain(`(+${problems.length - 1} more: limpet check -c ${config.path})`);
});

test.each([
  ['certificates', []],
  ['servers', ['certificates prepared', 'certificates aborted']],
  ['bindings', ['certificates prepared', 'servers prepared', 'certificates aborted', 'servers aborted']],
])('P9: where %s cannot be prepared, what was is taken back', async (name, steps) => {
  const { configurator, said, state, write, config } = scene();
  state.failing = name;
  write(text('b: 10.0.0.2'));
  expect(await configurator.reload()).toMatchObject({ ok: false, problems: [`${name} is bad; mend it`] });
  expect([said, configurator.config]).toEqual([steps, config]);
});

test('edits and reloads come one after the other, each on what the one before has left', async () => {
  const { configurator, write } = scene();
  write(text('a: 10.0.0.1, b: 10.0.0.2'));
  const maxconn = (by: number) => (config: Config) => {
    return { ...config, global: { ...config.global, maxconn: config.global.maxconn + by } };
  };
  await Promise.all([configurator.edit(maxconn(1)), configurator.edit(maxconn(1))]);
  expect(configurator.config.global.maxconn).toBe(100_002);
  expect((await configurator.reload()).changes).toContain('global: maxconn 100002 → 100000');
});

test.each([
  ['serves', (resolve: () => void) => resolve()],
  ['fails', (_resolve: () => void, reject: (error: Error) => void) => reject(new Error('no worker'))],
])('what is asked during the start waits until it %s', async (_how, end) => {
  const { configurator, said } = scene();
  let over = (): void => {};
  configurator.waitFor(
    new Promise<void>((resolve, reject) => {
      over = () => end(resolve, reject);
    }),
  );
  const edited = configurator.edit(config => config).then(() => said.push('edited'));
  const reloaded = configurator.reload();
  await new Promise(resolve => setImmediate(resolve));
  expect(said).toEqual([]);
  over();
  await Promise.all([edited, reloaded]);
  expect(said).toContain('edited');
  expect(configurator.reloads).toBe(1);
});

test('a disabled frontend has no binds, across reloads too, until it is enabled', async () => {
  const { configurator, write } = scene();
  const binds = (): number | undefined => configurator.config.frontends[0]?.binds.length;
  await configurator.setFrontendEnabled('mqtt', false);
  expect([binds(), [...configurator.disabled]]).toEqual([0, ['mqtt']]);
  write(text('b: 10.0.0.2'));
  expect((await configurator.reload()).ok).toBe(true);
  expect(binds()).toBe(0);
  await configurator.setFrontendEnabled('mqtt', true);
  expect([binds(), configurator.disabled.size]).toEqual([1, 0]);
});

test('a proxy that stops takes nothing over, and binds nothing', async () => {
  const { configurator, state, said } = scene();
  state.stopping = true;
  await expect(configurator.edit(config => config)).rejects.toMatchObject({ code: 'STOPPING' });
  expect(said).toEqual([]);
});

test('where it begins to stop meanwhile, all that was prepared is taken back', async () => {
  const { configurator, state, said } = scene();
  configurator.join({
    prepare: async () => {
      state.stopping = true;
      return { commit: () => void said.push('joined committed'), abort: () => void said.push('joined aborted') };
    },
  });
  await expect(configurator.edit(config => config)).rejects.toMatchObject({ code: 'STOPPING' });
  expect(said.filter(line => line.endsWith('aborted'))).toHaveLength(4);
});

test('a hundred signals at once are one reload, which reads what the file says then', async () => {
  const { configurator, write } = scene();
  const reports = Array.from({ length: 100 }, () => configurator.reload());
  write(text('b: 10.0.0.2'));
  await Promise.all(reports);
  expect([configurator.reloads, serversOf(configurator.config)]).toEqual([1, ['b']]);
  await configurator.reload();
  expect(configurator.reloads).toBe(2);
});

test('P9: a reload that fails in a way nobody thought of is told, and ends nothing', async () => {
  const { configurator, state, write } = scene();
  state.broken = new TypeError('x is not a function');
  write(text('b: 10.0.0.2'));
  const { ok, problems } = await configurator.reload();
  expect([ok, problems]).toEqual([false, [expect.stringContaining('x is not a function')]]);
  state.broken = null;
  expect((await configurator.reload()).ok).toBe(true);
});

test('a frontend that was disabled while a worker was late stays so across reloads', async () => {
  const { configurator, state } = scene();
  state.broken = new LimpetError('RELOAD_LATE', 'worker 1 has not answered', 'kill it');
  await expect(configurator.setFrontendEnabled('mqtt', false)).rejects.toMatchObject({ code: 'RELOAD_LATE' });
  state.broken = null;
  await configurator.reload();
  expect(configurator.config.frontends[0]?.binds).toEqual([]);
});
