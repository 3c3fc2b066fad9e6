/**
 * The result of a health check, in HAProxy's words (management.txt 9.1, `check_status`), so that tools which read
 * HAProxy's statistics understand ours.
 */
export type CheckStatus =
  | 'L4OK'
  | 'L4TOUT'
  | 'L4CON'
  | 'L6OK'
  | 'L6TOUT'
  | 'L6RSP'
  | 'L7OK'
  | 'L7TOUT'
  | 'L7RSP'
  | 'L7STS';

/** What one check found out about a server. */
export interface CheckResult {
  readonly ok: boolean;
  readonly status: CheckStatus;
  /** The answer's number: an HTTP status or a CONNACK return code; null where there was no such answer. */
  readonly code: number | null;
  /** A few words more, our own or a system error's code; empty where there is nothing to add. Holds no text of the peer. */
  readonly info: string;
  /** From the start of the connect to the answer. */
  readonly durationMs: number;
}

/**
 * - `checked`: the server was asked, and this is its answer or its silence.
 * - `not_made`: this host could not ask (`code`: `EMFILE`), or the probe was aborted (`ABORTED`). Says nothing about
 *   the server.
 */
export type ProbeOutcome =
  | { readonly kind: 'checked'; readonly result: CheckResult }
  | { readonly kind: 'not_made'; readonly code: string };

const MEANING: Readonly<Record<CheckStatus, string>> = {
  L4OK: 'Layer4 check passed',
  L4TOUT: 'Layer4 timeout',
  L4CON: 'Layer4 connection problem',
  L6OK: 'Layer6 check passed',
  L6TOUT: 'Layer6 timeout',
  L6RSP: 'Layer6 invalid response',
  L7OK: 'Layer7 check passed',
  L7TOUT: 'Layer7 timeout',
  L7RSP: 'Layer7 invalid response',
  L7STS: 'Layer7 wrong status',
};

/** The reason as it stands in a log line: `Layer7 wrong status, code: 503`, `Layer4 connection problem (ECONNREFUSED)`. */
export function describeCheck(result: Pick<CheckResult, 'status' | 'code' | 'info'>): string {
  const code = result.code === null ? '' : `, code: ${result.code}`;
  const info = result.info === '' ? '' : ` (${result.info})`;
  return `${MEANING[result.status]}${code}${info}`;
}
