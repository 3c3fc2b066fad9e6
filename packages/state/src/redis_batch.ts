import type { RedisCommander } from 'ioredis';
import { keyMoving, redisFailure } from './redis_failure.ts';
import type { RedisFleet } from './redis_fleet.ts';
import type { RedisNode } from './redis_node.ts';
import { redirected } from './redis_router.ts';
import { StateError } from './state_error.ts';

/** A command that names one key, as data: `['hset', key, field, value]`. */
export type KeyCommand = readonly [
  name: Extract<keyof RedisCommander, string>,
  key: string,
  ...args: (string | number)[],
];

/** Commands in one pipeline: Redis is not held for more than a few milliseconds, nor is our event loop. */
const batchSize = 128;
/** How often what a server sends us on with is sent again. */
const rounds = 2;

export interface BatchWay {
  readonly fleet: RedisFleet;
  readonly onStale: () => void;
  reply<T>(command: Promise<T>): Promise<T>;
}

interface Item {
  readonly at: number;
  readonly command: KeyCommand;
  readonly isAsking: boolean;
}

/**
 * Sends commands in as few writes as there are servers (and 128 at most in each), and answers for each of them, in order,
 * with its reply or a StateError. Never rejects. The commands of one key keep their order. The circuit of each server
 * hears how it went: the caller does not tell it again.
 */
export async function sendBatch(way: BatchWay, commands: readonly KeyCommand[]): Promise<readonly unknown[]> {
  const replies: unknown[] = new Array(commands.length).fill(null);
  const first = new Map<RedisNode, Item[]>();
  for (const [at, command] of commands.entries()) {
    const node = way.fleet.nodeAt(way.fleet.slotOf(command[1]));
    if (node !== null) put(first, node, { at, command, isAsking: false });
    else {
      way.onStale();
      replies[at] = keyMoving('', 'no server is known');
    }
  }
  let round = first;
  for (let i = 0; i < rounds && round.size > 0; i++) {
    const next = new Map<RedisNode, Item[]>();
    await Promise.all([...round].map(([node, items]) => sendTo(way, node, items, replies, next)));
    round = next;
  }
  return replies;
}

async function sendTo(
  way: BatchWay,
  node: RedisNode,
  items: readonly Item[],
  replies: unknown[],
  next: Map<RedisNode, Item[]>,
): Promise<void> {
  let lost: StateError | null = null;
  for (let i = 0; i < items.length; i += batchSize) {
    const slice = items.slice(i, i + batchSize);
    const isNews = lost === null;
    const results: unknown[] | StateError = lost ?? (await pipelined(way, node, slice));
    if (results instanceof StateError) lost = results;
    const failures = slice.flatMap((item, j) => {
      const reply = results instanceof StateError ? results : results[j];
      const error = reply instanceof Error ? reply : null;
      const sentOn = error === null ? null : redirected(way, error, node);
      if (sentOn?.node) put(next, sentOn.node, { ...item, isAsking: sentOn.isAsking });
      const failed = sentOn
        ? keyMoving(node.address, error?.message ?? '')
        : error && redisFailure(error, node.address);
      replies[item.at] = failed ?? reply;
      return failed ?? [];
    });
    if (isNews) tell(node, failures);
  }
}

/** A batch counts once, however many of its commands have failed; what concerns one key says nothing of the server. */
function tell({ circuit }: RedisNode, failures: readonly StateError[]): void {
  const grave = failures.find(({ code }) => code !== 'REDIS_ENTRY' && code !== 'REDIS_MOVING');
  if (grave === undefined) circuit.succeeded();
  else circuit.failed(grave);
}

async function pipelined(
  way: BatchWay,
  { client, address }: RedisNode,
  items: readonly Item[],
): Promise<unknown[] | StateError> {
  const pipeline = client.pipeline() as unknown as Record<string, (...args: readonly (string | number)[]) => void>;
  const places: number[] = [];
  let length = 0;
  for (const { command, isAsking } of items) {
    const [name, ...args] = command;
    if (isAsking) {
      pipeline.asking?.();
      length++;
    }
    pipeline[name]?.(...args);
    places.push(length++);
  }
  try {
    const results = await way.reply((pipeline as unknown as ReturnType<typeof client.pipeline>).exec());
    return places.map(at => {
      const [error, reply] = results?.[at] ?? [new Error('no reply'), null];
      return error ?? reply;
    });
  } catch (error) {
    return redisFailure(error, address);
  }
}

function put(groups: Map<RedisNode, Item[]>, node: RedisNode, item: Item): void {
  const group = groups.get(node);
  if (group === undefined) groups.set(node, [item]);
  else group.push(item);
}
