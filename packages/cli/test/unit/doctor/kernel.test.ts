/** What the kernel and other programs write, read. */
import { describe, expect, it } from 'vitest';
import { synchronisedBy } from '../../../src/doctor/read/clock.ts';
import { fileLimit } from '../../../src/doctor/read/kernel.ts';
import { groupFolders } from '../../../src/doctor/read/machine.ts';
import { membersOf } from '../../../src/doctor/read/redis_cluster.ts';
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

it('reads the members of a cluster', () => {
  const text = [
    'aaa 10.0.0.1:6379@16379 myself,master - 0 0 1 connected 0-5460',
    'bbb :6380@16380,host2 master,fail? - 0 0 2 connected 5461-10922 [93-<-ccc]',
    'ccc fd00::3:6379@16379 slave aaa 0 0 1 connected',
    'ddd :0@0 master,noaddr - 0 0 3 disconnected',
    'nonsense',
    '',
  ].join('\n');
  expect(membersOf(text, '10.9.9.9')).toEqual([
    {
      id: 'aaa',
      masterId: '-',
      place: { host: '10.0.0.1', port: 6379 },
      isMaster: true,
      isFailing: false,
      hasSlots: true,
    },
    {
      id: 'bbb',
      masterId: '-',
      place: { host: '10.9.9.9', port: 6380 },
      isMaster: true,
      isFailing: true,
      hasSlots: true,
    },
    {
      id: 'ccc',
      masterId: 'aaa',
      place: { host: 'fd00::3', port: 6379 },
      isMaster: false,
      isFailing: false,
      hasSlots: false,
    },
    {
      id: 'ddd',
      masterId: '-',
      place: { host: '10.9.9.9', port: 0 },
      isMaster: true,
      isFailing: true,
      hasSlots: false,
    },
  ]);
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
