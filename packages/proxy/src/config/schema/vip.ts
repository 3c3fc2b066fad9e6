import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import type { PaceConfig } from '../resolved.ts';
import type { Reading } from '../units.ts';
import { oneOrMore } from './list.ts';
import { takeoverPace } from './rate.ts';
import { duration, keyDoc, scalar, text, type Written } from './values.ts';

export interface RawVip {
  readonly address: readonly string[];
  readonly track_file: string;
  readonly notify_fifo: string;
  readonly connect_rate?: PaceConfig | null | undefined;
  readonly connect_rate_for: number;
}

const HOUR_MS = 3_600_000;
const REMEDY = 'Write an address: 10.0.0.100, 2001:db8::100.';

/** In the spelling of the kernel, as sockets and interfaces tell it. */
function readAddress(input: Written): Reading<string> {
  const written = String(input);
  const [address = '', ...prefix] = written.split('/');
  if (isIP(address) !== 0 && prefix.length > 0) {
    const remedy = `Write ${address} here, and the prefix where the address is given out (\`limpet keepalived --vip\`).`;
    return { ok: false, message: '{value} has a prefix length', remedy };
  }
  if (isIP(written) === 0 || written.includes('%')) {
    return { ok: false, message: '{value} is not a literal IP address', remedy: REMEDY };
  }
  const parsed = ipaddr.process(written);
  const range = parsed.range();
  if (range === 'unspecified' || range === 'multicast' || range === 'broadcast') {
    return { ok: false, message: '{value} is not an address of one host', remedy: REMEDY };
  }
  return { ok: true, value: parsed instanceof ipaddr.IPv6 ? parsed.toRFC5952String() : parsed.toString() };
}

const address = scalar('IP address', 'A virtual address.', readAddress);

export const vipSchema: z.ZodType<RawVip> = z
  .strictObject({
    address: oneOrMore(
      address,
      'IP address, or a list',
      'The virtual addresses, without prefix lengths. While one of them is on this host, the proxy is active.',
    ),
    track_file: text(
      'Limpet writes `0` there while it is ready, and `1` while it is not, for whoever moves the addresses ' +
        '(`vrrp_track_file` of keepalived). It is made at the start; its folder must be there.',
    ).prefault('/run/limpet/track'),
    notify_fifo: text(
      'A FIFO in which whoever moves the addresses says who is active (`vrrp_notify_fifo` of keepalived). It is made ' +
        'at the start; its folder must be there.',
    ).prefault('/run/limpet/notify'),
    connect_rate: takeoverPace(
      'The pace at which CONNECTs of all frontends together are let through after this proxy has become active, for ' +
        'then all devices come at once. `false`: none. `mode: mqtt` only.',
    ).optional(),
    connect_rate_for: duration('For so long `connect_rate` holds, and until nobody waits.', 1000, HOUR_MS).prefault(
      '60s',
    ),
  })
  .meta(keyDoc('mapping', 'This proxy is one of a pair behind virtual addresses; one of the two is active.'));
