import { StateError } from './state_error.ts';

/** Redis before 7 wraps the error of a command inside a script, so the code may stand anywhere in the text. */
const codes =
  /\b(WRONGTYPE|OOM|LOADING|READONLY|NOAUTH|WRONGPASS|NOPERM|MASTERDOWN|MISCONF|NOREPLICAS|CLUSTERDOWN|MOVED|ASK|TRYAGAIN|BUSY)\b/;

const remedies: Readonly<Record<string, string>> = {
  LOADING: 'Redis reads its data from disk; nothing to do but wait.',
  READONLY: 'This Redis is a replica: point state.redis at the master, or name the sentinels, which know it.',
  NOAUTH: 'Give the password: state.redis.password, or in the URL.',
  WRONGPASS: 'Check user and password in state.redis.',
  NOPERM: 'Give this Redis user the rights that docs/operations.md lists (section Redis).',
  MASTERDOWN: 'This replica has lost its master; it is left as soon as there is a new one.',
  NOREPLICAS: 'Redis waits for its replicas: see min-replicas-to-write there.',
  CLUSTERDOWN: 'Some slots have no server: see `redis-cli --cluster check`.',
  MOVED: 'This is one server of a Redis Cluster: name some of them in state.redis.cluster.',
  MISCONF: "Redis cannot save to disk: see Redis's own log.",
};

/** What a rejected command means, as one of our own errors. Pure. */
export function redisFailure(error: unknown, address: string): StateError {
  if (error instanceof StateError) return error;
  const text = errorText(error);
  if (!isReply(error)) {
    return new StateError('REDIS_AWAY', `Redis ${address}: ${text}`, 'Check that Redis runs and can be reached.');
  }
  const code = codes.exec(text)?.[1] ?? 'ERR';
  const what = `Redis ${address} answers: ${text}`;
  if (code === 'OOM') {
    return new StateError('REDIS_FULL', what, 'Give Redis more maxmemory, or shorten stick.expire.');
  }
  if (code === 'ASK' || code === 'TRYAGAIN' || text.includes('Hash slot not served')) return keyMoving(address, text);
  if (code === 'WRONGTYPE' || code === 'ERR') {
    return new StateError('REDIS_ENTRY', what, 'See what else writes below the prefix in this Redis.');
  }
  return new StateError('REDIS_REFUSED', what, remedies[code] ?? "See Redis's own log.");
}

/** No server takes this key for the moment: slots move, or one has just been lost. */
export function keyMoving(address: string, why: string): StateError {
  return new StateError(
    'REDIS_MOVING',
    `Redis ${address} has no server for a key for the moment: ${why}`,
    'Nothing to do but wait, unless it lasts: then see `redis-cli --cluster check`.',
  );
}

/** No answer in time. */
export function redisTimeout(address: string, deadlineMs: number): StateError {
  return new StateError(
    'REDIS_TIMEOUT',
    `Redis ${address} did not answer within ${deadlineMs} ms`,
    'Check the load of Redis and the network to it.',
  );
}

/** A system error's message is empty where Node tried several addresses of a name; its code is always there. */
function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message.includes('enableOfflineQueue')) return 'there is no connection';
  return error.message || ((error as NodeJS.ErrnoException).code ?? error.name);
}

function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}
