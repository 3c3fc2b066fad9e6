import { z } from 'zod';
import type { Reading } from '../units.ts';
import { cpuMap } from './cpu_map.ts';
import { logSchema, type RawLog } from './log.ts';
import { type RawRuntimeApi, runtimeApiSchema } from './runtime_api.ts';
import { type RawStats, statsSchema } from './stats.ts';
import { globalTlsSchema, type RawGlobalTls } from './tls.ts';
import { choice, duration, integer, keyDoc, NAME, scalar, size, text, type Written } from './values.ts';
import { type RawVip, vipSchema } from './vip.ts';

const MIB = 1024 ** 2;
const MAX_WORKERS = 256;

export interface RawGlobal {
  readonly name?: string | undefined;
  readonly workers: number | 'auto';
  readonly relay: 'auto' | 'native' | 'node';
  readonly cpu_map?: 'auto' | readonly (readonly number[])[] | undefined;
  readonly maxconn: number;
  readonly hard_stop_after: number;
  readonly preread_memory: number;
  readonly resolve_every: number;
  readonly runtime_api?: readonly RawRuntimeApi[] | undefined;
  readonly stats?: RawStats | undefined;
  readonly log: RawLog;
  readonly tls: RawGlobalTls;
  readonly vip?: RawVip | undefined;
}

function readWorkers(input: Written): Reading<number | 'auto'> {
  if (input === 'auto') return { ok: true, value: 'auto' };
  const workers = /^\d{1,3}$/.test(String(input)) ? Number(input) : 0;
  if (workers >= 1 && workers <= MAX_WORKERS) return { ok: true, value: workers };
  return { ok: false, message: '{value} is no number of workers', remedy: `Write auto, or 1 to ${MAX_WORKERS}.` };
}

export const globalSchema: z.ZodType<RawGlobal> = z
  .strictObject({
    name: text(
      {
        meaning: "This proxy's name in the shared state. Two proxies must not have one name.",
        standard: "the host's name",
      },
      NAME,
      'name',
    ).optional(),
    workers: scalar(
      '`auto`, 1 to 256',
      'Worker processes. `auto`: one per CPU that this process may use.',
      readWorkers,
    ).prefault('auto'),
    relay: choice(
      'What moves the bytes of plain TCP sessions, and of WebSocket frames that pass through: the `native` addon, a thread in each worker, or TypeScript (`node`). `auto`: native where the addon is there, and `limpet status` says which and why. `native`: that, or no start.',
      ['auto', 'native', 'node'],
    ).prefault('auto'),
    cpu_map: cpuMap({
      meaning:
        'Pins each worker, with its relay, to CPUs: `[[0], [1]]` the first worker to CPU 0 and the second to CPU 1, then from the front again; `[0, 1]` is the same in short, and `[[0, 1]]` is both CPUs for every worker. `auto`: one CPU each. Needs the native addon, also with `relay: node`.',
      standard: 'as the system likes',
    }).optional(),
    maxconn: integer(
      'Client connections of all workers together. At the limit, accepting pauses and the backlog of the kernel fills.',
      1,
      10_000_000,
    ).prefault(100_000),
    hard_stop_after: duration('How long sessions may go on after SIGTERM before they are closed.', 0).prefault('30s'),
    preread_memory: size(
      'What unfinished CONNECT packets of all workers together may hold; each worker has an equal share, which is not below any `max_connect_size`.',
      1024,
      64 * 1024 * MIB,
    ).prefault('64MiB'),
    resolve_every: duration('How often the host names of servers are looked up again.', 1_000).prefault('10s'),
    runtime_api: runtimeApiSchema.optional(),
    stats: statsSchema.optional(),
    log: logSchema.prefault({}),
    tls: globalTlsSchema.prefault({}),
    vip: vipSchema.optional(),
  })
  .meta(keyDoc('mapping', 'The program as a whole.'));
