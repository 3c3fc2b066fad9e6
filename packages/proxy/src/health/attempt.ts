import { connect, isIP, type Socket } from 'node:net';
import { errorCode, isLocalTrouble } from '../errors.ts';
import type { BrokerTls, TlsConnecting } from '../tls/dial_tls.ts';
import type { CheckResult, CheckStatus, ProbeOutcome } from './check_status.ts';

/** Where one probe goes, and how long it may take from the connect to its answer. */
export interface AttemptTarget {
  /** A literal address. */
  readonly host: string;
  readonly port: number;
  /** `ServerConfig.source`: begins at the first address of the host's family; empty: the kernel chooses. */
  readonly source: readonly string[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** The PROXY header, which goes before everything else, TLS too; empty: none. */
  readonly header: Buffer;
  /** Null: the probe is plain. */
  readonly tls: BrokerTls | null;
}

export type Answer = Pick<CheckResult, 'ok' | 'status' | 'code' | 'info'>;

/**
 * What is said on an open stream, the handshake of TLS behind it. It calls `answer` once it knows; only the first call
 * counts. With a farewell the bytes are sent and FIN behind them; without one the connection is dropped. The stream
 * belongs to the attempt, which closes it; the conversation may listen to it and write to it.
 */
export type Conversation = (stream: Socket, answer: (answer: Answer, farewell?: Buffer) => void) => void;

/**
 * One connection to a server under one deadline. Answers when the socket is closed, which happens in every case: after
 * the answer, at the deadline, at the peer's end or error, or when `signal` aborts. Never rejects.
 */
export function attempt(target: AttemptTarget, converse: Conversation): Promise<ProbeOutcome> {
  if (target.signal.aborted) return Promise.resolve({ kind: 'not_made', code: 'ABORTED' });
  if (target.source.length > 0 && sourceFor(target) === null) {
    return Promise.resolve({ kind: 'not_made', code: 'no source address of its family' });
  }
  return new Promise(resolve => new Attempt(target, converse, resolve));
}

function sourceFor({ source, host }: AttemptTarget): string | null {
  return source.find(address => isIP(address) === isIP(host)) ?? null;
}

/** How far it has come: what the number in a status says. */
type Layer = 'L4' | 'L6' | 'L7';

class Attempt {
  readonly #target: AttemptTarget;
  readonly #converse: Conversation;
  readonly #socket: Socket;
  readonly #startMs: number = performance.now();
  readonly #deadline: NodeJS.Timeout;
  #layer: Layer = 'L4';
  #outcome: ProbeOutcome | null = null;

  constructor(target: AttemptTarget, converse: Conversation, resolve: (outcome: ProbeOutcome) => void) {
    this.#target = target;
    this.#converse = converse;
    const { host, port, tls } = target;
    // TLS closes its own half: it may have an alert to send.
    const to = { host, port, noDelay: true, allowHalfOpen: tls !== null };
    const localAddress = sourceFor(target);
    this.#socket = connect(localAddress === null ? to : { ...to, localAddress });
    if (tls !== null) this.#socket.pause();
    this.#deadline = setTimeout(() => this.#end(failure(`${this.#layer}TOUT`)), target.timeoutMs);
    target.signal.addEventListener('abort', this.#abort, { once: true });
    this.#socket.once('connect', () => this.#connected());
    this.#socket.on('error', error => this.#troubled(errorCode(error)));
    this.#socket.once('close', () => {
      clearTimeout(this.#deadline);
      target.signal.removeEventListener('abort', this.#abort);
      if (this.#outcome === null) this.#answer(failure(this.#layer === 'L6' ? 'L6RSP' : 'L7RSP', CLOSED));
      resolve(this.#outcome ?? { kind: 'not_made', code: 'ABORTED' });
    });
  }

  #connected(): void {
    const { header, tls } = this.#target;
    // Corked, so that the header and what is said behind it go out in one write.
    this.#socket.cork();
    if (header.length > 0) this.#socket.write(header);
    if (tls === null) this.#open(this.#socket);
    this.#socket.uncork();
    if (tls !== null) void this.#secure(tls.connect(this.#socket));
  }

  async #secure(connecting: TlsConnecting): Promise<void> {
    this.#layer = 'L6';
    const connected = await connecting.result;
    if (connected.kind === 'failed') {
      this.#end(failure('L6RSP', connected.detail));
      return;
    }
    const { socket } = connected;
    socket.once('end', () => this.#socket.destroy());
    if (this.#outcome === null) this.#open(socket);
  }

  #open(stream: Socket): void {
    this.#layer = 'L7';
    this.#converse(stream, (found, farewell) => {
      if (this.#outcome !== null) return;
      this.#answer(found);
      // FIN, not RST: a reset would take the farewell and the PROXY header away unread, and fill the broker's log.
      if (farewell === undefined) this.#socket.destroy();
      else stream.end(farewell, () => this.#socket.destroy());
    });
  }

  /** The first one counts. */
  #answer(answer: Answer): void {
    const durationMs = Math.round(performance.now() - this.#startMs);
    this.#outcome ??= { kind: 'checked', result: { ...answer, durationMs } };
  }

  #end(answer: Answer): void {
    this.#answer(answer);
    this.#socket.destroy();
  }

  readonly #abort = (): void => {
    this.#outcome ??= { kind: 'not_made', code: 'ABORTED' };
    this.#socket.destroy();
  };

  #troubled(code: string): void {
    if (isLocalTrouble(code)) this.#outcome ??= { kind: 'not_made', code };
    else if (this.#layer !== 'L4') this.#answer(failure(`${this.#layer}RSP`, code));
    else this.#answer(failure(code === 'ETIMEDOUT' ? 'L4TOUT' : 'L4CON', code));
  }
}

const CLOSED = 'closed without an answer';

/** An answer that means: not alive. */
export function failure(status: CheckStatus, info = '', code: number | null = null): Answer {
  return { ok: false, status, code, info };
}
