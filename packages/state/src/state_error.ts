/**
 * - `REDIS_URL_INVALID`: the URL cannot be used. Thrown at start only.
 * - `REDIS_TLS_INVALID`: a file of `state.redis.tls` cannot be read. Thrown at start only.
 * - `REDIS_AWAY`: no connection, or it was lost before the answer.
 * - `REDIS_TIMEOUT`: no answer within the deadline. The command may be executed late.
 * - `REDIS_REFUSED`: Redis answers, but does not serve us: it loads, is a replica, or wants another password.
 * - `REDIS_FULL`: Redis reads but does not write (`maxmemory` with `noeviction`).
 * - `REDIS_ENTRY`: this one key cannot be used: it holds another type.
 * - `REDIS_MOVING`: no server of the cluster takes this one key for the moment; the others are served.
 * - `TABLE_REPLY`: the primary's answer is not one that a table gives.
 */
export type StateErrorCode =
  | 'REDIS_URL_INVALID'
  | 'REDIS_TLS_INVALID'
  | 'REDIS_AWAY'
  | 'REDIS_TIMEOUT'
  | 'REDIS_REFUSED'
  | 'REDIS_FULL'
  | 'REDIS_ENTRY'
  | 'REDIS_MOVING'
  | 'TABLE_REPLY';

/**
 * A failure of the shared state: what happened, and what the operator can do. It never holds a password, and has no
 * `cause`, because ioredis hangs the arguments of a command (AUTH too) on its errors.
 */
export class StateError extends Error {
  readonly code: StateErrorCode;
  /** What would be right; one sentence. */
  readonly remedy: string;

  constructor(code: StateErrorCode, what: string, remedy: string) {
    super(what);
    this.name = 'StateError';
    this.code = code;
    this.remedy = remedy;
  }
}
