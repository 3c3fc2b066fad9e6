/** What the doctor says of proxies, brokers, the virtual address and the configuration, and how it is printed. */
import { loadConfig } from '@limpet/proxy';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { snapshotFacts } from '../../../../proxy/test/kit/admin_facts.ts';
import { makeDirectory } from '../../../../proxy/test/kit/directory.ts';
import type { Finding } from '../../../src/doctor/finding.ts';
import { judgeBrokers } from '../../../src/doctor/judge/brokers.ts';
import { judgeConfig } from '../../../src/doctor/judge/config.ts';
import { judgeProxy } from '../../../src/doctor/judge/proxy.ts';
import { judgeVip, type Vip } from '../../../src/doctor/judge/vip.ts';
import { loadOf } from '../../../src/doctor/load.ts';
import { reportLines, wrapped } from '../../../src/doctor/report.ts';
import { PLAIN } from '../../../src/output/paint.ts';
import { overviewOf } from '../overview.ts';

function told(findings: readonly Finding[]): string[] {
  return findings.map(({ level, what }) => `${level}: ${what}`);
}

describe('proxies', () => {
  const { info, proxies } = overviewOf(snapshotFacts());
  const [self, other] = proxies;
  if (self === undefined || other === undefined) throw new Error('the facts have a pair');
  const judged = (pair: typeof proxies, changes: Partial<typeof info> = {}) =>
    told(judgeProxy({ kind: 'runs', info: { ...info, ...changes }, proxies: pair }, '0.1.0')).slice(1);
  const alive = { ...other, state: 'alive', version: '0.1.0' } as const;

  it.each<[string, string[], RegExp[]]>([
    ['a pair', judged([self, alive]), [/^ok: lb1 is active for 10\.0\.0\.100, 1 stand by$/]],
    [
      'a standby that is not ready',
      judged([self, { ...alive, ready: false }]),
      [/^ok: lb1 is active .* 1 stand by$/, /^warning: lb2 stands by and is not ready: it cannot take over$/],
    ],
    ['none but this one', judged([{ ...self, vip: [] }]), []],
    [
      'a silent one',
      judged([self, { ...alive, state: 'silent' }]),
      [/^warning: lb2 .* silent for 12 s$/, /^warning: lb1 is alone/],
    ],
    [
      'two active ones',
      judged([self, { ...alive, role: 'active' }]),
      [/^problem: lb1 and lb2 are both active for 10\.0\.0\.100/],
    ],
    ['no active one', judged([{ ...self, role: 'standby' }, alive]), [/^problem: nobody is active/]],
    [
      'two versions',
      judged([
        { ...self, vip: [] },
        { ...alive, vip: [], version: '0.0.9' },
      ]),
      [/^note: .* 0\.1\.0, 0\.0\.9/],
    ],
    [
      'another program',
      judged([{ ...self, vip: [] }], { version: '0.0.9' }),
      [/^note: lb1 is version 0\.0\.9, this program 0\.1\.0$/],
    ],
    [
      'a refused reload',
      judged([{ ...self, vip: [] }], { last_reload: { at_ms: 1, ok: false, summary: 'x' } }),
      [/^warning: its last reload/],
    ],
  ])('%s', (_name, findings, expected) => {
    expect(findings).toEqual(expected.map(one => expect.stringMatching(one)));
  });

  it('none', () => {
    expect(told(judgeProxy({ kind: 'away', why: 'nobody listens' }, '1'))).toEqual([
      'note: none is asked: nobody listens',
    ]);
  });
});

it.each<[string, (string | null)[], RegExp[]]>([
  ['all are there', [null, null], [/^ok: 2 brokers can be connected to, the slowest in 1\.5 ms$/]],
  ['one is away', ['ECONNREFUSED', null], [/^warning: b\/s0 \(h:1\) cannot be connected to: nobody listens there$/]],
  [
    'all are away',
    ['timeout', 'EPIPE'],
    [/^problem: b\/s0 .*: no answer within 2 s; no broker/, /^problem: b\/s1 .*: EPIPE; /],
  ],
  ['there are none', [], []],
])('brokers: %s', (_name, troubles, expected) => {
  const answers = troubles.map((trouble, at) => ({ name: `b/s${at}`, place: 'h:1', trouble, ms: 1.5 }));
  expect(told(judgeBrokers(answers))).toEqual(expected.map(one => expect.stringMatching(one)));
});

it('configurations: what check says, and a word where there is none', () => {
  expect(judgeConfig({ kind: 'none' }).map(({ level }) => level)).toEqual(['note']);
  expect(told(judgeConfig({ kind: 'right', path: 'a.yaml', warnings: [] }))).toEqual(['ok: a.yaml is right']);
  expect(told(judgeConfig({ kind: 'wrong', path: 'a.yaml', problems: ['a.yaml:1:1: bad\n    Mend it.'] }))).toEqual([
    'problem: a.yaml:1:1: bad; Mend it.',
  ]);
});

describe('a virtual address', () => {
  const TEXT = `
global_defs {
  vrrp_version 3   # below a second
  vrrp_notify_fifo /run/limpet/notify
}
track_file limpet { file /run/limpet/track }
vrrp_instance limpet {
  nopreempt
  virtual_ipaddress {
    10.0.0.100/24 dev eth0
  }
}
`;
  const GOOD: Vip = {
    addresses: ['10.0.0.100'],
    trackFile: { path: '/run/limpet/track', kind: 'file', text: '0\n' },
    notifyFifo: { path: '/run/limpet/notify', kind: 'fifo', text: null },
    ...{ keepalived: '2.2.7', conf: { path: 'k.conf', text: TEXT, trouble: null }, confTrouble: null, hasOwn: false },
    tools: [{ name: 'arping', from: 'iputils-arping', isThere: true, isNeeded: true }],
  };
  const conf = (text: string | null, trouble: string | null = null): Partial<Vip> => ({
    conf: { path: 'k.conf', text, trouble },
  });
  const missing = { name: 'arping', from: 'iputils-arping', isThere: false, isNeeded: true };

  it.each<[string, Partial<Vip>, RegExp[]]>([
    ['is well', {}, []],
    ['is not configured', { addresses: [], keepalived: null }, []],
    ['nobody moves', { keepalived: null }, [/^problem: nobody moves it/]],
    ['is moved by an old keepalived', { keepalived: '1.3.9' }, [/^problem: keepalived 1\.3\.9 is older than 2\.0/]],
    ['has no file', conf(null), [/^problem: there is no k\.conf$/]],
    ['has a file that may not be read', conf(null, 'it may not be opened'), [/^note: k\.conf cannot be read/]],
    [
      'is refused by keepalived',
      { confTrouble: '(k.conf: Line 3) Unknown keyword' },
      [/^problem: keepalived -t refuses k\.conf: \(k/],
    ],
    ['is another one there', { addresses: ['10.0.0.10'] }, [/^problem: k\.conf does not move 10\.0\.0\.10 /]],
    ['is in a comment only', conf(TEXT.replace('10.0.0.100', '! 10.0.0.100')), [/^problem: k\.conf does not move/]],
    ['comes back by itself', conf(TEXT.replace('nopreempt', '# nopreempt')), [/^warning: .* nopreempt/]],
    ['is moved by VRRP 2', conf(TEXT.replace('vrrp_version 3', 'vrrp_version 2')), [/^warning: .* version 3/]],
    ['is not told of a dead Limpet', conf(TEXT.replace('/run/limpet/track', '/x')), [/^problem: .* does not watch/]],
    ['moves silently', conf(TEXT.replace('/run/limpet/notify', '/x')), [/^problem: .* does not write to/]],
    ['does not come here', { trackFile: { ...GOOD.trackFile, text: '1\n' } }, [/^note: .* is not ready \(1\)/]],
    [
      'has no track file',
      { trackFile: { ...GOOD.trackFile, kind: null } },
      [/^warning: \/run\/limpet\/track is not there/],
    ],
    [
      'has a folder there',
      { trackFile: { ...GOOD.trackFile, kind: 'other' } },
      [/^problem: \/run\/limpet\/track is no file/],
    ],
    [
      'has a file for a FIFO',
      { notifyFifo: { ...GOOD.notifyFifo, kind: 'file' } },
      [/^problem: \/run\/limpet\/notify is no FIFO/],
    ],
    ['is moved by limpet vip', { hasOwn: true, keepalived: null }, []],
    [
      'is moved by limpet vip, without tools',
      { hasOwn: true, tools: [missing] },
      [/^problem: limpet vip calls arping/],
    ],
  ])('%s', (_name, changes, expected) => {
    const found = judgeVip({ ...GOOD, ...changes }).filter(({ level }) => level !== 'ok');
    expect(told(found)).toEqual(expected.map(one => expect.stringMatching(one)));
  });
});

it('a load: equal parts of maxconn for each broker, more while one is down; backups stand in', async () => {
  await using directory = await makeDirectory('doctor');
  const servers =
    'a: 10.0.0.1:1883\n      b: { address: 10.0.0.2:1883, maxconn: 10 }\n      c: { address: 10.0.0.3:1883, backup: true }';
  const yaml = `global: { maxconn: 1000 }\nfrontends:\n  mqtt: { bind: ["*:1883", "*:8883"], default_backend: emqx }\nbackends:\n  emqx:\n    servers:\n      ${servers}\n`;
  const result = loadConfig(directory.write('limpet.yaml', yaml), {});
  if (!result.ok) throw new Error('it is right');
  const { brokers, ports, entries } = loadOf(result.config);
  expect(brokers.map(({ name, sessions, oneDown }) => [name, sessions, oneDown])).toEqual([
    ['emqx/a', 500, 1000],
    ['emqx/b', 10, 10],
    ['emqx/c', 500, 1000],
  ]);
  expect(ports).toEqual([1883, 8883]);
  expect(entries).toBe(102_400);
});

describe('the report', () => {
  const finding = (changes: Partial<Finding>): Finding => ({
    check: 'ports',
    level: 'ok',
    what: 'fine',
    remedies: [],
    ...changes,
  });

  it('has a line a finding, its remedies below, and the sums', () => {
    const findings = [
      finding({}),
      finding({ check: 'open files', level: 'problem', what: 'too few', remedies: ['ulimit -n 5', 'sysctl -w a=1'] }),
    ];
    expect(reportLines({ configPath: 'a.yaml', proxy: 'lb1', findings }, 80, PLAIN)).toEqual([
      'limpet doctor: a.yaml, proxy lb1',
      '',
      'ok       ports       fine',
      'problem  open files  too few',
      '                     → ulimit -n 5',
      '                     → sysctl -w a=1',
      '',
      'To keep what sysctl -w sets: NAME=VALUE, a line each, in /etc/sysctl.d/60-limpet.conf.',
      '1 problem, 1 ok',
    ]);
  });

  it('is no wider than the terminal, and what others have said does nothing to it', () => {
    const what = `${'word '.repeat(40)}\u001b[2J\u202e\n`;
    const lines = reportLines({ configPath: null, proxy: null, findings: [finding({ what })] }, 60, PLAIN);
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(60);
    expect(lines.join('\n')).toContain('\\x1b[2J\\xe2\\x80\\xae\\x0a');
    expect(wrapped('a b', 1)).toEqual(['a b']);
  });
});
