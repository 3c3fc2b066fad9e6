import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ClientSocket, Gone } from './client_socket.ts';
import type { Answer } from './command.ts';

const LONGEST_TURN_MS = 5;

/** A stream of an answer that broke off. */
export class Interrupted extends Error {
  readonly reason: unknown;
  /** Something of it was written. */
  readonly isBegun: boolean;

  constructor(reason: unknown, isBegun: boolean) {
    super('interrupted');
    this.reason = reason;
    this.isBegun = isBegun;
  }
}

/** Writes one client's answers, no faster than it reads and no faster than others get their turn. */
export class AnswerWriter {
  readonly #client: ClientSocket;
  /** When the event loop had its last turn, as far as is known here. */
  #turnMs = performance.now();

  constructor(client: ClientSocket) {
    this.#client = client;
  }

  /**
   * Writes an answer with its last line feed.
   * @throws Interrupted where a stream breaks off, Gone where the client has left
   */
  async say(answer: Answer): Promise<void> {
    if (typeof answer !== 'string') return this.#pour(answer);
    // An empty line would end the answer.
    const text = answer.replaceAll(/\n{2,}/g, '\n').replace(/^\n|\n$/g, '');
    if (text !== '') await this.#client.write(`${text}\n`);
  }

  /** What stands behind an answer. @throws Gone */
  async end(text: string): Promise<void> {
    await this.#client.write(text);
    await this.#breathe();
  }

  async #pour(chunks: AsyncIterable<string | Buffer>): Promise<void> {
    let last = '\n';
    let isBegun = false;
    try {
      for await (const chunk of chunks) {
        if (chunk.length === 0) continue;
        await this.#client.write(chunk);
        await this.#breathe();
        last = typeof chunk === 'string' ? chunk.slice(-1) : String.fromCharCode(chunk.at(-1) ?? 10);
        isBegun = true;
      }
    } catch (error) {
      if (error instanceof Gone) throw error;
      if (last !== '\n') await this.#client.write('\n');
      throw new Interrupted(error, isBegun);
    }
    if (last !== '\n') await this.#client.write('\n');
  }

  /** A quick reader, and many commands or a quick source, would never let the event loop turn. */
  async #breathe(): Promise<void> {
    if (performance.now() - this.#turnMs < LONGEST_TURN_MS) return;
    await nextTurn();
    this.#turnMs = performance.now();
  }
}
