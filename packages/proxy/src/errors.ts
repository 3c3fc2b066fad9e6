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

/** The `code` of a system error (`ECONNREFUSED`), or its message where it has none. */
export function errorCode(error: unknown): string {
  if (error instanceof Error) return (error as NodeJS.ErrnoException).code ?? error.message;
  return String(error);
}
