import { z } from 'zod';
import type { ProxyTlv, SendProxyConfig } from '../resolved.ts';
import { choice, integer, keyDoc, type Meaning } from './values.ts';

const MEANING = 'The PROXY protocol header that the server gets, so that it sees the address of the client.';

const WORDS = {
  none: null,
  v1: { version: 1, tlvs: [] },
  v2: { version: 2, tlvs: [] },
} as const satisfies Record<string, SendProxyConfig | null>;

const TLVS =
  'What is added to the header. `unique_id`: the number of the session. `ssl`: whether the client spoke TLS, its version, and ' +
  "whether its certificate was good (HAProxy's `send-proxy-v2-ssl`). `cn`: with it the common name of that certificate " +
  '(`send-proxy-v2-ssl-cn`); one that holds control characters or has more than 256 bytes is left out. Version 2 only; ' +
  'some brokers refuse any.';

const headerKeys: z.ZodType<SendProxyConfig> = z.strictObject({
  version: integer('1 is text, 2 is binary.', 1, 2).transform(version => (version === 1 ? 1 : 2)),
  tlvs: z
    .array(choice<ProxyTlv>(TLVS, ['unique_id', 'ssl', 'cn']))
    .meta(keyDoc('list of `unique_id`, `ssl`, `cn`', { meaning: TLVS, standard: 'none' }))
    .prefault([]),
});

/** `none` is null. */
export function sendProxySchema(standard: string): z.ZodType<SendProxyConfig | null> {
  const meaning: Meaning = { meaning: MEANING, standard };
  const word = choice(meaning, ['none', 'v1', 'v2']).transform((name): SendProxyConfig | null => WORDS[name]);
  return z.union([word, headerKeys]).meta(keyDoc('`none`, `v1`, `v2`, or a mapping', meaning));
}
