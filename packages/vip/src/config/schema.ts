import type { RedisPlace, RedisTlsWords, RedisWords } from '@limpet/state';
import { z } from 'zod';
import type { VirtualAddress } from '../host/address.ts';
import type { Endpoint } from './endpoint.ts';
import { duration, endpoint, oneOrMore, remedyMark, virtualAddress, word } from './values.ts';

/** `redis`, in the words of `state.redis` in limpet.yaml; `true` is TLS with nothing to say of it. */
export interface RawRedis extends Omit<RedisWords, 'tls' | 'sentinel_tls'> {
  readonly tls?: boolean | RedisTlsWords | undefined;
  readonly sentinel_tls?: boolean | RedisTlsWords | undefined;
  readonly prefix: string;
  readonly timeout: number;
}

type RawHook = string | readonly string[];

/** vip.yaml as it is written. */
export interface RawVip {
  readonly name: string;
  readonly address: readonly VirtualAddress[];
  readonly interface: string;
  readonly address_by: 'ip' | 'hook';
  readonly self: Endpoint;
  readonly peer: Endpoint;
  readonly secret?: string | undefined;
  readonly secret_file?: string | undefined;
  readonly priority: number;
  readonly preempt: boolean;
  readonly fast: boolean;
  readonly realtime?: boolean | undefined;
  readonly interval?: number | undefined;
  readonly dead_after?: number | undefined;
  readonly lease?: number | undefined;
  readonly redis?: RawRedis | undefined;
  readonly track_file?: string | undefined;
  readonly notify_fifo?: string | undefined;
  readonly hooks: {
    readonly on_active?: RawHook | undefined;
    readonly on_standby?: RawHook | undefined;
    readonly on_fault?: RawHook | undefined;
    readonly timeout: number;
  };
}

/** What is read of a vip.yaml that is wrong elsewhere. */
export type RawPlace = Pick<RawVip, 'name' | 'address' | 'interface' | 'address_by' | 'notify_fifo' | 'priority'>;

const NAME = word(/^[A-Za-z0-9_.-]{1,64}$/, 'Write 1 to 64 letters, digits, and _ . -.');
const PREFIX = word(/^[A-Za-z0-9_.:-]{1,64}$/, 'Write 1 to 64 letters, digits, and _ . : -.');
const DEVICE = word(/^[A-Za-z0-9_.@-]{1,15}$/, 'Write the name of a network interface: eth0.');

const text = z.string().min(1).max(1_024);
const hook = z.union([text, z.array(text).min(1).max(64)]);

function place(usualPort: number): z.ZodType<RedisPlace> {
  const remedy = `Write a host and a port: 10.0.0.1:${usualPort}.`;
  return z.string().transform((written, context) => {
    const [, six, host, digits] = /^(?:\[([^\]]+)\]|([^:\s/]+))(?::(\d{1,5}))?$/.exec(written) ?? [];
    const port = digits === undefined ? usualPort : Number(digits);
    const name = six ?? host;
    if (name !== undefined && port > 0 && port < 65_536) return { host: name, port };
    context.addIssue({ code: 'custom', message: `this is not a host and a port${remedyMark}${remedy}` });
    return z.NEVER;
  }) as unknown as z.ZodType<RedisPlace>;
}

const tls = z.union([
  z.boolean(),
  z.strictObject({
    ca: text.optional(),
    cert: text.optional(),
    key: text.optional(),
    verify: z.enum(['required', 'none']).default('required'),
    server_name: text.optional(),
  }),
]);

const redisSchema: z.ZodType<RawRedis> = z.strictObject({
  url: text.optional(),
  sentinels: z.array(place(26_379)).min(1).max(100).optional(),
  master: NAME.optional(),
  cluster: z.array(place(6_379)).min(1).max(100).optional(),
  username: text.optional(),
  password: text.optional(),
  database: z.number().int().min(0).max(65_535).optional(),
  sentinel_username: text.optional(),
  sentinel_password: text.optional(),
  tls: tls.optional(),
  sentinel_tls: tls.optional(),
  prefix: PREFIX.prefault('limpet'),
  timeout: duration(5, 10_000).prefault('100ms'),
});

export const vipSchema: z.ZodType<RawVip> = z.strictObject({
  name: NAME.prefault('limpet'),
  address: oneOrMore(virtualAddress()),
  interface: DEVICE,
  address_by: z.enum(['ip', 'hook']).default('ip'),
  self: endpoint(),
  peer: endpoint(),
  secret: z.string().max(256).optional(),
  secret_file: text.optional(),
  priority: z.number().int().min(1).max(254).default(100),
  preempt: z.boolean().default(false),
  fast: z.boolean().default(false),
  realtime: z.boolean().optional(),
  interval: duration(5, 10_000).optional(),
  dead_after: duration(15, 60_000).optional(),
  lease: duration(50, 300_000).optional(),
  redis: redisSchema.optional(),
  track_file: text.optional(),
  notify_fifo: text.optional(),
  hooks: z
    .strictObject({
      on_active: hook.optional(),
      on_standby: hook.optional(),
      on_fault: hook.optional(),
      timeout: duration(100, 300_000).prefault('10s'),
    })
    .prefault({}),
});

/** The address and its interface must be right; all else is as usual where it is not. */
export const placeSchema: z.ZodType<RawPlace> = z.object({
  name: NAME.prefault('limpet').catch('limpet'),
  address: oneOrMore(virtualAddress()),
  interface: DEVICE,
  address_by: z.enum(['ip', 'hook']).catch('ip'),
  notify_fifo: text.optional().catch(undefined),
  priority: z.number().int().min(1).max(254).catch(100),
});
