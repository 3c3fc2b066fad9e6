import { describe, expect, it } from 'vitest';
import { keepalivedConf } from '../../../src/keepalived/conf.ts';
import { type HostPlan, type Planned, planHost, planPeer, type Wanted } from '../../../src/keepalived/host_plan.ts';
import { virtualAddress } from '../../../src/keepalived/words.ts';

const WANTED: Wanted = {
  name: 'limpet',
  vips: [virtualAddress('10.0.0.100/24')],
  interfaceName: 'eth0',
  trackInterfaces: [],
  address: '10.0.0.1',
  peer: '10.0.0.2',
  transport: null,
  priority: null,
  routerId: null,
  advertMs: 200,
  trackFile: '/run/limpet/track',
  notifyFifo: '/run/limpet/notify',
};

function vips(...texts: string[]): Pick<Wanted, 'vips'> {
  return { vips: texts.map(virtualAddress) };
}

function value(plan: Planned<HostPlan>): HostPlan {
  if (!plan.ok) throw new Error(plan.message);
  return plan.value;
}

/** What keepalived reads: no comments, no empty lines, no indentation. */
function settings(wanted: Partial<Wanted>): string[] {
  const lines = keepalivedConf(value(planHost({ ...WANTED, ...wanted }))).split('\n');
  return lines.map(line => line.trim()).filter(line => line !== '' && !line.startsWith('#'));
}

describe('the priorities', () => {
  it.each<[string, string, number, number]>([
    ['10.0.0.1', '10.0.0.2', 250, 230],
    ['10.0.0.2', '10.0.0.1', 230, 250],
    ['10.0.0.9', '10.0.0.10', 250, 230],
    ['192.168.0.1', '10.0.0.1', 230, 250],
    ['fd00::1', 'fd00::2', 250, 230],
  ])('of %s and %s, without being told', (address, peer, mine, other) => {
    const wanted = { ...WANTED, ...vips('10.0.0.100/24', 'fd00::100/64'), address, peer };
    expect([value(planHost(wanted)).priority, value(planPeer(wanted)).priority]).toEqual([mine, other]);
    const there = { ...wanted, address: peer, peer: address };
    expect(value(planHost(there))).toEqual(value(planPeer(wanted)));
  });

  it.each([
    [254, 234],
    [21, 1],
    [20, 40],
    [1, 21],
  ])('with %i given, the other host gets %i', (priority, other) => {
    expect(value(planPeer({ ...WANTED, priority })).priority).toBe(other);
  });
});

describe('the router id', () => {
  it.each([
    [['10.0.0.100/24'], 100],
    [['10.0.1.0/16'], 255],
    [['10.0.0.7/24', '10.0.0.8/24'], 7],
    [['fd00::1:64/64', '10.0.0.7/24'], 0x64],
    [['fd00::1:200/64', '10.0.0.7/24'], 255],
    [['fd00:1::/64', '10.0.0.7/24'], 255],
  ])('of %s', (texts, id) => {
    expect(value(planHost({ ...WANTED, ...vips(...texts) })).routerId).toBe(id);
  });
});

describe('what cannot be', () => {
  const cases: [string, Partial<Wanted>, RegExp][] = [
    ['its own address', vips('10.0.0.1/24'), /--vip 10.0.0.1 is this host's own address/],
    ["the peer's", vips('10.0.0.2/24'), /--vip 10.0.0.2 is --peer too/],
    ['twice', vips('10.0.0.9/24', '10.0.0.9/32'), /10.0.0.9 stands twice/],
    ['itself as peer', { peer: '10.0.0.1' }, /--peer 10.0.0.1 is this host's own address/],
    ['two families', { peer: 'fd00::2' }, /different families/],
    ['no peer', { peer: null }, /--peer is missing/],
    ['no address', { address: null }, /--address is missing/],
    ['no priorities', { transport: 'multicast', peer: null }, /--priority is missing/],
    ['only the other family', vips('fd00::100/64'), /no --vip is IPv4/],
  ];
  it.each(cases)('%s', (_, wanted, message) => {
    const plan = planHost({ ...WANTED, ...wanted });
    expect(plan.ok ? '' : plan.message).toMatch(message);
  });
});

describe('the file', () => {
  it('of one address, unicast', () => {
    expect(settings({})).toEqual(
      expect.arrayContaining(['vrrp_version 3', 'state BACKUP', 'nopreempt', 'advert_int 0.2', 'priority 250']),
    );
    expect(settings({})).toEqual(expect.arrayContaining(['unicast_src_ip 10.0.0.1', '10.0.0.2 min_ttl 255']));
    expect(settings({}).slice(-4)).toEqual(['virtual_ipaddress {', '10.0.0.100/24 dev eth0', '}', '}']);
  });

  it('names the other family apart, and a link-local address first', () => {
    const both = settings(vips('10.0.0.100/24', 'fd00::100/64'));
    expect(both.slice(-4)).toEqual(['virtual_ipaddress_excluded {', 'fd00::100/64 dev eth0 preferred_lft 0', '}', '}']);
    const six = { ...vips('fd00::100/64', 'fe80::64/64', '10.0.0.100/24'), address: 'fd00::1', peer: 'fd00::2' };
    const lines = settings(six);
    const at = lines.indexOf('virtual_ipaddress {');
    expect(lines.slice(at + 1, at + 3).map(line => line.split(' ')[0])).toEqual(['fe80::64/64', 'fd00::100/64']);
  });

  it('by multicast', () => {
    const lines = settings({ transport: 'multicast', peer: null, priority: 240 });
    expect(lines).toContain('mcast_src_ip 10.0.0.1');
    expect(lines.filter(line => line.includes('unicast'))).toEqual([]);
  });

  it('tells its guard what it needs', () => {
    const conf = keepalivedConf(value(planHost({ ...WANTED, ...vips('10.0.0.100/24', 'fd00::100/64') })));
    expect(conf.match(/^# limpet-.*$/gm)).toEqual([
      '# limpet-instance: limpet',
      '# limpet-track: /run/limpet/track',
      '# limpet-fifo: /run/limpet/notify',
      '# limpet-vip: 10.0.0.100/24 dev eth0',
      '# limpet-vip: fd00::100/64 dev eth0',
    ]);
  });

  it.each([
    [200, 250, '604.7', '4.7'],
    [200, 230, '620.3', '20.3'],
    [20, 250, '60.5', '0.5'],
  ])('with an advert each %i ms and priority %i says when it takes over', (advertMs, priority, silence, farewell) => {
    const conf = keepalivedConf(value(planHost({ ...WANTED, advertMs, priority })));
    expect(conf).toContain(`This host takes over ${silence} ms after`);
    expect(conf).toContain(`or ${farewell} ms after`);
  });
});
