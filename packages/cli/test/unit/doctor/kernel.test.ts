/** What the kernel and other programs write, read. */
import { describe, expect, it } from 'vitest';
import { synchronisedBy } from '../../../src/doctor/read/clock.ts';
import { fileLimit } from '../../../src/doctor/read/kernel.ts';
import { groupFolders } from '../../../src/doctor/read/machine.ts';
import { rangesOf } from '../../../src/doctor/read/redis_cluster.ts';
import { masterOf } from '../../../src/doctor/read/redis_sentinel.ts';

it.each([
  ['Max open files            1024                 524288               files', { soft: 1024, hard: 524_288 }],
  [
    'Max open files            1024                 unlimited            files',
    { soft: 1024, hard: Number.POSITIVE_INFINITY },
  ],
  ['Max processes             9                    9                    processes', null],
  [null, null],
])('limits: %s', (line, limit) => {
  expect(fileLimit(line === null ? null : `Limit  Soft Limit  Hard Limit  Units\n${line}\n`)).toEqual(limit);
});

describe('control groups', () => {
  it('of version 2 have limits at each height', () => {
    expect(groupFolders('0::/system.slice/limpet.service\n')).toEqual([
      '/sys/fs/cgroup',
      '/sys/fs/cgroup/system.slice',
      '/sys/fs/cgroup/system.slice/limpet.service',
    ]);
  });
  it('of version 1 have a tree for each kind', () => {
    expect(groupFolders('9:name=systemd:/\n4:memory:/a\n3:cpuset:/\n2:cpu,cpuacct:/b\nnonsense')).toEqual([
      '/sys/fs/cgroup/memory',
      '/sys/fs/cgroup/memory/a',
      '/sys/fs/cgroup/cpu,cpuacct',
      '/sys/fs/cgroup/cpu,cpuacct/b',
    ]);
  });
});

it.each([
  ['NTP=yes\nNTPSynchronized=yes\n', '', { synchronised: true, by: 'timedatectl' }],
  ['NTPSynchronized=no\n', '', { synchronised: false, by: 'timedatectl' }],
  ['NTPSynchronized=no\n', 'Leap status     : Normal\n', { synchronised: true, by: 'chronyc' }],
  ['', 'Leap status     : Not synchronised\n', { synchronised: false, by: 'chronyc' }],
  ['Failed to connect to bus', '506 Cannot talk to daemon', null],
])('clocks: %j %j', (systemd, chrony, expected) => {
  expect(synchronisedBy(systemd, chrony)).toEqual(expected);
});

it('reads who serves the slots of a cluster', () => {
  const replica = ['10.0.0.2', 6379, 'id', []];
  const reply = [
    [0, 5460, ['10.0.0.1', 6379, 'id', []], replica, replica],
    [5461, 16_383, ['', 6380, 'id', []]],
    ['nonsense'],
    null,
  ];
  expect(rangesOf(reply, '10.9.9.9')).toEqual([
    { slots: 5461, master: { host: '10.0.0.1', port: 6379 } },
    { slots: 10_923, master: { host: '10.9.9.9', port: 6380 } },
  ]);
  expect(rangesOf(null, 'x')).toEqual([]);
});

it('finds the master that a sentinel names', () => {
  const answer = { place: 'a:1', trouble: null, quorumTrouble: null };
  expect(
    masterOf([
      { ...answer, master: null },
      { ...answer, master: 'fd00::1:6379' },
    ]),
  ).toEqual({ host: 'fd00::1', port: 6379 });
  expect(masterOf([{ ...answer, master: null }])).toBeNull();
});
