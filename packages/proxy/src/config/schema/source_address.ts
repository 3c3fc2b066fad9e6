import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import type { Reading } from '../units.ts';
import { oneOrMore } from './list.ts';
import { keyDoc, type Meaning, scalar, type Written } from './values.ts';

const REMEDY = 'Write literal addresses of this host, without ports: 10.0.0.11, or [10.0.0.11, 10.0.0.12].';
const MEANING =
  'Addresses of this host that connections to the server begin at, in turn. Each has a range of ports of its own, so each ' +
  'adds some 27,000 connections to every server. Checks come from the first one. `false`: the kernel chooses.';
/** What no connection can begin at. */
const NO_SOURCE: ReadonlySet<string> = new Set(['unspecified', 'multicast', 'broadcast']);

/** Of an IPv4-mapped address it is the IPv4 address, which is what the kernel makes of it. */
function readSource(input: Written): Reading<string> {
  const written = String(input).trim();
  if (isIP(written) === 0 || written.includes('%')) {
    return { ok: false, message: '{value} is not an address', remedy: REMEDY };
  }
  const address = ipaddr.process(written);
  if (NO_SOURCE.has(address.range())) {
    return { ok: false, message: '{value} is no address of one host', remedy: REMEDY };
  }
  return { ok: true, value: address.toString() };
}

function readFalse(input: Written): Reading<false> {
  if (input === false || input === 'false') return { ok: true, value: false };
  return { ok: false, message: '{value} is not an address', remedy: REMEDY };
}

/** `source` of a backend or of a server, each address once. */
export function sourceAddresses(standard: string): z.ZodType<readonly string[] | false> {
  const type = 'address, list of addresses, or `false`';
  const meaning: Meaning = { meaning: MEANING, standard };
  const addresses = oneOrMore(scalar('address', MEANING, readSource), type, meaning);
  const each = addresses.transform((all): readonly string[] | false => [...new Set(all)]);
  const off = scalar<readonly string[] | false>('`false`', MEANING, readFalse);
  return z.union([each, off]).meta(keyDoc(type, meaning));
}
