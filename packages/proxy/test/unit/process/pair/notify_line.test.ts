import { describe, expect, test } from 'vitest';
import { readNotice } from '../../../../src/process/pair/notify_line.ts';

describe('lines of the FIFO', () => {
  test.each([
    ['INSTANCE "limpet" MASTER 200', true],
    ['INSTANCE "limpet" BACKUP 200', false],
    ['INSTANCE "limpet" FAULT 0', false],
    ['INSTANCE "limpet" STOP 200', false],
    ['GROUP "pair" MASTER 0', true],
    ['GROUP "pair" FAULT', false],
  ])('%s: is it the master? %s', (line, isMaster) => {
    expect(readNotice(line)).toMatchObject({ kind: 'word', isMaster });
  });

  test('it says who said what', () => {
    expect(readNotice('INSTANCE "limpet v6" MASTER 254')).toEqual({
      kind: 'word',
      isMaster: true,
      who: 'limpet v6',
      word: 'MASTER',
    });
  });

  test.each(['', ' ', 'INSTANCE "limpet" MASTER_RX_LOWER_PRI 200', 'INSTANCE "limpet" BACKUP_PRIORITY 100'])(
    '%j changes nothing',
    line => {
      expect(readNotice(line)).toEqual({ kind: 'none' });
    },
  );

  test.each([
    'MASTER',
    'INSTANCE limpet MASTER 200',
    'INSTANCE "limpet" master 200',
    'INSTANCE "limpet" MASTER 200 BACKUP',
    'INSTANCE "a" MASTER 200\rINSTANCE "a" FAULT 200',
    'SCRIPT "x" MASTER 200',
  ])('%j means nothing here', line => {
    expect(readNotice(line)).toMatchObject({ kind: 'unknown' });
  });

  test('what it repeats is escaped, and short', () => {
    const notice = readNotice(`\u001b[2J${'x'.repeat(10_000)}`);
    expect(notice.kind === 'unknown' && notice.text).toMatch(/^\\u001b\[2Jx{200,260}… \(10004 characters\)$/);
    expect(readNotice('INSTANCE "\u001b[2J" MASTER 1')).toMatchObject({ who: '\\u001b[2J' });
  });
});
