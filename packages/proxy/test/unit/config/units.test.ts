import { describe, expect, test } from 'vitest';
import { readCount, readDuration, readRate, readSize, writeDuration, writeSize } from '../../../src/config/units.ts';

describe('durations', () => {
  test.each([
    ['250ms', 250],
    ['10s', 10_000],
    ['30m', 1_800_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    [10_000, 10_000],
    ['10000', 10_000],
    [0, 0],
  ])('%s is %i ms', (written, ms) => {
    expect(readDuration(written)).toEqual({ ok: true, value: ms });
  });

  test.each([
    '',
    's',
    '10 s',
    '-1s',
    '1.5s',
    '10S',
    '10sec',
    '1h30m',
    '10k',
    true,
    '99999999999999999s',
    '900719925474d',
  ])('%s is refused, with examples of what is right', written => {
    const reading = readDuration(written);
    expect(reading.ok).toBe(false);
    expect(reading).toHaveProperty('remedy', expect.stringContaining('250ms, 10s, 30m, 1h or 1d'));
  });

  test.each([0, 1, 250, 1500, 90_000, 1_800_000, 86_400_000])('%i ms is written as it is read', ms => {
    expect(readDuration(writeDuration(ms))).toEqual({ ok: true, value: ms });
  });
});

describe('sizes: k is 1024, as in HAProxy', () => {
  test.each([
    ['100k', 102_400],
    ['16KiB', 16_384],
    ['64MiB', 67_108_864],
    ['1g', 1_073_741_824],
    ['512B', 512],
    [512, 512],
  ])('%s is %i bytes', (written, bytes) => {
    expect(readSize(written)).toEqual({ ok: true, value: bytes });
  });

  test.each(['', 'k', '1.5k', '-1', '1T', '1KiBs', '16 KiB', false])('%s is refused', written => {
    expect(readSize(written).ok).toBe(false);
  });

  test.each(['64MB', '1kb', '1GB'])('%s could mean two things', written => {
    expect(readSize(written)).toHaveProperty('message', '{value} could mean 1000 or 1024');
  });

  test.each([1, 1000, 1024, 524_288, 67_108_864])('%i bytes are written as they are read', bytes => {
    expect(readSize(writeSize(bytes))).toEqual({ ok: true, value: bytes });
  });
});

describe('counts', () => {
  test.each([
    ['100k', 102_400],
    ['1m', 1_048_576],
    [5000, 5000],
  ])('%s is %i', (written, number) => {
    expect(readCount(written)).toEqual({ ok: true, value: number });
  });

  test.each(['100KiB', '5b', '1s', 'many'])('%s is refused', written => {
    expect(readCount(written).ok).toBe(false);
  });
});

describe('rates', () => {
  test.each([
    ['500/s', 500],
    ['30000/m', 500],
    ['30/m', 0.5],
    ['3600/h', 1],
    [' 5000/s ', 5000],
  ])('%s is %d a second', (written, perSecond) => {
    expect(readRate(written)).toEqual({ ok: true, value: perSecond });
  });

  test.each(['', '500', 500, '/s', '500/', '500/d', '500 /s', '-5/s', '0.5/s', '500/S', '1s', true])(
    '%s is refused, with examples of what is right',
    written => {
      expect(readRate(written)).toMatchObject({
        ok: false,
        remedy: expect.stringContaining('500/s, 30000/m or 100/h'),
      });
    },
  );

  test.each(['0/s', '10000001/s', '999999999999/m'])('%s is out of bounds', written => {
    expect(readRate(written)).toMatchObject({ ok: false, remedy: 'Write 1/h to 10000000/s.' });
  });
});
