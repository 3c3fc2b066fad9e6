import { once } from 'node:events';
import { statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { LimpetError } from '@limpet/proxy';
import { addressText, type Place } from './address.ts';

/** So long the proxy may take to accept, and be silent. */
const CONNECT_MS = 5_000;

/**
 * One command line said to the proxy, and its answer. Reading is what lets the proxy go on. Whoever opened it disposes of it.
 */
export class Connection implements Disposable {
  readonly #socket: Socket;
  readonly #place: Place;

  private constructor(socket: Socket, place: Place) {
    this.#socket = socket;
    this.#place = place;
  }

  /** @throws LimpetError NO_PROXY, OLD_SOCKET, NOT_ALLOWED, NO_ANSWER */
  static async open(place: Place): Promise<Connection> {
    const { address } = place;
    // Without the waiting for both address families: it is this host.
    const socket = address.kind === 'unix' ? connect({ path: address.path }) : connect(address.port, address.host);
    const late = setTimeout(() => socket.destroy(new Late()), CONNECT_MS);
    try {
      await once(socket, 'connect');
    } catch (error) {
      throw unreachable(place, error);
    } finally {
      clearTimeout(late);
    }
    // Whoever reads hears of a later end.
    socket.on('error', () => {});
    return new Connection(socket, place);
  }

  /** Resolves when there is room for more. @throws LimpetError CUT_OFF */
  async write(data: string | Buffer): Promise<void> {
    if (this.#socket.destroyed) throw this.#cutOff();
    if (this.#socket.write(data)) return;
    await drained(this.#socket);
    if (this.#socket.destroyed) throw this.#cutOff();
  }

  /**
   * What the proxy says until it closes; `silentMs`: it may say nothing for so long (0: for ever).
   * @throws LimpetError NO_ANSWER, CUT_OFF
   */
  async *read(silentMs: number): AsyncGenerator<Buffer> {
    const chunks = this.#socket.iterator({ destroyOnReturn: true });
    for (;;) {
      const next = await this.#next(chunks, silentMs);
      if (next.done === true) return;
      yield next.value;
    }
  }

  /** It no longer listens: what is still to be written is of no use. */
  get isOver(): boolean {
    return this.#socket.destroyed || this.#socket.readableEnded;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  async #next(chunks: AsyncIterator<Buffer>, silentMs: number): Promise<IteratorResult<Buffer>> {
    const late = silentMs === 0 ? null : setTimeout(() => this.#socket.destroy(new Late()), silentMs);
    try {
      return await chunks.next();
    } catch (error) {
      throw error instanceof Late ? noAnswer(this.#place, silentMs) : this.#cutOff();
    } finally {
      if (late !== null) clearTimeout(late);
    }
  }

  #cutOff(): LimpetError {
    return new LimpetError(
      'CUT_OFF',
      `the proxy at ${addressText(this.#place.address)} closed the connection before all was said`,
      'Its log may say why: it may have stopped, or waited too long for a reader.',
    );
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}

/** The deadline. */
class Late extends Error {}

function noAnswer(place: Place, ms: number): LimpetError {
  return new LimpetError(
    'NO_ANSWER',
    `the proxy at ${addressText(place.address)} did not answer within ${ms / 1000} s`,
    'It may be very busy, or stand still: look at its log and at its processor time.',
  );
}

function isNoSocket(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isSocket() === false;
}

/** Why nobody is there, and what to do. */
function unreachable(place: Place, error: unknown): LimpetError {
  const where = `${addressText(place.address)} (${place.from})`;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (error instanceof Late) return noAnswer(place, CONNECT_MS);
  if (code === 'EACCES' || code === 'EPERM') {
    return new LimpetError(
      'NOT_ALLOWED',
      `permission denied for ${where}`,
      'Run it as the proxy’s user or with sudo, or set `mode`, `user` or `group` of the socket in `global.runtime_api`.',
    );
  }
  if (place.address.kind === 'unix' && isNoSocket(place.address.path)) {
    return new LimpetError('NO_SOCKET', `${where} is no socket`, 'Name the one that `global.runtime_api` has.');
  }
  if (code === 'ECONNREFUSED' && place.address.kind === 'unix') {
    return new LimpetError(
      'OLD_SOCKET',
      `${where} is there, but nobody listens: its proxy has ended`,
      'Start the proxy; it replaces the old socket.',
    );
  }
  return new LimpetError(
    'NO_PROXY',
    `nobody listens at ${where}${['ENOENT', 'ECONNREFUSED'].includes(code) ? '' : `: ${code}`}`,
    'Is the proxy running, with `global.runtime_api` in its configuration? Name its socket with --socket, or its file with -c.',
  );
}
