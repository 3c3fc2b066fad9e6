import type { RedisConnection } from './redis.ts';
import { StateError } from './state_error.ts';

export interface VipTake {
  /** The highest fencing number that this node has seen. */
  readonly above: number;
  /** The parity of this node's numbers. */
  readonly index: 0 | 1;
  /** A lease that another node has renewed within so many milliseconds stands. */
  readonly staleMs: number;
}

export type VipTaken =
  | { readonly is: 'taken'; readonly fence: number }
  | { readonly is: 'fresh'; readonly fence: number; readonly ageMs: number };

/**
 * The lease of a virtual address: `<prefix>:vip:<name>` holds `node fence renewed`. It never expires, for the number must
 * not be forgotten; how old it is says whether it counts. All ages are told by the clock of Redis. The methods reject with
 * a StateError within their deadline; what was sent before may be executed late.
 */
export interface VipLease {
  /** The number that stands; null: none ever did. */
  look(): Promise<number | null>;
  take(options: VipTake, deadlineMs: number): Promise<VipTaken>;
  /** `kept` false: another node has it. */
  renew(fence: number, staleMs: number): Promise<{ readonly kept: boolean; readonly fence: number }>;
  /** Not an error if it is not ours. */
  give(fence: number): Promise<void>;
}

/** @param node of this host, without spaces */
export function vipLease(connection: RedisConnection, name: string, node: string): VipLease {
  const key = `${connection.prefix}:vip:${name}`;
  const send = async (
    command: 'vipTake' | 'vipRenew' | 'vipGive' | 'get',
    args: readonly (string | number)[],
    deadlineMs = connection.timeoutMs,
  ): Promise<unknown> => {
    const [reply] = await connection.batch([[command, key, ...args]], deadlineMs);
    if (reply instanceof StateError) throw reply;
    return reply;
  };
  return {
    async look() {
      const [, fence] = /^\S+ (\d{1,16}) \d+$/.exec(String((await send('get', [])) ?? '')) ?? [];
      return fence === undefined ? null : numberOf(fence);
    },
    async take({ above, index, staleMs }, deadlineMs) {
      const [is, fence, age] = words(await send('vipTake', [node, above, index, staleMs], deadlineMs));
      return is === 'taken'
        ? { is, fence: numberOf(fence) }
        : { is: 'fresh', fence: numberOf(fence), ageMs: numberOf(age) };
    },
    async renew(fence, staleMs) {
      const [is, stands] = words(await send('vipRenew', [node, fence, staleMs]));
      return { kept: is === 'kept', fence: numberOf(stands) };
    },
    async give(fence) {
      await send('vipGive', [node, fence]);
    },
  };
}

function words(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : [];
}

/** Another program may write there: a number that nobody counts to is as good as none. */
function numberOf(text: unknown): number {
  const number = Number(text);
  return Number.isSafeInteger(number) && number >= 0 && number < 2 ** 52 ? number : 0;
}
