import { type Log, printable } from '../../log.ts';
import type { ApiHandler } from '../api/contract.ts';
import type { AdminLevel, By, Control } from '../control.ts';
import { AnswerWriter, Interrupted } from './answer_writer.ts';
import { type ClientSocket, Gone } from './client_socket.ts';
import { type Answer, type Command, type ConnectionControl, isAllowed, PERMISSION_DENIED, Refusal } from './command.ts';
import { escaped } from './escape.ts';
import { failureText } from './failure_text.ts';
import { findCommand } from './find_command.ts';
import { readCommandLine } from './grammar.ts';
import { LONGEST_LINE, type NextLine } from './lines.ts';
import { Payload } from './payload.ts';
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
  readonly #writer: AnswerWriter;
  readonly #options: ConversationOptions;
  /** As configured where it came in: below `admin` it may not be silent for longer. */
  readonly #timeoutMs: number;
  #level: AdminLevel;
  #isInteractive = false;
  #isOver = false;
  #isBusy = false;
  /** What is said at the end of the command that runs. */
  #farewell = '';
  /** Commands are left of the last line. */
  #isCut = false;

  constructor(client: ClientSocket, options: ConversationOptions) {
    this.#client = client;
    this.#writer = new AnswerWriter(client);
    this.#options = options;
    this.#timeoutMs = client.timeoutMs;
    this.#level = options.level;
  }

  /** Since when the client is silent though it is its turn; null: it is being answered, or is on its way out. */
  get silentSinceMs(): number | null {
    return this.#client.silentSinceMs;
  }

  /** Serves the client to the end. Never rejects. */
  async serve(): Promise<void> {
    try {
      do await this.#nextLine();
      while (this.#isInteractive && !this.#isOver);
      if (this.#farewell !== '' && (this.#isInteractive || this.#isCut)) await this.#client.write(this.#farewell);
      await this.#client.finish();
    } catch (error) {
      if (!(error instanceof Gone)) this.#fault(error, 'connection');
      this.#client.destroy();
    }
  }

  /** After the command that runs, if any, no further one; then the client is told why, and the connection is closed. */
  stop(why: string): void {
    this.#isOver = true;
    if (this.#isBusy) this.#farewell = why;
    else this.#client.dismiss(why);
  }

  /** At once, in the middle of a payload too. */
  dismiss(why: string): void {
    this.#isOver = true;
    this.#client.dismiss(why);
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

  /** From the next command on; a level that is lower already stays. */
  lowerLevel(level: AdminLevel): void {
    if (isAllowed(this.#level, level)) this.#level = level;
    this.setTimeoutMs(this.#client.timeoutMs);
  }

  /** Only `admin` may be silent for longer than is configured: others would keep places that are few. */
  setTimeoutMs(timeoutMs: number): void {
    this.#client.timeoutMs = this.#level === 'admin' ? timeoutMs : Math.min(timeoutMs, this.#timeoutMs);
  }

  async #nextLine(): Promise<void> {
    const next = await this.#client.nextLine();
    if (next.kind === 'end') {
      this.#isOver = true;
      return;
    }
    const fault = faultOf(next);
    if (next.kind !== 'line' || fault !== null) {
      this.#isOver = true;
      await this.#client.write(`${fault}\n\n`);
      return;
    }
    const { commands, hasPayload } = readCommandLine(next.line.toString('utf8'));
    for (const [index, words] of commands.entries()) {
      this.#isCut = this.#isOver;
      if (this.#isOver) return;
      await this.#obey(words, hasPayload && index === commands.length - 1);
    }
  }

  async #obey(words: readonly string[], hasPayload: boolean): Promise<void> {
    const broken = (): void => this.quit();
    const payload = hasPayload ? new Payload(this.#client, this.#isInteractive, broken) : null;
    this.#isBusy = true;
    try {
      await this.#answer(words, payload);
      await payload?.skip();
      if (this.#isOver && words[0] === 'quit') return;
      await this.#writer.end(this.#isInteractive ? '\n> ' : '\n');
    } finally {
      this.#isBusy = false;
    }
  }

  async #answer(words: readonly string[], payload: Payload | null): Promise<void> {
    const found = findCommand(this.#options.commands, words);
    if (found.kind === 'unknown') {
      await this.#writer.say(unknownText(this.#options.commands, found.near, this.#level));
      return;
    }
    const { command, args } = found;
    try {
      await this.#writer.say(await this.#run(command, args, payload));
    } catch (error) {
      if (error instanceof Gone) throw error;
      const { reason, isBegun } = error instanceof Interrupted ? error : { reason: error, isBegun: false };
      const text = failureText(reason) ?? this.#fault(reason, command.words);
      await this.#writer.say(isBegun ? `# failed: ${text}` : text);
    }
  }

  #run(command: Command, args: readonly string[], payload: Payload | null): Answer | Promise<Answer> {
    const { control, api, by, log } = this.#options;
    if (!isAllowed(this.#level, command.level)) throw new Refusal(PERMISSION_DENIED);
    if (payload !== null && command.takesPayload !== true) throw new Refusal('This command takes no payload.');
    const note = (text: string): void => {
      const what = printable(escaped(text));
      log.info('admin', { by, what }, `${what} (${by})`);
    };
    return command.run(args, { control, api, by, level: this.#level, payload, note, connection: this });
  }

  /** Tells the log, and answers what the client is told. */
  #fault(error: unknown, command: string): string {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#options.log.error('runtime_api_failed', { command, error: text }, `runtime API: ${command} failed`);
    return 'Internal error. The log says more.';
  }
}

/** What a browser sends that a web page has led here: `GET /;reload;x HTTP/1.1` would hold a command. */
const HTTP_REQUEST = /^[A-Z]+ .* HTTP\/\d/;
/** In what speaks another protocol (TLS, say), and may hold a stranger's text behind it; in no command. */
const NUL = 0;

/** Why nothing on this line is obeyed; null: it may be. */
function faultOf(next: NextLine): string | null {
  if (next.kind === 'too_long') return `The line is too long: at most ${LONGEST_LINE} bytes.`;
  if (next.kind === 'end') return null;
  if (next.line.includes(NUL)) return 'Commands are text.';
  return HTTP_REQUEST.test(next.line.toString('utf8')) ? 'This is no HTTP server.' : null;
}
