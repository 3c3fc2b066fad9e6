import { StateError } from './state_error.ts';

/** Redis before 7 wraps the error of a command inside a script, so the code may stand anywhere in the text. */
const codes =
  /\b(WRONGTYPE|OOM|LOADING|READONLY|NOAUTH|WRONGPASS|NOPERM|MASTERDOWN|MISCONF|NOREPLICAS|CLUSTERDOWN|MOVED|BUSY)\b/;

const remedies: Readonly<Record<string, string>> = {
  LOADING: 'Redis reads its data from disk; nothing to do but wait.',
  READONLY: 'This Redis is a replica: point state.redis.url at the master.',
  NOAUTH: 'Give the password in state.redis.url.',
  WRONGPASS: 'Check user and password in state.redis.url.',
  NOPERM: 'Allow this Redis user all keys below the prefix, scripts, and GET SET DEL PTTL PEXPIRE HGETALL HSET HDEL.',
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
  if (code === 'WRONGTYPE' || code === 'ERR') {
    return new StateError('REDIS_ENTRY', what, 'See what else writes below the prefix in this Redis.');
  }
  return new StateError('REDIS_REFUSED', what, remedies[code] ?? "See Redis's own log.");
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
  return error.message || ((error as NodeJS.ErrnoException).code ?? error.name);
}

function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}
