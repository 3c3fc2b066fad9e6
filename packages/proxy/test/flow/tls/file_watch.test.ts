import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FileWatch } from '../../../src/tls/file_watch.ts';
import { until } from '../../kit/condition.ts';
import { makeDirectory } from '../../kit/directory.ts';

test('a change whose handler fails is told again, and so is the next one', async () => {
  await using directory = await makeDirectory('watch');
  const path = directory.write('site.pem', 'one');
  let calls = 0;
  const watch = new FileWatch(
    () => [path],
    async () => {
      calls += 1;
      if (calls === 1) throw new Error('a handler that fails');
    },
  );
  await watch.start();
  writeFileSync(path, 'the second');
  await until(() => calls === 2, { what: 'a second call', timeoutMs: 5000 });
  writeFileSync(path, 'the third one');
  await until(() => calls === 3, { what: 'a third call', timeoutMs: 5000 });
  expect(calls).toBe(3);
  watch.close();
});
