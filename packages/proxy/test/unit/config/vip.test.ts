import { describe, expect, test } from 'vitest';
import { diffConfig } from '../../../src/config/diff.ts';
import type { VipConfig } from '../../../src/config/resolved.ts';
import { configOf, loadText, withBackend, wrongsOf } from './scratch.ts';

const REST = withBackend('servers: { s: 10.0.0.1:1883 }');

function text(vip: string): string {
  return `global:\n  vip: ${vip}\n${REST}`;
}

const SHARED = 'state: { store: redis, redis: { url: "redis://10.0.0.5" } }\n';

function warningsOf(written: string): string[] {
  const loaded = loadText(written);
  return loaded.ok ? loaded.warnings.map(({ message }) => message) : ['the file is wrong'];
}

function vipOf(vip: string): VipConfig | null {
  return configOf(text(vip)).global.vip;
}

describe('global.vip', () => {
  test('what is left out', () => {
    expect(configOf(REST).global.vip).toBeNull();
    expect(vipOf('{ address: 10.0.0.100 }')).toEqual({
      addresses: ['10.0.0.100'],
      trackFile: '/run/limpet/track',
      notifyFifo: '/run/limpet/notify',
      connectRate: { limit: 2000, queue: 100_000, queueTimeoutMs: 60_000 },
      paceForMs: 60_000,
    });
  });

  test.each([
    ['"*:1883"', []],
    ['10.0.0.2:1883', []],
    ['10.0.0.100:1883', ['10.0.0.100:1883']],
    ['["10.0.0.2:1883", "[2001:db8::64]:1883"]', ['[2001:db8::64]:1883']],
  ])('who binds %s is warned where the standby cannot', (bind, warned) => {
    const rest = REST.replace("'*:0'", bind);
    const warnings = warningsOf(`global:\n  vip: { address: [10.0.0.100, "2001:db8::64"] }\n${SHARED}${rest}`);
    expect(warnings.map(message => /: (\S+) is at a virtual address/.exec(message)?.[1] ?? message)).toEqual(warned);
  });

  test('without a shared state a move loses the homes, and that is said', () => {
    const vip = 'global:\n  vip: { address: 10.0.0.100 }\n';
    expect(warningsOf(vip + REST)).toEqual([expect.stringMatching(/^`global\.vip`: .* do not survive a move/)]);
    expect([warningsOf(vip + SHARED + REST), warningsOf(REST)]).toEqual([[], []]);
  });

  test('addresses are spelled as the kernel spells them', () => {
    expect(vipOf('{ address: [10.0.0.100, "2001:DB8:0::0064", "::ffff:10.0.0.101"] }')?.addresses).toEqual([
      '10.0.0.100',
      '2001:db8::64',
      '10.0.0.101',
    ]);
  });

  test.each([
    ['false', null],
    ['500/s', { limit: 500, queue: 100_000, queueTimeoutMs: 60_000 }],
    ['{ queue: 7 }', { limit: 2000, queue: 7, queueTimeoutMs: 60_000 }],
    ['{ limit: 10/s, queue_timeout: 5s }', { limit: 10, queue: 100_000, queueTimeoutMs: 5000 }],
  ])('connect_rate: %s', (written, pace) => {
    expect(vipOf(`{ address: 10.0.0.100, connect_rate: ${written} }`)?.connectRate).toEqual(pace);
  });

  test('paths that are relative begin at the folder of the file', () => {
    const vip = vipOf('{ address: 10.0.0.100, track_file: run/track, notify_fifo: run/notify }');
    expect([vip?.trackFile, vip?.notifyFifo]).toEqual(['%/run/track', '%/run/notify']);
  });

  test.each([
    ['10.0.0.100/24', '10.0.0.100/24 has a prefix length | Write 10.0.0.100 here'],
    ['"2001:db8::1/64"', '2001:db8::1/64 has a prefix length | Write 2001:db8::1 here'],
    ['lb.example.com', 'lb.example.com is not a literal IP address | Write an address'],
    ['10.0.0.256', '10.0.0.256 is not a literal IP address'],
    ['"fe80::1%eth0"', 'fe80::1%eth0 is not a literal IP address'],
    ['0.0.0.0', '0.0.0.0 is not an address of one host'],
    ['224.0.0.18', '224.0.0.18 is not an address of one host'],
    ['[10.0.0.1, 10.0.0.1]', '10.0.0.1 is written twice | Remove one of them.'],
    ['[]', 'the list is empty'],
  ])('address: %s is wrong', (address, wrong) => {
    const wrongs = wrongsOf(text(`{ address: ${address} }`));
    expect(wrongs).toHaveLength(1);
    expect(wrongs[0]?.replaceAll('"', '')).toContain(wrong);
  });

  test('address must be there, and the two files must be two', () => {
    expect(wrongsOf(text('{ connect_rate: false }'))[0]).toContain('`address` is missing');
    expect(wrongsOf(text('{ address: 10.0.0.1, track_file: /run/a, notify_fifo: /run/a }'))[0]).toContain(
      'is the track file',
    );
    expect(wrongsOf(text('{ address: 10.0.0.1, connect_rate: true }'))).toHaveLength(1);
  });
});

describe('a reload', () => {
  const before = configOf(text('{ address: 10.0.0.100 }'));

  test('changes addresses and pace in place', () => {
    const after = configOf(text('{ address: [10.0.0.100, 10.0.0.101], connect_rate: false, connect_rate_for: 5s }'));
    const { changes, needsRestart, applicable } = diffConfig(before, after);
    expect(changes).toEqual([
      'global: vip: address 10.0.0.100 → 10.0.0.100, 10.0.0.101',
      'global: vip: connect_rate changed',
      'global: vip: connect_rate_for 1m → 5s',
    ]);
    expect(needsRestart).toEqual([]);
    expect(applicable.global.vip).toEqual(after.global.vip);
  });

  test('does not change the files', () => {
    const after = configOf(text('{ address: 10.0.0.101, track_file: /run/t, notify_fifo: /run/n }'));
    const { needsRestart, applicable } = diffConfig(before, after);
    expect(needsRestart.map(line => line.split(':').slice(0, 3).join(':'))).toEqual([
      'global: vip: track_file /run/limpet/track → /run/t',
      'global: vip: notify_fifo /run/limpet/notify → /run/n',
    ]);
    expect(applicable.global.vip).toMatchObject({ addresses: ['10.0.0.101'], trackFile: '/run/limpet/track' });
  });

  test.each([
    ['added', configOf(REST), before],
    ['removed', before, configOf(REST)],
  ])('vip %s: with the next start', (word, was, is) => {
    const { changes, needsRestart, applicable } = diffConfig(was, is);
    expect(changes).toEqual([]);
    expect(needsRestart[0]).toContain(`global: vip ${word}`);
    expect(applicable.global.vip).toEqual(was.global.vip);
  });
});
