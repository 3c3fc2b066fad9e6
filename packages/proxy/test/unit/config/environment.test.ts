import { describe, expect, test } from 'vitest';
import { expand } from '../../../src/config/environment.ts';
import { configOf, withBackend, wrongsOf } from './scratch.ts';

const env = { NAME: 'lb7', EMPTY: '', NESTED: `\${NAME}`, YAML: 'x }\nglobal: { maxconn: 1' };

describe('references', () => {
  test.each([
    ['plain', 'plain'],
    [`\${NAME}`, 'lb7'],
    [`a-\${NAME}-\${NAME}`, 'a-lb7-lb7'],
    [`\${EMPTY}`, ''],
    [`\${EMPTY:-x}`, 'x'],
    [`\${UNSET:-x:-y}`, 'x:-y'],
    [`\${UNSET:-}`, ''],
    [`\${NAME:-x}`, 'lb7'],
    [`$\${NAME}`, `\${NAME}`],
    [`\${NESTED}`, `\${NAME}`],
    ['$NAME $5 $', '$NAME $5 $'],
  ])('%s becomes %s', (written, text) => {
    expect(expand(written, env)).toMatchObject({ ok: true, text });
  });

  test.each([`\${UNSET}`, `\${}`, `\${NAME`, `\${A-B}`, `\${1A}`, `\${NAME:x}`])('%s is refused', written => {
    expect(expand(written, env).ok).toBe(false);
  });
});

test('numbers and flags may come out of the environment', () => {
  const text = `global: { maxconn: "\${N}", log: { usernames: "\${F}" } }\n${withBackend(`servers: { a: "\${HOST}" }`)}`;
  const config = configOf(text, { N: '12', F: 'true', HOST: '10.0.0.1' });
  expect(config.global.maxconn).toBe(12);
  expect(config.global.log.usernames).toBe(true);
  expect(config.backends[0]?.servers[0]?.host).toBe('10.0.0.1');
});

test('a value cannot add a key: the YAML was read before', () => {
  const text = `global: { name: "\${YAML}" }\n${withBackend('servers: { a: 10.0.0.1 }')}`;
  expect(wrongsOf(text, env)).toEqual([
    `1:17 \`global.name\`: "\${YAML}" cannot be used here | Write 1 to 64 letters, digits, and the characters _ . and -.`,
  ]);
});

test('an unset variable is told once, where it stands, and not what follows from it', () => {
  expect(wrongsOf(withBackend(`servers: { a: "\${BROKER}:1883" }`))).toEqual([
    `4:19 The environment variable BROKER is not set | Set BROKER, or give a default: \${BROKER:-default}.`,
  ]);
});
