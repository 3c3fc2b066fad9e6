import { z } from 'zod';
import { readPattern } from '../pattern.ts';
import type { StickField } from '../resolved.ts';
import { toggle } from './toggle.ts';
import { choice, count, duration, flag, keyDoc, scalar } from './values.ts';

export interface RawStick {
  readonly on: { readonly field: StickField; readonly match: string | null };
  readonly size: number;
  readonly expire: number;
  readonly clean_sessions: boolean;
}

const FIELDS: readonly StickField[] = ['client_id', 'username', 'source', 'cert_cn'];
const YEAR_MS = 365 * 86_400_000;
const ON =
  'What names a client: its client id, its user name, its address, or the common name of its certificate. In `mode: tcp` ' +
  '`source` (the default there) or `cert_cn`.';

const field = (meaning: string): z.ZodType<StickField> => choice(meaning, FIELDS);

const MATCH =
  'A regular expression whose first group is the key. A field that does not match, or is longer than 1,024 characters, gives no key. No ' +
  'look-around, no back-reference, no repeated group that varies, so that no client can make it slow.';

const on = z
  .union([
    field(ON).transform(name => ({ field: name, match: null })),
    z.strictObject({
      field: field('The field to look at.'),
      match: scalar('regular expression', MATCH, readPattern),
    }),
  ])
  .meta(keyDoc('`client_id`, `username`, `source`, `cert_cn`, or a mapping', ON));

const stickKeys: z.ZodType<RawStick> = z.strictObject({
  on: on.prefault('client_id'),
  size: count(
    'Entries of the memory table. When it is full, those of clients that left long ago go first; those of connected ' +
      'clients never go.',
    1,
    100 * 1024 ** 2,
  ).prefault('100k'),
  expire: duration('How long a client is remembered after it has left.', 100, YEAR_MS).prefault('30m'),
  clean_sessions: flag(
    'Whether clients whose session ends with their connection are stuck too (3.x: clean session; 5.0: no session expiry).',
  ).prefault(true),
});

export const stickSchema: z.ZodType<RawStick | false> = toggle(stickKeys, {
  type: 'mapping, or `false`',
  meaning: 'Whether a returning client goes to the server that it was on, and how it is known.',
  standard: 'on; in `mode: tcp`, off',
});
