/** What the doctor says of this host, by values. */
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/doctor/finding.ts';
import { judgeBacklog } from '../../../src/doctor/judge/backlog.ts';
import { judgeClock } from '../../../src/doctor/judge/clock.ts';
import { judgeConntrack } from '../../../src/doctor/judge/conntrack.ts';
import { judgeMachine, type Machine } from '../../../src/doctor/judge/machine.ts';
import { judgeOpenFiles, type OpenFiles } from '../../../src/doctor/judge/open_files.ts';
import { judgePorts, type Ports } from '../../../src/doctor/judge/ports.ts';
import { judgeRelay, type RelaySeen } from '../../../src/doctor/judge/relay.ts';
import { judgeTcpMemory } from '../../../src/doctor/judge/tcp_memory.ts';
import type { BrokerLoad, Load } from '../../../src/doctor/load.ts';

const LOAD: Load = { maxconn: 10_000, workers: 2, brokers: [], ports: [1883], entries: 0, hasTls: false };

/** `problem: what → remedy → remedy`, a line each. */
function told(findings: readonly Finding[]): string[] {
  return findings.map(({ level, what, remedies }) => [`${level}: ${what}`, ...remedies].join(' → '));
}

describe('open files', () => {
  const limit = (soft: number, hard = soft) => ({ soft, hard });
  const ROOMY: OpenFiles = { shell: limit(1024, 1e6), processes: [], nrOpen: 1e6, used: 1_000, fileMax: 1e7 };

  it('are enough where all workers together have two for each session', () => {
    // 2 workers with (10,224 - 128 - 2 × 48) / 2 each: 48 pipes are beyond the reserve.
    const just = { ...ROOMY, processes: [{ name: 'primary', limit: limit(10_224) }] };
    expect(judgeOpenFiles(just, LOAD).map(({ level }) => level)).toEqual(['ok', 'ok', 'ok']);
    const less = {
      ...ROOMY,
      processes: [
        { name: 'lb1/1', limit: limit(10_222) },
        { name: 'primary', limit: limit(1e6) },
      ],
    };
    expect(told(judgeOpenFiles(less, LOAD))[0]).toBe(
      'problem: the running proxy may open 10,222 files a process, with 2 workers enough for 9,998 sessions of 10,000 (global.maxconn)' +
        ' → systemctl edit limpet: [Service] LimitNOFILE=21024, then systemctl restart limpet' +
        ' → without systemd: ulimit -n 21024 before limpet run',
    );
  });

  it('of the shell count by their hard limit, and little where the proxy runs elsewhere', () => {
    expect(judgeOpenFiles({ ...ROOMY, shell: limit(1024, 4096) }, LOAD)[0]?.level).toBe('warning');
    const runs = { ...ROOMY, shell: limit(1024, 4096), processes: [{ name: 'primary', limit: limit(1e6) }] };
    expect(judgeOpenFiles(runs, LOAD).map(({ level }) => level)).toEqual(['ok', 'note', 'ok']);
    expect(judgeOpenFiles({ ...ROOMY, shell: limit(Number.POSITIVE_INFINITY) }, LOAD)[0]?.what).toContain(
      'any number of',
    );
  });

  it('of the kernel bound both', () => {
    const small = { ...ROOMY, nrOpen: 20_000, fileMax: 20_500 };
    expect(told(judgeOpenFiles(small, LOAD)).slice(1)).toEqual([
      'warning: fs.nr_open is 20,000: no limit can be raised above it, and 21,024 are needed → sysctl -w fs.nr_open=21024',
      'problem: fs.file-max lets this host open 20,500 files, 1,000 are in use, and 10,000 sessions need 20,000 → sysctl -w fs.file-max=42000',
    ]);
  });

  it('that cannot be read are notes', () => {
    const nothing = {
      shell: null,
      processes: [{ name: 'primary', limit: null }],
      nrOpen: null,
      used: null,
      fileMax: null,
    };
    expect(judgeOpenFiles(nothing, LOAD).map(({ level }) => level)).toEqual(['note', 'note']);
  });
});

describe('ports to brokers', () => {
  const USUAL: Ports = { range: [32_768, 60_999], reserved: '', reuse: 1 };
  const broker = (sessions: number, oneDown = sessions, sources = 0): BrokerLoad => ({
    ...{ name: 'emqx/emqx1', host: '10.0.0.1', port: 1883, sessions, oneDown, sources },
  });
  const judged = (ports: Partial<Ports>, ...brokers: BrokerLoad[]) =>
    told(judgePorts({ ...USUAL, ...ports }, { ...LOAD, brokers }));

  it.each<[name: string, findings: string[], expected: (string | RegExp)[]]>([
    ['enough', judged({}, broker(28_232)), [/^ok: .*28,232 connections to each broker and source address: enough/]],
    [
      'too few',
      judged({}, broker(28_233), broker(30_000)),
      [
        'problem: emqx/emqx1 can have 28,232 connections from here (port range 32768 to 60999), global.maxconn needs 28,233, and 1 other too' +
          ' → sysctl -w net.ipv4.ip_local_port_range="10240 65535"',
      ],
    ],
    [
      'too few while one is down',
      judged({}, broker(20_000, 30_000)),
      [/^warning: .*, while a broker is down, 30,000 /],
    ],
    ['two sources', judged({}, broker(50_000, 50_000, 2)), [/^ok: /]],
    [
      'more than there are ports',
      judged({ range: [1024, 65_535], reserved: '1883' }, broker(130_000)),
      [/^problem: .*64,511 connections.* → give emqx1 3 source addresses of this host: servers: \{ emqx1: \{/],
    ],
    [
      'two sources that suffice in a wider range',
      judged({}, broker(100_000, 100_000, 2)),
      [/^problem: .* 56,464 connections .*ip_local_port_range="10240 65535"$/],
    ],
    ['reserved ones', judged({ reserved: '40000-40099,50000\n' }, broker(28_131)), [/^ok: .* 28,131 connections/]],
    [
      'a bind in the range',
      judged({ range: [1024, 65_535], reserved: '8080-8090' }, broker(5)),
      [/^ok/, /^warning: .* the port 1883, .* → sysctl -w net.ipv4.ip_local_reserved_ports="8080-8090,1883"$/],
    ],
    ['ports that rest', judged({ reuse: 2 }, broker(5)), [/^ok/, /^note: net\.ipv4\.tcp_tw_reuse is 2/]],
    ['no configuration', judged({}), [/^note: .*-c FILE tells how many/]],
    [
      'not readable',
      told(judgePorts({ range: null, reserved: null, reuse: null }, LOAD)),
      [/^note: .*cannot be read$/],
    ],
  ])('%s', (_name, findings, expected) => {
    expect(findings).toEqual(expected.map(one => (typeof one === 'string' ? one : expect.stringMatching(one))));
  });
});

describe('conntrack', () => {
  it.each([
    [null, 'ok: not loaded'],
    [{ max: 20_000, count: 16_000 }, 'ok: room for 20,000 connections, 16,000 in use'],
    [{ max: 20_000, count: 16_001 }, 'warning: room for 20,000 connections, 16,001 in use (80%)'],
    [{ max: 19_999, count: null }, 'problem: room for 19,999 connections; 10,000 sessions need 20,000'],
  ])('%j', (conntrack, what) => {
    expect(told(judgeConntrack(conntrack, LOAD))[0]).toContain(what);
  });
});

describe('backlog', () => {
  const FULL = { somaxconn: 4096, synBacklog: 4096, synCookies: 1, netdev: 1000 };
  it.each([
    [FULL, 10_000, ['ok']],
    [{ ...FULL, somaxconn: 128 }, 10_000, ['warning']],
    [FULL, 100_000, ['note']],
    [{ ...FULL, somaxconn: 65_535 }, 10_000_000, ['ok']],
    [{ ...FULL, synBacklog: 128 }, 10_000, ['ok', 'note']],
    [{ ...FULL, synBacklog: 128, synCookies: 0 }, 10_000, ['ok', 'warning']],
    [{ ...FULL, netdev: 300 }, 10_000, ['ok', 'note']],
    [{ somaxconn: null, synBacklog: null, synCookies: null, netdev: null }, 10_000, ['note']],
  ])('%j for %d', (backlog, maxconn, levels) => {
    expect(judgeBacklog(backlog, { ...LOAD, maxconn }).map(({ level }) => level)).toEqual(levels);
  });
});

describe('TCP memory', () => {
  const of = (mostBytes: number | null) => ({
    mostBytes,
    pressureBytes: mostBytes,
    receiveBytes: 131_072,
    sendBytes: 16_384,
  });
  it.each([
    [20_000 * 16_384, 'ok'],
    [20_000 * 16_383, 'warning'],
    [20_000 * 4_095, 'problem'],
    [null, 'note'],
  ] as const)('%s is %s', (mostBytes, level) => {
    const [finding] = judgeTcpMemory(of(mostBytes), LOAD);
    expect(finding?.level).toBe(level);
    if (level === 'problem') expect(finding?.remedies).toEqual(['sysctl -w net.ipv4.tcp_mem="40000 60000 80000"']);
  });
});

describe('clock', () => {
  it.each([
    [{ synchronised: true, by: 'chronyc', redisAheadMs: null }, ['ok: set by the network (chronyc)']],
    [
      { synchronised: false, by: 'timedatectl', redisAheadMs: 0.4 },
      [/^warning: not set/, 'ok: that of Redis is the same'],
    ],
    [
      { synchronised: null, by: null, redisAheadMs: -3_600_000 },
      [/^note: nobody/, /^note: .* 3600000 ms behind: harmless/],
    ],
  ])('%j', (clock, expected) => {
    expect(told(judgeClock(clock))).toEqual(
      expected
        .map(one => (typeof one === 'string' ? one : expect.stringMatching(one)))
        .map(one => (typeof one === 'string' ? expect.stringContaining(one) : one)),
    );
  });
});

describe('the machine', () => {
  const PLENTY: Machine = {
    ...{
      node: 'v22.12.0',
      ownSockets: true,
      cpus: 2,
      cpuQuota: null,
      memoryBytes: 16e9,
      memoryLimitBytes: null,
      swapBytes: 0,
    },
  };
  const levels = (machine: Partial<Machine>, load: Partial<Load> = {}) =>
    judgeMachine({ ...PLENTY, ...machine }, { ...LOAD, ...load }).map(({ check, level }) => `${check} ${level}`);

  it.each<[Partial<Machine>, Partial<Load>, string[]]>([
    [{}, {}, ['Node.js ok', 'processors ok', 'memory ok']],
    [{ node: 'v20.20.2' }, {}, ['Node.js ok', 'processors ok', 'memory ok']],
    [{ node: 'v20.20.2', ownSockets: false }, {}, ['Node.js note', 'processors ok', 'memory ok']],
    [{}, { workers: 3 }, ['Node.js ok', 'processors warning', 'memory ok']],
    [{}, { workers: 1 }, ['Node.js ok', 'processors note', 'memory ok']],
    [{ cpuQuota: 0.5 }, {}, ['Node.js ok', 'processors warning', 'memory ok']],
    [{ memoryLimitBytes: 789e6 }, {}, ['Node.js ok', 'processors ok', 'memory warning']],
    [{ memoryLimitBytes: 395e6, swapBytes: 1e9 }, {}, ['Node.js ok', 'processors ok', 'memory problem', 'memory note']],
    [{ memoryLimitBytes: 791e6 }, {}, ['Node.js ok', 'processors ok', 'memory ok']],
    [{ memoryLimitBytes: 791e6 }, { hasTls: true }, ['Node.js ok', 'processors ok', 'memory warning']],
    [{ memoryBytes: null }, {}, ['Node.js ok', 'processors ok', 'memory note']],
  ])('%j %j', (machine, load, expected) => {
    expect(levels(machine, load)).toEqual(expected);
  });

  it('with too little memory is told for how many it suffices', () => {
    const [finding] = judgeMachine({ ...PLENTY, memoryBytes: 1e9 }, { ...LOAD, maxconn: 100_000 }).slice(2);
    expect(finding?.what).toBe('100,000 idle sessions need about 2.3 GB, this host has 1.0 GB');
    expect(finding?.remedies[0]).toContain('maxconn: 14000 }');
  });
});

describe('the relay', () => {
  const of = (kind: 'runs' | 'would run', words: string): RelaySeen => ({ kind, words, build: 'node build.mjs' });
  it.each<[RelaySeen, string]>([
    [of('runs', 'native'), 'ok: native runs'],
    [of('would run', 'native'), 'ok: native would run'],
    [of('runs', 'node: as global.relay says'), 'ok: node runs: as global.relay says'],
    [
      of('runs', 'node: the addon was not built (a.cc:1:2: error: x)'),
      'note: node runs: the addon was not built (a.cc:1:2: error: x) → apt-get install g++ make python3 → node build.mjs → systemctl restart limpet',
    ],
    [
      { kind: 'none', why: 'no CPU 9', remedy: 'name others' },
      'problem: a proxy would not start here: no CPU 9 → name others',
    ],
  ])('%j', (seen, expected) => {
    expect(told(judgeRelay(seen))).toEqual([expected]);
  });
});
