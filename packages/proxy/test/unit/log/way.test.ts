import { describe, expect, test } from 'vitest';
import { isForDatagrams } from '../../../src/log/target.ts';
import { codedError, sendLines } from '../../../src/log/way.ts';

/** What is sent of a text, and what is answered, where each line that has a code in the table fails with it. */
function sending(text: string, codes: Readonly<Record<string, string>>) {
  const sent: string[] = [];
  let answer: readonly [code: string | null, written: number, lost: number | undefined] | null = null;
  sendLines(
    Buffer.from(text),
    line => {
      const code = codes[line.toString()];
      if (code !== undefined) return codedError(code);
      sent.push(line.toString());
      return null;
    },
    (error, written, lost) => {
      answer = [error?.code ?? null, written, lost];
    },
  );
  return { sent, answer };
}

describe('a datagram for each line', () => {
  test.each<readonly [what: string, codes: Record<string, string>, sent: readonly string[], answer: object]>([
    ['all are taken', {}, ['a', 'bb', 'c'], [null, 7, 0]],
    ['the first is not', { a: 'ECONNREFUSED' }, [], ['ECONNREFUSED', 0, undefined]],
    ['a later one is not: it is asked for again', { bb: 'EAGAIN' }, ['a'], [null, 2, 0]],
    ['one is too long: it is lost', { bb: 'EMSGSIZE' }, ['a', 'c'], [null, 7, 1]],
    ['the only ones are too long', { a: 'EMSGSIZE', bb: 'EAGAIN' }, [], [null, 2, 1]],
  ])('%s', (_, codes, sent, answer) => {
    expect(sending('a\nbb\nc\n', codes)).toEqual({ sent, answer });
  });

  test('the rest of a line is one', () => {
    expect(sending('a\nb', {})).toEqual({ sent: ['a', 'b'], answer: [null, 3, 0] });
  });
});

test("the kernel's list tells sockets for datagrams from others", () => {
  const list = [
    'Num       RefCount Protocol Flags    Type St Inode Path',
    'ffff8fd0: 00000002 00000000 00010000 0001 01 20114 /run/stream.sock',
    'ffff8fd1: 00000003 00000000 00000000 0002 01 20115 /run/systemd/journal/dev-log',
    'ffff8fd2: 00000002 00000000 00000000 0002 01 20116',
    'ffff8fd3: 00000002 00000000 00000000 0002 01 20117 /run/a b.sock',
  ].join('\n');
  const found = ['/run/stream.sock', '/run/systemd/journal/dev-log', '', '/run/a b.sock', '/run/other'].map(path =>
    isForDatagrams(list, path),
  );
  expect(found).toEqual([false, true, true, true, false]);
});
