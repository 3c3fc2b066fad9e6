import { connect, type Socket } from 'node:net';
import { errorCode } from '../errors.ts';
import { type CheckResult, type CheckStatus, isLocalTrouble, type ProbeOutcome } from './check_status.ts';

/** Where one probe goes, and how long it may take from the connect to its answer. */
export interface AttemptTarget {
  /** A literal address. */
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export type Answer = Pick<CheckResult, 'ok' | 'status' | 'code' | 'info'>;

/**
 * What is said on an open connection. It calls `answer` once it knows; only the first call counts. With a farewell the
 * bytes are sent and FIN behind them; without one the connection is dropped. The socket belongs to the attempt, which
 * closes it; the conversation may listen to it and write to it.
 */
export type Conversation = (socket: Socket, answer: (answer: Answer, farewell?: Buffer) => void) => void;

/**
 * One connection to a server under one deadline. Answers when the socket is closed, which happens in every case: after
 * the answer, at the deadline, at the peer's end or error, or when `signal` aborts. Never rejects.
 */
export function attempt(target: AttemptTarget, converse: Conversation): Promise<ProbeOutcome> {
  if (target.signal.aborted) return Promise.resolve({ kind: 'not_made', code: 'ABORTED' });
  return new Promise(resolve => {
    const startMs = performance.now();
    const socket = connect({ host: target.host, port: target.port, noDelay: true });
    let connected = false;
    let outcome: ProbeOutcome | null = null;

    const settle = (next: ProbeOutcome): void => {
      outcome ??= next;
    };
    const answer = (found: Answer, farewell?: Buffer): void => {
      if (outcome !== null) return;
      settle(checked(found, startMs));
      // FIN, not RST: a reset would take the farewell and the PROXY header away unread, and fill the broker's log.
      if (farewell === undefined) socket.destroy();
      else socket.end(farewell, () => socket.destroy());
    };
    const stop = (): void => {
      settle({ kind: 'not_made', code: 'ABORTED' });
      socket.destroy();
    };
    const deadline = setTimeout(() => {
      settle(checked(failure(connected ? 'L7TOUT' : 'L4TOUT'), startMs));
      socket.destroy();
    }, target.timeoutMs);
    target.signal.addEventListener('abort', stop, { once: true });

    socket.once('connect', () => {
      connected = true;
      converse(socket, answer);
    });
    socket.on('error', error => settle(troubled(errorCode(error), connected, startMs)));
    socket.once('close', () => {
      clearTimeout(deadline);
      target.signal.removeEventListener('abort', stop);
      resolve(outcome ?? checked(failure('L7RSP', 'closed without an answer'), startMs));
    });
  });
}

function checked(answer: Answer, startMs: number): ProbeOutcome {
  return { kind: 'checked', result: { ...answer, durationMs: Math.round(performance.now() - startMs) } };
}

/** An answer that means: not alive. */
export function failure(status: CheckStatus, info = '', code: number | null = null): Answer {
  return { ok: false, status, code, info };
}

function troubled(code: string, connected: boolean, startMs: number): ProbeOutcome {
  if (isLocalTrouble(code)) return { kind: 'not_made', code };
  if (connected) return checked(failure('L7RSP', code), startMs);
  return checked(failure(code === 'ETIMEDOUT' ? 'L4TOUT' : 'L4CON', code), startMs);
}
