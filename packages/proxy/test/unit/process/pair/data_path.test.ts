import { describe, expect, test } from 'vitest';
import type { DataPath } from '../../../../src/admin/http/readiness.ts';
import type { FrontendConfig } from '../../../../src/config/resolved.ts';
import { judgeReady, pathOf } from '../../../../src/process/pair/data_path.ts';
import type { PairMate } from '../../../../src/process/pair/others.ts';
import type { ServerStatus } from '../../../../src/route/scheduler.ts';

const WELL: DataPath = { isStopping: false, hasWorker: true, needed: ['a', 'b'], missing: [] };

function sees(...backends: string[]): PairMate {
  return { sees: backend => backends.includes(backend) };
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
    expect(pathOf({ frontends }, () => [], course)).toEqual({ ...course, needed: ['a'], missing: ['a'] });
    expect(pathOf({ frontends: frontends.slice(1) }, () => [], course).needed).toBeNull();
  });

  test.each<[Partial<ServerStatus>, boolean]>([
    [{}, true],
    [{ suspect: true }, true],
    [{ up: false }, false],
    [{ admin: 'drain' }, false],
    [{ admin: 'maint' }, false],
    [{ address: null }, false],
    [{ weight: 0 }, false],
  ])('is a backend with a server of %j usable? %s', (changes, usable) => {
    const { missing } = pathOf({ frontends: [frontend('one', 'a')] }, () => [status(changes)], course);
    expect(missing).toEqual(usable ? [] : ['a']);
  });
});

describe('whether it can be the active one', () => {
  test('all is well', () => {
    expect(judgeReady(WELL, null)).toEqual({ ready: true, trouble: '' });
    expect(judgeReady(WELL, [sees('a', 'b')])).toEqual({ ready: true, trouble: '' });
  });

  test.each<Partial<DataPath>>([{ isStopping: true }, { hasWorker: false }, { needed: null }])(
    '%j: not, whatever the others have',
    changes => {
      for (const others of [null, [], [sees()]]) {
        expect(judgeReady({ ...WELL, ...changes }, others)).toMatchObject({ ready: false });
      }
    },
  );

  const lacksOne = { ...WELL, missing: ['a'] };

  test('a backend is missing and nothing is known of the others: not', () => {
    expect(judgeReady(lacksOne, null)).toEqual({ ready: false, trouble: 'backend a has no usable server' });
  });

  test('another one has it: not', () => {
    expect(judgeReady(lacksOne, [sees('b'), sees('a', 'b')])).toMatchObject({ ready: false });
  });

  test.each<[string, PairMate[]]>([
    ['there is no other', []],
    ['the other lacks it too', [sees('b')]],
    ['the other lacks another one', [sees('a')]],
    ['the other has nothing', [sees()]],
  ])('%s: it stays ready, for moving helps nobody', (_, others) => {
    const { ready, trouble } = judgeReady(lacksOne, others);
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
        const answers = [judgeReady(path(mine), [sees(...theirs)]), judgeReady(path(theirs), [sees(...mine)])];
        expect(answers.some(({ ready }) => ready)).toBe(true);
      }
    }
  });

  test('a stopping proxy does not stay ready because the other one has nothing either', () => {
    expect(judgeReady({ ...lacksOne, isStopping: true }, [sees()])).toMatchObject({ ready: false });
  });
});
