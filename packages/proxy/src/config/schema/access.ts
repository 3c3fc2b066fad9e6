import type { z } from 'zod';
import { readCidr } from '../cidr.ts';
import { oneOrMore } from './list.ts';
import { type Meaning, scalar } from './values.ts';

/** Networks and addresses, as CIDRs: `10.0.0.0/8`, `2001:db8::1/128`. */
export function networks(meaning: Meaning): z.ZodType<readonly string[]> {
  return oneOrMore(scalar('address or network', meaning, readCidr), 'address or network, or a list of them', meaning);
}
