/** A header field as it was written: the name in the sender's spelling, the value without the white space around it. */
export type Field = readonly [name: string, value: string];

/** The start line, the header fields in their order, and the bytes that came behind the empty line. */
export interface Head {
  readonly startLine: string;
  readonly fields: readonly Field[];
  readonly rest: Buffer;
}

/** `status` is what a server answers: 400, or 431 where a limit was passed. The detail has no text of the peer in it. */
export type HeadReading =
  | { readonly kind: 'more' }
  | { readonly kind: 'head'; readonly head: Head }
  | { readonly kind: 'bad'; readonly status: 400 | 431; readonly detail: string };

/** More than any browser sends. */
export const MAX_HEAD_BYTES: number = 16 * 1024;
const MAX_FIELDS = 100;

const NOTHING = Buffer.alloc(0);
const FIRST_CAPACITY_BYTES = 512;
const MORE: HeadReading = { kind: 'more' };
const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const DEL = 0x7f;
/** RFC 9110, 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Reads the head of an HTTP/1.1 message as its bytes come (RFC 9112, 2.1). Strict, because what stands between must not
 * read it differently: lines end with CRLF and nothing else, no control characters, no folded lines, no white space
 * before a colon. What is no head is known at its first wrong byte. Holds at most 16 KiB; each byte is looked at once.
 */
export class HeadReader {
  #held: Buffer = NOTHING;
  #length = 0;
  #lines = 0;
  #lineLength = 0;
  #afterCr = false;

  /** To be called until the answer is not `more`, and not again. */
  push(chunk: Buffer): HeadReading {
    for (let at = 0; at < chunk.length; at += 1) {
      const seen = this.#look(chunk[at] ?? 0);
      if (seen === 'bad') return bad(400, 'a byte that has no place in a header');
      if (seen === 'end') return this.#whole(chunk, at + 1);
      if (this.#lines > MAX_FIELDS + 1) return bad(431, `more than ${MAX_FIELDS} header fields`);
      if (this.#length + at + 1 >= MAX_HEAD_BYTES) return bad(431, `a header of more than ${MAX_HEAD_BYTES} bytes`);
    }
    this.#hold(chunk);
    return MORE;
  }

  #look(byte: number): 'on' | 'end' | 'bad' {
    if (this.#afterCr) {
      this.#afterCr = false;
      if (byte !== LF) return 'bad';
      if (this.#lineLength === 0) return this.#lines === 0 ? 'bad' : 'end';
      this.#lines += 1;
      this.#lineLength = 0;
      return 'on';
    }
    if (byte === CR) {
      this.#afterCr = true;
      return 'on';
    }
    if ((byte < SPACE && byte !== HTAB) || byte === DEL) return 'bad';
    this.#lineLength += 1;
    return 'on';
  }

  #whole(chunk: Buffer, end: number): HeadReading {
    const last = chunk.subarray(0, end);
    const head = this.#length === 0 ? last : Buffer.concat([this.#held.subarray(0, this.#length), last]);
    this.#held = NOTHING;
    return parse(head.toString('latin1', 0, head.length - 4), chunk.subarray(end));
  }

  /** Doubles, so that a head that trickles byte by byte takes no more memory than it is long, twice. */
  #hold(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (length > this.#held.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(FIRST_CAPACITY_BYTES, length, this.#held.length * 2));
      this.#held.copy(grown, 0, 0, this.#length);
      this.#held = grown;
    }
    chunk.copy(this.#held, this.#length);
    this.#length = length;
  }
}

function parse(text: string, rest: Buffer): HeadReading {
  const [startLine = '', ...lines] = text.split('\r\n');
  const fields: Field[] = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    // A folded line begins with white space (RFC 9112, 5.2), which is no token either.
    if (!TOKEN.test(name)) return bad(400, 'a header field without a proper name');
    fields.push([name, trimmed(line.slice(colon + 1))]);
  }
  return { kind: 'head', head: { startLine, fields, rest } };
}

/** All values of the fields of that name, which is given in lower case. */
export function valuesOf(fields: readonly Field[], name: string): string[] {
  return fields.filter(([own]) => own.toLowerCase() === name).map(([, value]) => value);
}

/** The elements of a comma-separated field, over all its lines (RFC 9110, 5.6.1). Empty ones are left out. */
export function listOf(fields: readonly Field[], name: string): string[] {
  return valuesOf(fields, name)
    .flatMap(value => value.split(','))
    .map(trimmed)
    .filter(element => element !== '');
}

/** Whether a comma-separated field has this element; case does not matter. The element is given in lower case. */
export function hasToken(fields: readonly Field[], name: string, element: string): boolean {
  return listOf(fields, name).some(one => one.toLowerCase() === element);
}

export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Without spaces and tabs at both ends. `trim()` would take other characters of Latin-1, too. */
function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === SPACE || code === HTAB;
}

function bad(status: 400 | 431, detail: string): HeadReading {
  return { kind: 'bad', status, detail };
}
