import { describe, expect, it } from 'vitest';
import { neighboursIn } from '../../src/host/prober.ts';

const routes = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\tFE00000A\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth1\t00000000\t0100A8C0\t0003\t0\t0\t9\t00000000\t0\t0\t0
`;
const arp = `IP address       HW type     Flags       HW address            Mask     Device
10.0.0.2         0x1         0x2         02:00:00:00:00:02     *        eth0
10.0.0.3         0x1         0x0         00:00:00:00:00:00     *        eth0
10.0.0.254       0x1         0x2         02:00:00:00:00:fe     *        eth0
192.168.0.7      0x1         0x2         02:00:00:00:00:07     *        eth1
10.0.0.4         0x1         0x6         02:00:00:00:00:04     *        eth0
10.0.0.5         0x1         0x2         02:00:00:00:00:05     *        eth0
10.0.0.6         0x1         0x2         02:00:00:00:00:06     *        eth0
`;

describe('the neighbours that are asked', () => {
  it('are the gateway and a few that the kernel has resolved, each once', () => {
    expect(neighboursIn('eth0', routes, arp)).toEqual(['10.0.0.254', '10.0.0.2', '10.0.0.4', '10.0.0.5']);
  });

  it('are those of the interface', () => {
    expect(neighboursIn('eth1', routes, arp)).toEqual(['192.168.0.1', '192.168.0.7']);
    expect(neighboursIn('eth2', routes, arp)).toEqual([]);
    expect(neighboursIn('eth0', '', '')).toEqual([]);
  });
});
