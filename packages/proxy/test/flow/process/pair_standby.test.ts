import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { VipConfig } from '../../../src/config/resolved.ts';
import type { Log } from '../../../src/log.ts';
import { makeFifo } from '../../../src/process/pair/notify_fifo.ts';
import { Pair } from '../../../src/process/pair/pair.ts';
import { until } from '../../kit/condition.ts';
import { makeDirectory } from '../../kit/directory.ts';

function say(fifo: string, word: string): void {
  const file = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  writeSync(file, `INSTANCE "limpet" ${word} 200\n`);
  closeSync(file);
}

test('who waits for a turn when the address leaves is reset, and is not sent to a broker first', async () => {
  await using directory = await makeDirectory('pair-standby');
  const pace = { limit: 1, queue: 10, queueTimeoutMs: 1000 };
  const files = { trackFile: directory.file('track'), notifyFifo: directory.file('notify') };
  const vip: VipConfig = { addresses: ['127.0.77.1'], ...files, connectRate: pace, paceForMs: 60_000 };
  const told: string[] = [];
  const worker = { id: 1, pid: process.pid, say: (message: readonly unknown[]) => told.push(String(message[0])) };
  const nothing = (): void => {};
  const log = { info: nothing, warn: nothing, error: nothing, debug: nothing } as unknown as Log;
  const pair = new Pair(
    {
      log,
      vip: () => vip,
      workers: () => [worker],
      readyWorkers: () => [],
      judge: () => ({ ready: true, trouble: '' }),
      gate: { pace: now => told.push(now === null ? 'those who wait go' : 'paced'), waiting: () => 1 },
      inheritedPaceMs: () => 0,
      tellPredecessor: nothing,
      readinessChanged: nothing,
    },
    false,
  );
  await makeFifo(vip.notifyFifo);
  try {
    pair.serve();
    say(vip.notifyFifo, 'MASTER');
    await until(() => pair.role === 'active', { what: 'the role active' });
    told.length = 0;
    say(vip.notifyFifo, 'BACKUP');
    await until(() => told.includes('those who wait go'), { what: 'the end of the pace' });
    expect(told.indexOf('standby')).toBeLessThan(told.indexOf('those who wait go'));
    expect(told[0]).toBe('standby');
  } finally {
    await pair.close();
  }
});
