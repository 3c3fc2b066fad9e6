import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, test } from 'vitest';
import { compileAccess } from '../../../src/gate/access.ts';
import { CidrSet } from '../../../src/gate/cidr.ts';

describe('a set of networks', () => {
  test.each([
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['::ffff:10.0.0.0/104', '10.1.2.3', true],
    ['::ffff:0:0/96', '192.0.2.1', true],
    ['10.1.2.3/8', '10.9.9.9', true],
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['255.255.255.255/32', '255.255.255.255', true],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '2001:db8::1', true],
    ['::/0', '10.0.0.1', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['2001:DB8::1', '2001:db8:0:0:0:0:0:1', true],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['10.0.0.0/8', '', false],
    ['0.0.0.0/0', 'localhost', false],
  ])('%s and %s: %s', (cidr, address, expected) => {
    expect(new CidrSet([cidr]).has(address)).toBe(expected);
  });

  test.each([
    '',
    'localhost',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '10/8',
    '0x0a.0.0.1',
    '::/129',
    '::ffff:10.0.0.0/95',
  ])('refuses %j', cidr => {
    expect(() => new CidrSet([cidr])).toThrow(expect.objectContaining({ code: 'BAD_CIDR' }));
  });

  test('agrees with a search through all of them, however many', () => {
    const byte = fc.integer({ min: 0, max: 3 });
    const v4 = fc.tuple(byte, byte, byte, byte).map(bytes => bytes.join('.'));
    const v6 = fc.tuple(byte, byte, byte, byte).map(([a, b, c, d]) => `200${a}:${b}::${c}:${d}`);
    const cidr = fc.oneof(
      fc.tuple(v4, fc.integer({ min: 0, max: 32 })).map(parts => parts.join('/')),
      fc.tuple(v6, fc.integer({ min: 0, max: 128 })).map(parts => parts.join('/')),
    );
    fc.assert(
      fc.property(fc.array(cidr, { maxLength: 50 }), fc.oneof(v4, v6), (cidrs, address) => {
        const one = ipaddr.parse(address);
        const found = cidrs.some(each => {
          const [network, length] = ipaddr.parseCIDR(each);
          return network.kind() === one.kind() && one.match([network, length] as never);
        });
        expect(new CidrSet(cidrs).has(address)).toBe(found);
      }),
    );
  });
});

describe('allow and deny', () => {
  test.each([
    ['nothing', [], [], '192.0.2.1', 'allowed'],
    ['allow', ['192.0.2.0/24'], [], '192.0.2.1', 'allowed'],
    ['allow, and another', ['192.0.2.0/24'], [], '198.51.100.1', 'not_allowed'],
    ['allow of the other family only', ['2001:db8::/32'], [], '192.0.2.1', 'not_allowed'],
    ['deny', [], ['192.0.2.0/24'], '192.0.2.1', 'denied'],
    ['deny, and another', [], ['192.0.2.0/24'], '198.51.100.1', 'allowed'],
    ['both: deny is first', ['192.0.2.0/24'], ['192.0.2.1'], '192.0.2.1', 'denied'],
    ['both: what deny leaves', ['192.0.2.0/24'], ['192.0.2.1'], '192.0.2.2', 'allowed'],
  ])('%s', (_what, allow, deny, source, expected) => {
    expect(compileAccess({ allow, deny })(source)).toBe(expected);
  });
});
