import { describe, expect, test } from 'vitest';
import { LimpetError } from '../../../src/errors.ts';
import { CONTRACT, type NativeAddon } from '../../../src/native/addon.ts';
import type { LoadedAddon } from '../../../src/native/load_addon.ts';
import { chooseRelay, pinWorker } from '../../../src/native/relay_choice.ts';

const pinned: (readonly number[])[] = [];

function addonThat(pin: (cpus: readonly number[]) => void): NativeAddon {
  return { contract: CONTRACT, bind: () => 0, pin, createEngine: () => expect.unreachable() };
}

const ADDON = addonThat(cpus => pinned.push(cpus));
const THERE = (): LoadedAddon => ({ addon: ADDON });
const ABSENT = (): LoadedAddon => ({ addon: null, why: 'the addon was not built (no compiler)' });

function codeOf(what: () => unknown): string {
  try {
    what();
  } catch (error) {
    if (error instanceof LimpetError) return `${error.code}: ${error.message}`;
  }
  return 'nothing was thrown';
}

describe('global.relay', () => {
  test.each([
    ['auto', THERE, ADDON, 'native'],
    ['native', THERE, ADDON, 'native'],
    ['node', THERE, null, 'node: as global.relay says'],
    ['auto', ABSENT, null, 'node: the addon was not built (no compiler)'],
    ['node', ABSENT, null, 'node: as global.relay says'],
  ] as const)('%s: what is used, and the words for it', (relay, load, addon, words) => {
    expect(chooseRelay({ relay, cpuMap: null }, load)).toEqual({ addon, words });
  });

  test('node does not even look for the addon, unless the CPUs are mapped', () => {
    let looked = 0;
    const load = (): LoadedAddon => {
      looked += 1;
      return THERE();
    };
    chooseRelay({ relay: 'node', cpuMap: null }, load);
    expect(looked).toBe(0);
    expect(chooseRelay({ relay: 'node', cpuMap: [[0]] }, load).addon).toBe(null);
    expect(looked).toBe(1);
  });

  test('what cannot be had is an error that says why', () => {
    expect(codeOf(() => chooseRelay({ relay: 'native', cpuMap: null }, ABSENT))).toBe(
      'RELAY_UNAVAILABLE: global.relay is native, and there is no native addon: the addon was not built (no compiler)',
    );
    for (const relay of ['auto', 'node'] as const) {
      expect(codeOf(() => chooseRelay({ relay, cpuMap: [[0]] }, ABSENT))).toMatch(/^CPU_MAP_UNAVAILABLE: /);
    }
  });
});

describe('global.cpu_map', () => {
  test('workers take its entries in turn', () => {
    pinned.length = 0;
    for (const slot of [0, 1, 2, 5]) pinWorker([[0, 1], [2]], slot, THERE);
    expect(pinned).toEqual([[0, 1], [2], [0, 1], [2]]);
  });

  test('a CPU that is not to be had is an error that names it', () => {
    const refuses = addonThat(() => {
      throw Object.assign(new Error('EINVAL: invalid argument'), { code: 'EINVAL' });
    });
    const what = codeOf(() => pinWorker([[64, 65]], 0, () => ({ addon: refuses })));
    expect(what).toBe('CPU_MAP_FAILED: a worker cannot be bound to CPU 64, 65: EINVAL: invalid argument');
  });
});
