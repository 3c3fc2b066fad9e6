import { LimpetError } from '@limpet/proxy';
import { addressText, type Place } from './address.ts';
import { AnswerReader } from './answer_reader.ts';
import { Connection } from './connection.ts';
import { payloadLines } from './payload.ts';

export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Behind `/api/v1`, percent-encoded (`path()`), perhaps with a query. */
  readonly path: string;
  readonly body?: unknown;
}

/** The proxy may be silent for so long before it answers. */
const SILENT_MS = 10_000;
/** A reload looks names up and waits for workers; a table may be cleared entry by entry. */
const LONG_MS = 300_000;
/** The proxy waits so long for whoever reads a stream slowly, a pager for example. */
const READER_SECONDS = 3_600;

/** Asks the running proxy, over its runtime API. Each request has a connection of its own. */
export class AdminClient {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  get address(): string {
    return addressText(this.#place.address);
  }

  /** @throws LimpetError with the proxy's own code where it refuses; NO_PROXY, NO_ANSWER, … */
  async get<T>(path: string): Promise<T> {
    const [answer] = await this.all([{ method: 'GET', path }]);
    return answer as T;
  }

  /** @throws LimpetError as `get` */
  async send<T>(method: ApiCall['method'], path: string, body?: unknown): Promise<T> {
    const [answer] = await this.all([{ method, path, ...(body === undefined ? {} : { body }) }], LONG_MS);
    return answer as T;
  }

  /** Several at once, answered in their order and at nearly the same moment. @throws LimpetError as `get` */
  async all(calls: readonly ApiCall[], silentMs: number = SILENT_MS): Promise<readonly unknown[]> {
    using connection = await Connection.open(this.#place);
    await connection.write(`${calls.map(commandOf).join(';')}\n`);
    const reader = new AnswerReader(connection.read(silentMs), this.address);
    const answers: unknown[] = [];
    for (const _ of calls) answers.push(await reader.json());
    return answers;
  }

  /** A stream of the proxy's, chunk by chunk; the proxy goes on when the next one is asked for. @throws LimpetError as `get` */
  async *stream(path: string): AsyncGenerator<Buffer> {
    using connection = await Connection.open(this.#place);
    await connection.write(`set timeout cli ${READER_SECONDS};${commandOf({ method: 'GET', path })}\n`);
    // A long table may have no entry that matches for a while.
    const reader = new AnswerReader(connection.read(LONG_MS), this.address);
    await reader.emptyAnswer();
    yield* reader.stream();
  }

  /** Sends lines with a request, as fast as the proxy takes them. @throws LimpetError as `get` */
  async upload<T>(path: string, lines: AsyncIterable<Buffer>): Promise<T> {
    using connection = await Connection.open(this.#place);
    await connection.write(`set timeout cli ${READER_SECONDS};${commandOf({ method: 'POST', path })} <<\n`);
    for await (const chunk of payloadLines(lines)) {
      if (connection.isOver) break;
      await connection.write(chunk);
    }
    if (!connection.isOver) await connection.write('\n');
    const reader = new AnswerReader(connection.read(LONG_MS), this.address);
    await reader.emptyAnswer();
    return (await reader.json()) as T;
  }

  /** A command as it is, and what the proxy says to it, as it comes. @throws LimpetError NO_PROXY, CUT_OFF, … */
  async *command(line: string, payload?: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    using connection = await Connection.open(this.#place);
    await connection.write(`${line}\n`);
    if (payload !== undefined) {
      for await (const chunk of payloadLines(payload)) await connection.write(chunk);
      await connection.write('\n');
    }
    yield* connection.read(LONG_MS);
  }
}

/** A path whose parts may hold anything: path`/table/${backend}/${key}`. */
export function path(parts: TemplateStringsArray, ...names: readonly string[]): string {
  return String.raw({ raw: parts }, ...names.map(encoded));
}

/** `?a=1&b=2` of what is said; nothing: ''. */
export function query(said: Readonly<Record<string, string | number | undefined>>): string {
  const parts = Object.entries(said).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encoded(String(value))}`],
  );
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

/** Half a surrogate pair is no text that could be asked for. @throws LimpetError BAD_TEXT */
function encoded(text: string): string {
  if (text.isWellFormed()) return encodeURIComponent(text);
  throw new LimpetError('BAD_TEXT', 'the name is no UTF-8', 'Write it in UTF-8.');
}

/** Words of a command end at spaces and semicolons that no backslash stands before. */
function commandOf({ method, path: target, body }: ApiCall): string {
  const words = `api ${method} ${target}`;
  return body === undefined ? words : `${words} ${JSON.stringify(body).replace(/[\\; \t]/g, '\\$&')}`;
}
