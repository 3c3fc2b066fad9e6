/**
 * The one error type of the program: what happened, and what the operator can do about it. A peer's reset or a refused
 * CONNECT is an outcome, not an error.
 */
export class LimpetError extends Error {
  /** Stable, upper case: `BIND_IN_USE`. */
  readonly code: string;
  /** What would be right; one sentence. */
  readonly remedy: string;

  constructor(code: string, what: string, remedy: string, options?: ErrorOptions) {
    super(what, options);
    this.name = 'LimpetError';
    this.code = code;
    this.remedy = remedy;
  }
}

const LOCAL_TROUBLE: ReadonlySet<string> = new Set([
  'EMFILE',
  'ENFILE',
  'EADDRNOTAVAIL',
  'EADDRINUSE',
  'ENOMEM',
  'ENOBUFS',
  // No more watches for this user (fs.epoll.max_user_watches).
  'ENOSPC',
  // No room left in the kernel's tables (connect, fork), and what a firewall of this host forbids.
  'EAGAIN',
  'EACCES',
  'EPERM',
]);

/** Whether a system error's code is this host's own trouble: no descriptor, port or memory left, or not allowed to. */
export function isLocalTrouble(code: string): boolean {
  return LOCAL_TROUBLE.has(code);
}

/** The `code` of a system error (`ECONNREFUSED`), or its message where it has none. */
export function errorCode(error: unknown): string {
  if (error instanceof Error) return (error as NodeJS.ErrnoException).code ?? error.message;
  return String(error);
}
