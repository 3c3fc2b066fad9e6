import { LimpetError } from '../../errors.ts';
import { type ClientSocket, Gone } from './client_socket.ts';
import { LONGEST_LINE } from './lines.ts';

const LINE_FEED = Buffer.from('\n');

/**
 * The lines behind `<<`, each with its end, up to an empty one. It is ended by that line, not by whoever stops reading it:
 * what a command leaves of it is no command.
 */
export class Payload implements AsyncIterable<Buffer> {
  readonly #lines: AsyncGenerator<Buffer>;

  /**
   * @param isPrompted whether the client is asked for each line
   * @param onBroken it has no end: there is nothing behind it that could be understood
   */
  constructor(client: ClientSocket, isPrompted: boolean, onBroken: () => void) {
    this.#lines = read(client, isPrompted, onBroken);
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer> {
    return { next: () => this.#lines.next() };
  }

  /** Reads what is left of it. The answer is said already, so a missing end is no news. @throws Gone */
  async skip(): Promise<void> {
    try {
      for await (const _line of this.#lines);
    } catch (error) {
      if (error instanceof Gone) throw error;
    }
  }
}

async function* read(client: ClientSocket, isPrompted: boolean, onBroken: () => void): AsyncGenerator<Buffer> {
  for (;;) {
    if (isPrompted) await client.write('+ ');
    const next = await client.nextLine();
    if (next.kind === 'line' && next.line.length === 0) return;
    if (next.kind !== 'line') {
      onBroken();
      const what = next.kind === 'end' ? 'the payload has no end' : `a line of the payload is too long`;
      throw new LimpetError(
        'BAD_PAYLOAD',
        what,
        `End it with an empty line; a line has at most ${LONGEST_LINE} bytes.`,
      );
    }
    yield Buffer.concat([next.line, LINE_FEED]);
  }
}
