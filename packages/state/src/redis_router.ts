import { type Command, Redis } from 'ioredis';
import { keyMoving, redisFailure } from './redis_failure.ts';
import type { RedisFleet } from './redis_fleet.ts';
import { clientOptions, type RedisNode } from './redis_node.ts';
import { readRedirect } from './slots.ts';
import type { StateError } from './state_error.ts';

/** A server sends us on to another one, at most so often: each time costs a round trip of the one deadline. */
const mostHops = 2;

/**
 * A client without a connection of its own: each command goes to the server that has its (one, first) key now. A server
 * that has lost a key says where it went, and the command is sent on.
 */
export function routedClient(fleet: RedisFleet, timeoutMs: number, onStale: () => void): Redis {
  const client: Redis = new Redis({ ...clientOptions(timeoutMs, 'router'), lazyConnect: true });
  client.sendCommand = (command: Command): Promise<unknown> => {
    const key = command.getKeys()[0];
    const node = key === undefined ? null : fleet.nodeAt(fleet.slotOf(String(key)));
    if (node === null) {
      onStale();
      command.reject(keyMoving('', `${command.name} finds no server`));
    } else send({ fleet, onStale }, command, node);
    return command.promise;
  };
  return client;
}

interface Way {
  readonly fleet: RedisFleet;
  readonly onStale: () => void;
}

function send(way: Way, command: Command, node: RedisNode, hop = 0): void {
  const { reject } = command;
  command.reject = (error: Error) => {
    command.reject = reject;
    const next = redirected(way, error, node);
    if (next === null) reject(hop === 0 ? redisFailure(error, node.address) : guestFailure(error, node));
    else if (next.node === null || hop === mostHops) reject(keyMoving(node.address, error.message));
    else {
      if (next.isAsking) void next.node.client.asking().catch(() => undefined);
      send(way, command, next.node, hop + 1);
    }
  };
  void node.client.sendCommand(command);
}

/** Whoever sent the command takes a failure for one of the server that has the key. That one has answered, and is well. */
function guestFailure(error: Error, { address, circuit }: RedisNode): StateError {
  const failure = redisFailure(error, address);
  if (failure.code !== 'REDIS_AWAY' && failure.code !== 'REDIS_REFUSED') return failure;
  circuit.failed(failure);
  return keyMoving(address, failure.message);
}

/** Where a server sends us; a node of null: there is no connection to that one yet. Null: it does not. */
export function redirected(
  { fleet, onStale }: Way,
  error: Error,
  from: RedisNode,
): { readonly node: RedisNode | null; readonly isAsking: boolean } | null {
  if (!fleet.isSpread) return null;
  const { host = '', port = 0 } = from.client.options;
  const redirect = readRedirect(error.message, { host, port });
  if (redirect === null) return null;
  const isAsking = redirect.kind === 'ASK';
  if (isAsking) return { node: fleet.guest(redirect.place), isAsking };
  onStale();
  return { node: fleet.moved(redirect.slot, redirect.place), isAsking };
}
