import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { configOf, loadFiles, loadText, withBackend, wrongsOf } from './scratch.ts';

const FRONTEND = "frontends: { mqtt: { bind: '*:0', default_backend: b } }\n";
const BACKEND = 'backends: { b: { servers: { a: 10.0.0.1 } } }\n';

const withCheckPassword = (password: string): string =>
  `backends: { b: { check: { username: u, password: "${password}" }, servers: { a: 10.0.0.1 } } }\n`;

describe('folders', () => {
  test('the sections may be spread over files; other files are not read', () => {
    const loaded = loadFiles({
      '10.yaml': `global: { maxconn: 7 }\n${FRONTEND}`,
      '20.yml': `global: { workers: 3 }\n${BACKEND}`,
      'notes.txt': '{',
      '.hidden.yaml': '{',
      '30.yaml.bak': '{',
    });
    expect(loaded).toMatchObject({
      ok: true,
      config: { global: { maxconn: 7, workers: 3 }, files: ['%/10.yaml', '%/20.yml'] },
    });
  });

  test.each([
    ['a backend', BACKEND, 'backends.b', '2:13', '%/20.yaml'],
    ['a frontend', FRONTEND, 'frontends.mqtt', '2:14', '%/20.yaml'],
    ['a key of a section', 'global: { maxconn: 7 }\n', 'global.maxconn', '2:11', '%/20.yaml'],
  ])('%s in two files is told with both places', (_, text, key, place, file) => {
    const loaded = loadFiles({ '10.yaml': `# first\n${text}`, '20.yaml': `# second\n${text}` });
    const problems = loaded.ok ? [] : loaded.problems;
    expect(problems.map(({ file: at, line, column, message }) => `${at}:${line}:${column} ${message}`)).toContain(
      `${file}:${place} \`${key}\` stands in two files; the other place is %/10.yaml:${place}`,
    );
  });

  test('a file that cannot be read is told alone: what is missing may stand in it', () => {
    const empty = loadFiles({ '10.yaml': '# nothing\n', '20.yaml': BACKEND });
    expect(empty).toMatchObject({
      ok: false,
      problems: [{ file: '%/10.yaml', line: 1, message: 'The file is empty' }],
    });
    expect(loadFiles({ '20.yaml': BACKEND })).toMatchObject({
      ok: false,
      problems: [{ file: '%', line: 0, message: '`frontends` is missing' }],
    });
  });

  test('a folder without a configuration', () => {
    expect(loadFiles({ 'notes.txt': '' })).toMatchObject({
      ok: false,
      problems: [{ file: '%', line: 0, message: 'The folder holds no configuration' }],
    });
  });
});

describe('files that cannot be read as YAML', () => {
  test.each([
    ['', '1:1 The file is empty'],
    ['# nothing\n---\n', '1:1 The file is empty'],
    ['- a\n- b\n', '1:1 The file is not a mapping'],
    ['just text', '1:1 The file is not a mapping'],
    ['global:\n  name: a\n\tmaxconn: 1\n', '3:1 A tab is used to indent'],
    ['global: { name: a\n', '2:1 The indentation does not fit'],
    ['global: { name: "a }\n', '2:1 A quote, bracket, comma or `:` is missing'],
    ['global:\n  name: @a\n', '2:9 A value begins with a character that YAML reserves'],
    ['global:\n  name: a: b\n', '2:9 A second `:` stands on one line'],
    ['global: { name: *a }\n', '1:17 An alias (`*name`) names no anchor'],
    ['global: { name: !b a }\n', '1:17 A tag (`!name`) means nothing here'],
    ['global: {}\n---\nglobal: {}\n', '2:1 A second document begins'],
    ['? [a]\n: b\n', '1:3 A key is not a plain word'],
    ['__proto__: { a: 1 }\n', '1:1 `__proto__` cannot be a name'],
    ['global: &a { name: *a }\n', '1:1 The file is too deep, or its aliases multiply it'],
    [`global: ${'['.repeat(50)}${']'.repeat(50)}\n`, '1:1 The file is too deep, or its aliases multiply it'],
    ['frontends：\n  mqtt: {}\n', '1:10 There is a full-width colon (：)'],
    ['global:\n  name: *:1 x\n', '2:13 `*:1` without quotes is an alias'],
    ['global\n  maxconn 5\ndefaults\n  mode tcp\n', '1:1 This is a configuration of HAProxy'],
    [new Uint8Array([0x67, 0xff, 0xfe]), '0:0 The file is not text in UTF-8'],
    [`#${'x'.repeat(1024 * 1024)}`, '0:0 The file is larger than 1 MiB'],
  ])('%j', (text, told) => {
    expect(wrongsOf(text).join('\n')).toContain(told);
  });

  test('P7: aliases of aliases are bounded', () => {
    const levels = Array.from(
      { length: 12 },
      (_, index) => `  a${index + 1}: &a${index + 1} [${`*a${index},`.repeat(9)}]`,
    );
    const wrongs = wrongsOf(`global:\n  a0: &a0 [x,x,x,x,x,x,x,x,x]\n${levels.join('\n')}\n`);
    expect(wrongs).toEqual([expect.stringContaining('1:1 The file is too deep, or its aliases multiply it')]);
  });

  test('a path where nothing is', () => {
    expect(loadConfig('no/such/file.yaml', {})).toMatchObject({
      ok: false,
      problems: [{ file: 'no/such/file.yaml', line: 0, column: 0, message: 'There is no such file or folder' }],
    });
  });

  test('what is neither a file nor a folder', () => {
    expect(loadConfig('/dev/null', {})).toMatchObject({ ok: false, problems: [{ message: 'This is not a file' }] });
  });
});

test("a full-width comma in a comment or in a value that is right is nobody's fault", () => {
  const wrongs = wrongsOf(`# 注释，好\nglobal: { name: "a b" } # 名，字\n${FRONTEND}${withCheckPassword('，')}`);
  expect(wrongs).toEqual([expect.stringContaining('`global.name`')]);
});

test('full-width characters are told first where the YAML fails, those of the line before too', () => {
  const wrongs = wrongsOf('frontends:\n  mqtt:\n    bind：x # 端口：1\n    mode: mqtt\nbackends: { a: 1，b: 2 }\n');
  expect(wrongs.slice(0, 2)).toEqual([
    '3:9 There is a full-width colon (：) on this line, which means nothing in YAML | Type the ASCII one (:).',
    '5:17 There is a full-width comma (，) on this line, which means nothing in YAML | Type the ASCII one (,).',
  ]);
});

test('a file of HAProxy gets one answer', () => {
  expect(wrongsOf('global\n    maxconn 10\n\nfrontend mqtt\n    bind *:1883\n')).toEqual([
    expect.stringMatching(/^1:1 This is a configuration of HAProxy \| .*docs\/coming-from-haproxy\.md/),
  ]);
});

test('the section names of HAProxy with a colon are no file of HAProxy', () => {
  expect(wrongsOf('global:\n  name: @a\nbackend x: 1\n').join()).not.toContain('HAProxy');
});

test.each(['127.0.0.1:1884', '10.0.0.1:1883', '127.0.0.2:1883'])('no warning of a loop: %s', server => {
  const text = `frontends: { mqtt: { bind: '127.0.0.1:1883', default_backend: b } }\nbackends: { b: { servers: { a: '${server}' } } }`;
  expect(loadText(text)).toMatchObject({ ok: true, warnings: [] });
});

test('anchors and aliases may be used', () => {
  const config = configOf(
    withBackend('check: &c { fall: 9 }\n    servers: { a: 10.0.0.1, b: { address: 10.0.0.2, check: *c } }'),
  );
  expect(config.backends[0]?.servers.map(server => server.check?.fall)).toEqual([9, 9]);
});

test('problems of the schema and of what belongs together are told at once', () => {
  const wrongs = wrongsOf(`
global: { maxconn: none }
frontends:
  one: { bind: '*:1883', default_backend: nowhere }
  two: { bind: ':1883', default_backend: b, mode: mqt }
  three: { bind: '127.0.0.1:1883', default_backend: b }
backends: { b: { servers: { a: '10.0.0.1:x' } } }
`);
  expect(wrongs.map(wrong => wrong.split(' | ')[0])).toEqual([
    '2:20 `global.maxconn`: "none" is not a whole number',
    '4:43 `frontends.one.default_backend`: there is no backend "nowhere"',
    '5:51 `frontends.two.mode`: "mqt" is not known here',
    '6:18 `frontends.three.bind`: "127.0.0.1:1883" is taken by `frontends.one.bind`',
    '7:32 `backends.b.servers.a`: "10.0.0.1:x" has a port that does not exist',
  ]);
});

test("one CONNECT must fit into a worker's share of the memory", () => {
  const written = (global: string, defaults = ''): string => `global: { ${global} }\n${defaults}${FRONTEND}${BACKEND}`;
  const small = 'defaults: { max_connect_size: 16k }\n';
  expect(wrongsOf(written('workers: 1, preread_memory: 16k'))).toEqual([
    '1:39 `global.preread_memory`: a CONNECT may have 512KiB, and all of them together 16KiB | ' +
      'Make `global.preread_memory` 512KiB at least: `max_connect_size` times the number of workers.',
  ]);
  expect(wrongsOf(written('workers: 4, preread_memory: 63k', small))).toEqual([
    '2:31 `defaults.max_connect_size`: a CONNECT may have 16KiB, and 4 workers share 63KiB | ' +
      'Make `global.preread_memory` 64KiB at least: `max_connect_size` times the number of workers.',
  ]);
  expect(wrongsOf(written('workers: 4, preread_memory: 64k', small))).toEqual([]);
  expect(wrongsOf(written('workers: 128'))).toEqual([]);
  expect(wrongsOf(written('workers: 129')).map(wrong => wrong.split(' | ')[1])).toEqual([
    'Make `global.preread_memory` 66048KiB at least: `max_connect_size` times the number of workers.',
  ]);
});

test('no frontend, and no section at all', () => {
  expect(wrongsOf(`frontends: {}\n${BACKEND}`)).toEqual([
    '1:1 `frontends`: there is no frontend | Add at least one, with `bind` and `default_backend`.',
  ]);
  expect(wrongsOf('global: { workers: 1 }\n').map(wrong => wrong.split(' | ')[0])).toEqual([
    '0:0 `frontends` is missing',
    '0:0 `backends` is missing',
  ]);
});

test.each([
  [
    'an unused backend',
    `${FRONTEND}backends: { b: { servers: { a: x } }, c: { servers: { a: x } } }`,
    'no frontend uses this backend',
  ],
  [
    'no weight at all',
    `${FRONTEND}backends: { b: { servers: { a: { address: x, weight: 0 } } } }`,
    'every server has weight 0',
  ],
  ['twins', `${FRONTEND}backends: { b: { servers: { a: x, c: 'x:1883' } } }`, 'this is the address of a too'],
  [
    'a loop',
    "frontends: { mqtt: { bind: '*:1883', default_backend: b } }\nbackends: { b: { servers: { a: localhost } } }",
    'this address is the bind *:1883 of the frontend mqtt',
  ],
  ['redis beside memory', `state: { redis: {} }\n${FRONTEND}${BACKEND}`, '`state.redis` has no effect'],
])('a warning: %s', (_, text, message) => {
  expect(loadText(text)).toMatchObject({ ok: true, warnings: [{ message: expect.stringContaining(message) }] });
});

test.each([
  ['unix:redis.sock', 'unix://%/redis.sock'],
  ['unix://run/redis.sock?db=2', 'unix://%/run/redis.sock?db=2'],
  ['unix://:pass@redis.sock', 'unix://:pass@%/redis.sock'],
  ['unix:redis.sock?db=2', 'unix://%/redis.sock?db=2'],
  ['unix:///run/redis.sock', 'unix:///run/redis.sock'],
  ['rediss://user:pass@host:7000/3', 'rediss://user:pass@host:7000/3'],
])('the path of a socket begins at the folder of the file: %s', (written, url) => {
  const { state } = configOf(`state: { store: redis, redis: { url: '${written}' } }\n${FRONTEND}${BACKEND}`);
  expect(state).toMatchObject({ redis: { target: { kind: 'server', url } } });
});

test('P7: any text gets an answer, and never an exception', () => {
  const word = fc.constantFrom(
    'global',
    'frontends',
    'backends',
    'b',
    'bind',
    'servers',
    'stick',
    'check',
    'on',
    '*:1',
    'x',
    '1s',
    '',
  );
  const tree = fc.letrec(tie => ({
    value: fc.oneof({ maxDepth: 5 }, word, fc.integer(), fc.boolean(), fc.constant(null), tie('list'), tie('mapping')),
    list: fc.array(tie('value'), { maxLength: 3 }),
    mapping: fc.dictionary(word, tie('value'), { maxKeys: 4 }),
  }));
  const text = fc.oneof(
    fc.string({ maxLength: 200 }),
    tree.mapping.map(value => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(text, written => {
      const loaded = loadText(written);
      expect(loaded.ok || loaded.problems.every(problem => problem.message !== '' && problem.remedy !== '')).toBe(true);
      expect(loaded.ok || loaded.problems.length > 0).toBe(true);
    }),
    { numRuns: 500 },
  );
});
