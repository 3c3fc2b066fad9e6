import { setImmediate as nextTurn } from 'node:timers/promises';
import { LimpetError } from '../../errors.ts';
import { type Log, printable } from '../../log.ts';
import type { ApiHandler } from '../api/contract.ts';
import type { AdminLevel, By, Control } from '../control.ts';
import { type ClientSocket, Gone } from './client_socket.ts';
import { type Answer, type Command, type ConnectionControl, isAllowed, PERMISSION_DENIED, Refusal } from './command.ts';
import { escaped } from './escape.ts';
import { failureText } from './failure_text.ts';
import { findCommand } from './find_command.ts';
import { readCommandLine } from './grammar.ts';
import { LONGEST_LINE } from './lines.ts';
import { unknownText } from './session_commands.ts';

export interface ConversationOptions {
  readonly control: Control;
  readonly api: ApiHandler;
  readonly commands: readonly Command[];
  readonly level: AdminLevel;
  readonly by: By;
  readonly log: Log;
}

/**
 * HAProxy's manners (management manual, 9.3). Not interactive: one line, its answers, an empty line behind each, and the
 * connection is closed. Interactive: `> ` behind each answer, until `quit`, another `prompt`, or the client leaves.
 */
export class Conversation implements ConnectionControl {
  readonly #client: ClientSocket;
  readonly #options: ConversationOptions;
  #level: AdminLevel;
  #isInteractive = false;
  #isOver = false;
  #isBusy = false;
  /** When the event loop had its last turn, as far as this conversation knows. */
  #turnMs = performance.now();

  constructor(client: ClientSocket, options: ConversationOptions) {
    this.#client = client;
    this.#options = options;
    this.#level = options.level;
  }

  /** A command is being carried out. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Serves the client to the end. Never rejects. */
  async serve(): Promise<void> {
    try {
      do await this.#nextLine();
      while (this.#isInteractive && !this.#isOver);
      await this.#client.finish();
    } catch (error) {
      if (!(error instanceof Gone)) this.#fault(error, 'connection');
      this.#client.destroy();
    }
  }

  /** After the command that runs, if any, no further one. */
  stop(): void {
    this.#isOver = true;
    if (!this.#isBusy) this.#client.destroy();
  }

  /** At once, whatever it does. */
  abandon(): void {
    this.#client.destroy();
  }

  togglePrompt(): void {
    this.#isInteractive = !this.#isInteractive;
  }

  quit(): void {
    this.#isOver = true;
  }

  lowerLevel(level: AdminLevel): void {
    this.#level = level;
  }

  setTimeoutMs(timeoutMs: number): void {
    this.#client.timeoutMs = timeoutMs;
  }

  async #nextLine(): Promise<void> {
    const next = await this.#client.nextLine();
    if (next.kind === 'end') {
      this.#isOver = true;
      return;
    }
    if (next.kind === 'too_long') {
      this.#isOver = true;
      await this.#client.write(`The line is too long: at most ${LONGEST_LINE} bytes.\n\n`);
      return;
    }
    if (next.line.includes(NUL)) {
      this.#isOver = true;
      await this.#client.write('Commands are text.\n\n');
      return;
    }
    const line = next.line.toString('utf8');
    if (HTTP_REQUEST.test(line)) {
      this.#isOver = true;
      await this.#client.write('This is no HTTP server.\n\n');
      return;
    }
    const { commands, hasPayload } = readCommandLine(line);
    for (const [index, words] of commands.entries()) {
      if (this.#isOver) return;
      await this.#obey(words, hasPayload && index === commands.length - 1);
    }
  }

  async #obey(words: readonly string[], hasPayload: boolean): Promise<void> {
    const payload = hasPayload ? this.#payload() : null;
    this.#isBusy = true;
    try {
      await this.#answer(words, payload);
      if (payload !== null) await skip(payload);
    } finally {
      this.#isBusy = false;
    }
    if (this.#isOver && words[0] === 'quit') return;
    await this.#client.write(this.#isInteractive ? '\n> ' : '\n');
    await this.#breathe();
  }

  /** A quick reader, and many commands or a quick source, would never let the event loop turn. */
  async #breathe(): Promise<void> {
    if (performance.now() - this.#turnMs < LONGEST_TURN_MS) return;
    await nextTurn();
    this.#turnMs = performance.now();
  }

  async #answer(words: readonly string[], payload: AsyncGenerator<Buffer> | null): Promise<void> {
    const found = findCommand(this.#options.commands, words);
    if (found.kind === 'unknown') {
      await this.#say(unknownText(this.#options.commands, found.near, this.#level));
      return;
    }
    const { command, args } = found;
    try {
      await this.#say(await this.#run(command, args, payload));
    } catch (error) {
      if (error instanceof Gone) throw error;
      const { reason, isBegun } = error instanceof Interrupted ? error : { reason: error, isBegun: false };
      const text = failureText(reason) ?? this.#fault(reason, command.words);
      await this.#say(isBegun ? `# failed: ${text}` : text);
    }
  }

  #run(command: Command, args: readonly string[], payload: AsyncGenerator<Buffer> | null): Answer | Promise<Answer> {
    const { control, api, by, log } = this.#options;
    if (!isAllowed(this.#level, command.level)) throw new Refusal(PERMISSION_DENIED);
    if (payload !== null && command.takesPayload !== true) throw new Refusal('This command takes no payload.');
    // It is ended by its empty line, not by whoever stops reading it.
    const lines = payload === null ? null : { [Symbol.asyncIterator]: () => ({ next: () => payload.next() }) };
    const note = (text: string): void => {
      const what = printable(escaped(text));
      log.info('admin', { by, what }, `${what} (${by})`);
    };
    return command.run(args, { control, api, by, level: this.#level, payload: lines, note, connection: this });
  }

  /** Writes an answer with its last line feed. */
  async #say(answer: Answer): Promise<void> {
    if (typeof answer !== 'string') return this.#pour(answer);
    // An empty line would end the answer.
    const text = answer.replaceAll(/\n{2,}/g, '\n').replace(/^\n|\n$/g, '');
    if (text !== '') await this.#client.write(`${text}\n`);
  }

  /** @throws Interrupted where the stream breaks off, Gone where the client has left */
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

  /** The lines up to an empty one. */
  async *#payload(): AsyncGenerator<Buffer> {
    for (;;) {
      if (this.#isInteractive) await this.#client.write('+ ');
      const next = await this.#client.nextLine();
      if (next.kind === 'line' && next.line.length === 0) return;
      if (next.kind !== 'line') {
        this.#isOver = true;
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

  /** Tells the log, and answers what the client is told. */
  #fault(error: unknown, command: string): string {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#options.log.error('runtime_api_failed', { command, error: text }, `runtime API: ${command} failed`);
    return 'Internal error. The log says more.';
  }
}

/** What a command has not read of its payload is no command. Its answer is said already, so a missing end is no news. */
async function skip(payload: AsyncIterable<Buffer>): Promise<void> {
  try {
    for await (const _line of payload);
  } catch (error) {
    if (error instanceof Gone) throw error;
  }
}

/** What a browser sends that a web page has led here: `GET /;reload;x HTTP/1.1` would hold a command. */
const HTTP_REQUEST = /^[A-Z]+ .* HTTP\/\d/;
/** In what speaks another protocol (TLS, say), and may hold a stranger's text behind it; in no command. */
const NUL = 0;
const LONGEST_TURN_MS = 5;
const LINE_FEED = Buffer.from('\n');

/** A stream that broke off. */
class Interrupted extends Error {
  readonly reason: unknown;
  readonly isBegun: boolean;

  constructor(reason: unknown, isBegun: boolean) {
    super('interrupted');
    this.reason = reason;
    this.isBegun = isBegun;
  }
}
