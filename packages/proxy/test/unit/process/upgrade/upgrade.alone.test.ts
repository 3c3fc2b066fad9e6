import { expect, test, vi } from 'vitest';
import { SILENT } from '../../../../src/log.ts';
import { type UpgradePremises, Upgrades } from '../../../../src/process/upgrade/upgrade.ts';

vi.mock('../../../../src/process/upgrade/launch.ts', () => ({
  launchSuccessor: () => {
    throw new Error('spawn ENOMEM');
  },
}));

test('P9: a process that cannot be started at all is told of, and another upgrade may be tried', async () => {
  const failures: string[] = [];
  const log = {
    ...SILENT,
    error: (event: string, fields: unknown) => failures.push(`${event} ${JSON.stringify(fields)}`),
  };
  const premises = { log, admin: { onChange() {} }, isStopping: () => false };
  const upgrades = new Upgrades(premises as unknown as UpgradePremises, null);
  await upgrades.start();
  expect(failures).toEqual(['upgrade_failed {"reason":"spawn ENOMEM"}']);
  expect([upgrades.isUnderWay, upgrades.facts.failure?.reason]).toEqual([false, 'spawn ENOMEM']);
});
