import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, linkSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { makeFifo } from '../../../src/process/pair/notify_fifo.ts';
import { TrackFile } from '../../../src/process/pair/track_file.ts';
import { makeDirectory } from '../../kit/directory.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

test('a FIFO that everybody may write is refused: each writer there can have all clients reset', async () => {
  await using directory = await makeDirectory('pair-files');
  const path = directory.file('notify');
  execFileSync('mkfifo', [path]);
  chmodSync(path, 0o662);
  await expect(makeFifo(path)).rejects.toMatchObject({ code: 'NOTIFY_FIFO', message: /everybody may write there$/ });
  chmodSync(path, 0o660);
  await makeFifo(path);
});

test.runIf(isRoot)('so is one of another user, who could open it to all', async () => {
  await using directory = await makeDirectory('pair-files');
  const path = directory.file('notify');
  execFileSync('mkfifo', ['-m', '0660', path]);
  chownSync(path, NOBODY, NOBODY);
  await expect(makeFifo(path)).rejects.toMatchObject({ code: 'NOTIFY_FIFO', message: /belongs to another user$/ });
});

test('a track file that is another file, too, stays untouched: its words and its mode', async () => {
  await using directory = await makeDirectory('pair-files');
  const secret = directory.file('secret');
  writeFileSync(secret, 'a secret\n', { mode: 0o600 });
  linkSync(secret, directory.file('track'));
  const track = new TrackFile(directory.file('track'));
  expect(() => track.write(true)).toThrow(/another name, too/);
  expect([readFileSync(secret, 'utf8'), statSync(secret).mode & 0o777]).toEqual(['a secret\n', 0o600]);
});

test.runIf(isRoot)('nor is one of another user written', async () => {
  await using directory = await makeDirectory('pair-files');
  const path = directory.file('track');
  writeFileSync(path, '1\n');
  chownSync(path, NOBODY, NOBODY);
  expect(() => new TrackFile(path).write(true)).toThrow(/belongs to another user/);
  expect(readFileSync(path, 'utf8')).toBe('1\n');
});
