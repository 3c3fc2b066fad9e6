import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerReader } from '../../src/admin/answer_reader.ts';
import { payloadLines } from '../../src/admin/payload.ts';

async function* cut(text: string, sizes: readonly number[]): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

function reader(text: string, sizes: readonly number[] = [7]): AnswerReader {
  return new AnswerReader(cut(text, sizes), '/x.sock');
}

async function all(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('an answer', () => {
  it('is JSON, one after the other', async () => {
    const answers = reader('\n200\n{"a":1}\n\n202\n[2]\n\n');
    await answers.emptyAnswer();
    expect([await answers.json(), await answers.json()]).toEqual([{ a: 1 }, [2]]);
  });

  it('is an error with code and remedy, harmless', async () => {
    const error = { code: 'NO_ENTRY', message: 'no "\u009b"', remedy: 'look' };
    const answer = reader(`404\n${JSON.stringify({ error })}\n\n`).json();
    await expect(answer).rejects.toMatchObject({ code: 'NO_ENTRY', message: 'no "\\xc2\\x9b"', remedy: 'look' });
  });

  it.each([
    ['', 'CUT_OFF'],
    ['200\n{"a"', 'CUT_OFF'],
    ['200\n{"a":1}\n', 'CUT_OFF'],
    ['200\n{"a"\n\n', 'NOT_LIMPET'],
    ['Unknown command.\n\n', 'NOT_LIMPET'],
    ['Too many connections: at most 64.\n\n', 'NOT_LIMPET'],
  ])('%j is none', async (text, code) => {
    await expect(reader(text).json()).rejects.toMatchObject({ code });
  });
});

describe('a stream', () => {
  it('is what was sent, however it was cut', async () => {
    const lines = fc.array(fc.stringMatching(/^[^\n]{1,30}$/), { maxLength: 300 });
    const sizes = fc.array(fc.integer({ min: 1, max: 6_000 }), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(lines, sizes, async (sent, cuts) => {
        const text = sent.map(line => `${line}\n`).join('');
        expect(await all(reader(`200\n${text === '' ? '\n' : text}\n`, cuts).stream())).toBe(text === '' ? '\n' : text);
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['200\n\n', ''],
    ['200\na\n\n', 'a\n'],
    ['200\n# failed: x\nb\n\n', '# failed: x\nb\n'],
  ])('%j', async (text, expected) => {
    expect(await all(reader(text).stream())).toBe(expected);
  });

  it.each([
    ['200\na\n# failed: No such table\n\n', 'STREAM_FAILED'],
    ['200\n# failed: No such table\n\n', 'STREAM_FAILED'],
    [`200\n${'a\n'.repeat(9_000)}# failed: x\n\n`, 'STREAM_FAILED'],
    ['200\na\n', 'CUT_OFF'],
    ['200\na', 'CUT_OFF'],
    ['404\n{"error":{"code":"NO_TABLE"}}\n\n', 'NO_TABLE'],
  ])('%j breaks off', async (text, code) => {
    await expect(all(reader(text, [5_000]).stream())).rejects.toMatchObject({ code });
  });
});

describe('a payload', () => {
  it.each([
    ['a\nb\n', 'a\nb\n'],
    ['a\r\n\r\n\nb', 'a\n \n \nb\n'],
    ['', ''],
    ['\n', ' \n'],
    [`${'x'.repeat(50_000)}\ny\n`, `${'x'.repeat(32_768)}\ny\n`],
    ['x'.repeat(200_000), `${'x'.repeat(32_768)}\n`],
  ])('%#', async (text, expected) => {
    for (const size of [1_000, 40_000, 1_000_000]) expect(await all(payloadLines(cut(text, [size])))).toBe(expected);
  });
});
