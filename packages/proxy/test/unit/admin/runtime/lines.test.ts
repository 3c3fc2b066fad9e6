import { describe, expect, it } from 'vitest';
import { Lines, LONGEST_LINE } from '../../../../src/admin/runtime/lines.ts';

async function linesOf(...chunks: string[]): Promise<string[]> {
  const lines = new Lines(feed(chunks));
  const texts: string[] = [];
  for (;;) {
    const next = await lines.next();
    texts.push(next.kind === 'line' ? next.line.toString() : `<${next.kind}>`);
    if (next.kind !== 'line') return texts;
  }
}

async function* feed(chunks: readonly string[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

describe('lines', () => {
  it.each<[chunks: string[], lines: string[]]>([
    [[], ['<end>']],
    [['a\nb\n'], ['a', 'b', '<end>']],
    [
      ['a\r\n', 'b'],
      ['a', 'b', '<end>'],
    ],
    [
      ['sh', 'ow', ' info\n\n'],
      ['show info', '', '<end>'],
    ],
    [
      ['x'.repeat(LONGEST_LINE), '\n'],
      ['x'.repeat(LONGEST_LINE), '<end>'],
    ],
    [['x'.repeat(LONGEST_LINE + 1)], ['<too_long>']],
    [[`${'x'.repeat(LONGEST_LINE + 1)}\n`], ['<too_long>']],
  ])('case %#', async (chunks, lines) => {
    expect(await linesOf(...chunks)).toEqual(lines);
  });

  it('reads nothing before it is asked', async () => {
    let asked = 0;
    async function* counted(): AsyncGenerator<Buffer> {
      for (;;) {
        asked += 1;
        yield Buffer.from('a\nb\n');
      }
    }
    const lines = new Lines(counted());
    expect(asked).toBe(0);
    await lines.next();
    await lines.next();
    expect(asked).toBe(1);
  });
});
