import { expect, test } from 'vitest';
import { Chorus, UpgradeGate } from '../../../../src/process/upgrade/gate.ts';

function makeGate(isOpen: boolean): { gate: UpgradeGate<{ id: number }>; sent: string[] } {
  const sent: string[] = [];
  return { gate: new UpgradeGate(isOpen, ({ id }, index) => sent.push(`${id}:${index}`)), sent };
}

test('an open gate gives at once; a shut one keeps what was asked, once each, but not for the dead', () => {
  const { gate, sent } = makeGate(true);
  gate.ask({ id: 1 }, 0);
  gate.shut();
  for (const [id, index] of [
    [1, 1],
    [1, 1],
    [2, 0],
    [3, 0],
  ] as const)
    gate.ask({ id }, index);
  gate.workerGone({ id: 2 });
  expect(sent).toEqual(['1:0']);
  gate.open();
  expect(sent).toEqual(['1:0', '1:1', '3:0']);
  gate.ask({ id: 3 }, 1);
  expect(sent.at(-1)).toBe('3:1');
});

test('all is prepared when each worker has asked for each of its sockets', async () => {
  const { gate } = makeGate(false);
  const wanted = new Map([
    [1, [0, 1]],
    [2, [0, 1]],
  ]);
  let isPrepared = false;
  const prepared = gate
    .prepared(() => wanted)
    .then(() => {
      isPrepared = true;
    });
  gate.ask({ id: 1 }, 0);
  gate.ask({ id: 1 }, 1);
  gate.ask({ id: 2 }, 1);
  await Promise.resolve();
  expect(isPrepared).toBe(false);
  gate.ask({ id: 2 }, 0);
  await prepared;
});

test('a chorus waits for all, the dead excepted, and for nobody where there is nobody', async () => {
  const chorus = new Chorus();
  await chorus.wait([]);
  const all = chorus.wait([{ id: 1 }, { id: 2 }]);
  chorus.answered({ id: 1 });
  chorus.answered({ id: 3 });
  chorus.answered({ id: 2 });
  await all;
});
