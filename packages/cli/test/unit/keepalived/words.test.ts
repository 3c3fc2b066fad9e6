import { describe, expect, it } from 'vitest';
import {
  advertInterval,
  hostAddress,
  instanceName,
  interfaceName,
  plainPath,
  virtualAddress,
} from '../../../src/keepalived/words.ts';

type Read = (text: string) => unknown;

describe('what people write for a pair', () => {
  it.each<[Read, string, unknown]>([
    [virtualAddress, '10.0.0.100/24', { address: '10.0.0.100', prefix: 24, family: 4 }],
    [virtualAddress, '10.0.0.0/31', { address: '10.0.0.0', prefix: 31, family: 4 }],
    [virtualAddress, '10.0.0.255/16', { address: '10.0.0.255', prefix: 16, family: 4 }],
    [virtualAddress, '10.0.0.100/32', { address: '10.0.0.100', prefix: 32, family: 4 }],
    [virtualAddress, '2001:DB8:0:0::64/64', { address: '2001:db8::64', prefix: 64, family: 6 }],
    [virtualAddress, 'fe80::1/128', { address: 'fe80::1', prefix: 128, family: 6 }],
    [hostAddress, '10.0.0.2', '10.0.0.2'],
    [hostAddress, '2001:db8:0::2', '2001:db8::2'],
    [interfaceName, 'eth0', 'eth0'],
    [interfaceName, 'enp0s31f6.100', 'enp0s31f6.100'],
    [advertInterval, '200ms', 200],
    [advertInterval, '0.02s', 20],
    [advertInterval, '1s', 1_000],
    [advertInterval, '10ms', 10],
    [advertInterval, '40.95s', 40_950],
    [plainPath, '/run/limpet/track', '/run/limpet/track'],
    [instanceName, 'limpet_1', 'limpet_1'],
  ])('%o %s', (read, text, value) => {
    expect(read(text)).toEqual(value);
  });

  it.each<[Read, string, RegExp]>([
    [virtualAddress, '10.0.0.100', /with the prefix of its network, as in 10.0.0.100\/24/],
    [virtualAddress, '10.0.0.100/', /with the prefix/],
    [virtualAddress, '10.0.0.100/33', /from 1 to 32/],
    [virtualAddress, '10.0.0.100/0', /from 1 to 32/],
    [virtualAddress, 'fd00::1/129', /from 1 to 128/],
    [virtualAddress, '10.0.0.0/24', /first or the last address of its network/],
    [virtualAddress, '10.0.0.255/24', /first or the last address/],
    [virtualAddress, '127.0.0.1/8', /loopback/],
    [virtualAddress, '224.0.0.18/4', /multicast group/],
    [virtualAddress, '0.0.0.1/8', /no address/],
    [virtualAddress, 'ff02::12/64', /multicast group/],
    [virtualAddress, '::1/128', /loopback/],
    [virtualAddress, '::/64', /no address/],
    [virtualAddress, '::ffff:10.0.0.1/128', /IPv4 address in the spelling of IPv6/],
    [virtualAddress, 'fe80::1%eth0/64', /without %/],
    [hostAddress, 'lb2', /literal address/],
    [hostAddress, '10.0.0.300', /literal address/],
    [hostAddress, '10.0.0.2/24', /without a prefix: 10.0.0.2\./],
    [hostAddress, '250.0.0.1', /reserved/],
    [interfaceName, 'eth0:1', /the label of an address. Write the interface: eth0/],
    [interfaceName, 'a234567890123456', /at most 15/],
    [interfaceName, 'eth 0', /at most 15/],
    [interfaceName, '', /at most 15/],
    [advertInterval, '200', /with its unit/],
    [advertInterval, '9ms', /10ms to 40.95s/],
    [advertInterval, '41s', /10ms to 40.95s/],
    [advertInterval, '25ms', /steps of 10ms. Write 30ms/],
    [advertInterval, '0.123s', /Write 120ms/],
    [plainPath, 'track', /absolute path/],
    [plainPath, '/run/lim"pet', /absolute path/],
    [plainPath, '/run/a b', /absolute path/],
    [plainPath, '/run/$X', /absolute path/],
    [instanceName, 'a b', /1 to 32 letters/],
    [instanceName, '', /1 to 32 letters/],
  ])('%o refuses %s', (read, text, expected) => {
    expect(() => read(text)).toThrow(expected);
  });
});
