import { expect, test } from 'vitest';
import { CONTRACT } from '../../../src/native/addon.ts';
import { type Attempt, chooseAddon, platformName } from '../../../src/native/load_addon.ts';

const ours: Attempt = { result: 'loaded', addon: { contract: CONTRACT } };
const older: Attempt = { result: 'loaded', addon: { contract: CONTRACT - 1 } };
const absent: Attempt = { result: 'absent' };
const broken: Attempt = { result: 'failed', reason: 'invalid ELF header' };

test.each<[string, readonly Attempt[]]>([
  ['what was built here', [ours, absent]],
  ['what came with the package', [absent, ours]],
  ['what came with the package, where what was built here is of no use', [older, ours]],
  ['what came with the package, where what was built here is broken', [broken, ours]],
])('%s is used', (_, attempts) => {
  expect(chooseAddon(attempts, () => null).addon).toMatchObject({ contract: CONTRACT });
});

test.each<[string, readonly Attempt[], string | null]>([
  ['the addon was not built (there is no make)', [absent, absent], 'there is no make'],
  ['the addon was not built (its build script has not run)', [absent, absent], null],
  ['the addon cannot be loaded (invalid ELF header)', [broken, absent], null],
  ['the addon cannot be loaded (invalid ELF header)', [broken, older], null],
  ['the addon is of another version of Limpet and must be built again', [older, broken], 'of no account'],
])('it says why there is none: %s', (why, attempts, whyNotBuilt) => {
  expect(chooseAddon(attempts, () => whyNotBuilt)).toEqual({ addon: null, why });
});

test('a machine without the folder of libraries is one like most, not an error', () => {
  expect(platformName('/nowhere')).toBe(`${process.platform}-${process.arch}-glibc`);
});
