import { describe, expect, test } from 'vitest';
import type { DataPath } from '../../../../src/admin/http/readiness.ts';
import type { FrontendConfig } from '../../../../src/config/resolved.ts';
import { isThere, isUsable, judgeReady, Lack, pathOf } from '../../../../src/process/pair/data_path.ts';
import type { PairMate } from '../../../../src/process/pair/others.ts';
import type { ServerStatus } from '../../../../src/route/scheduler.ts';

const WELL: DataPath = { isStopping: false, hasWorker: true, needed: ['a', 'b'], missing: [] };

/** Longer than anybody waits. */
const LONG_MS = 60_000;

function sees(...backends: string[]): PairMate {
  return { heardAgoMs: 0, sees: backend => backends.includes(backend) };
}

function frontend(name: string, backend: string, isOpen = true): FrontendConfig {
  const binds = isOpen ? [{}] : [];
  return { name, binds, defaultBackend: backend, routes: [], sniRoutes: [] } as unknown as FrontendConfig;
}

function status(changes: Partial<ServerStatus> = {}): ServerStatus {
  const well = { name: 's', address: '10.0.0.1', port: 1883, up: true, suspect: false, admin: 'ready', weight: 1 };
  return { ...well, ...changes } as ServerStatus;
}

describe('the data path of the primary', () => {
  const course = { isStopping: false, hasWorker: true };

  test('only what open frontends need is needed', () => {
    const frontends = [frontend('one', 'a'), frontend('two', 'b', false)];
    expect(pathOf({ frontends }, () => [], course, isUsable)).toEqual({ ...course, needed: ['a'], missing: ['a'] });
    expect(pathOf({ frontends: frontends.slice(1) }, () => [], course, isUsable).needed).toBeNull();
  });

  test.each<[Partial<ServerStatus>, boolean, boolean]>([
    [{}, true, true],
    [{ suspect: true }, true, true],
    [{ up: false }, false, false],
    [{ admin: 'drain' }, false, true],
    [{ admin: 'maint' }, false, true],
    [{ admin: 'maint', up: false }, false, false],
    [{ address: null }, false, false],
    [{ weight: 0 }, false, true],
  ])('has a backend a server of %j? alone %s, for all that share operators’ words %s', (changes, usable, there) => {
    const lacks = (counts: typeof isThere): boolean =>
      pathOf({ frontends: [frontend('one', 'a')] }, () => [status(changes)], course, counts).missing.length > 0;
    expect([lacks(isUsable), lacks(isThere)]).toEqual([!usable, !there]);
  });
});

describe('whether it can be the active one', () => {
  test('all is well', () => {
    expect(judgeReady(WELL, null, LONG_MS)).toEqual({ ready: true, trouble: '' });
    expect(judgeReady(WELL, [sees('a', 'b')], LONG_MS)).toEqual({ ready: true, trouble: '' });
  });

  test.each<Partial<DataPath>>([{ isStopping: true }, { hasWorker: false }, { needed: null }])(
    '%j: not, whatever the others have',
    changes => {
      for (const others of [null, [], [sees()]]) {
        expect(judgeReady({ ...WELL, ...changes }, others, LONG_MS)).toMatchObject({ ready: false });
      }
    },
  );

  const lacksOne = { ...WELL, missing: ['a'] };

  test('a backend is missing and nothing is known of the others: not', () => {
    expect(judgeReady(lacksOne, null, LONG_MS)).toEqual({ ready: false, trouble: 'backend a has no usable server' });
  });

  test('another one has it: not', () => {
    expect(judgeReady(lacksOne, [sees('b'), sees('a', 'b')], LONG_MS)).toMatchObject({ ready: false });
  });

  test.each<[string, PairMate[]]>([
    ['there is no other', []],
    ['the other lacks it too', [sees('b')]],
    ['the other lacks another one', [sees('a')]],
    ['the other has nothing', [sees()]],
  ])('%s: it stays ready, for moving helps nobody', (_, others) => {
    const { ready, trouble } = judgeReady(lacksOne, others, LONG_MS);
    expect(ready).toBe(true);
    expect(trouble).toContain('backend a has no usable server');
  });

  test('two that see the other one never both say no', () => {
    const sets = [[], ['a'], ['b'], ['a', 'b']];
    for (const mine of sets) {
      for (const theirs of sets) {
        const path = (seen: string[]): DataPath => ({
          ...WELL,
          missing: ['a', 'b'].filter(one => !seen.includes(one)),
        });
        const answers = [
          judgeReady(path(mine), [sees(...theirs)], LONG_MS),
          judgeReady(path(theirs), [sees(...mine)], LONG_MS),
        ];
        expect(answers.some(({ ready }) => ready)).toBe(true);
      }
    }
  });

  test('a stopping proxy does not stay ready because the other one has nothing either', () => {
    expect(judgeReady({ ...lacksOne, isStopping: true }, [sees()], LONG_MS)).toMatchObject({ ready: false });
  });
});

describe('whether the others are better off is known late', () => {
  const lacksAll: DataPath = { ...WELL, missing: ['a', 'b'] };
  const mate = (heardAgoMs: number, ...backends: string[]): PairMate => ({ ...sees(...backends), heardAgoMs });

  test.each<[string, number, PairMate[], boolean, boolean]>([
    ['it was heard before', 100, [mate(400, 'a', 'b')], false, true],
    ['it was heard since, but too soon', 480, [mate(90, 'a', 'b')], false, true],
    ['it has said so since', 500, [mate(90, 'a', 'b')], false, false],
    ['one of two has said so since', 500, [mate(499, 'a', 'b'), mate(100, 'a', 'b')], false, false],
    ['nothing is heard of it for a second', 1000, [mate(1300, 'a', 'b')], false, false],
    ['it is no better, as was heard before', 0, [mate(400)], true, false],
  ])('%s', (_, forMs, others, ready, isOpen) => {
    const judged = judgeReady(lacksAll, others, forMs);
    expect([judged.ready, judged.isOpen ?? false]).toEqual([ready, isOpen]);
  });

  test('what else is wrong does not wait', () => {
    const judged = judgeReady({ ...lacksAll, hasWorker: false }, [mate(400, 'a', 'b')], 0);
    expect(judged).toMatchObject({ ready: false, isOpen: false });
  });

  test('it begins anew with each backend that goes missing', () => {
    const lack = new Lack();
    expect([lack.forMs([], 1), lack.forMs(['a'], 5), lack.forMs(['a'], 25), lack.forMs(['b', 'a'], 30)]).toEqual([
      0, 0, 20, 0,
    ]);
    expect([lack.forMs(['a'], 40), lack.forMs(['a', 'b'], 41), lack.forMs([], 50)]).toEqual([35, 0, 0]);
  });
});
