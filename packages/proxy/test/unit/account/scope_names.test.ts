import { expect, test } from 'vitest';
import { bindScope } from '../../../src/account/scope_names.ts';
import type { BindConfig } from '../../../src/config/resolved.ts';

function bind(label: string): BindConfig {
  return { label, host: '0.0.0.0', port: 1883, acceptProxy: [], tls: null, websocket: null };
}

test('a bind has one name, and keeps it when a reload puts another one before it', () => {
  const names = (...labels: string[]) => {
    const binds = labels.map(bind);
    return binds.map((_, place) => bindScope({ name: 'mqtt', binds }, place));
  };
  expect(names('*:1883', ':0', ':0')).toEqual(['mqtt/*:1883#0', 'mqtt/:0#0', 'mqtt/:0#1']);
  expect(names('*:1884', '*:1883', ':0', ':0').slice(1)).toEqual(['mqtt/*:1883#0', 'mqtt/:0#0', 'mqtt/:0#1']);
});
