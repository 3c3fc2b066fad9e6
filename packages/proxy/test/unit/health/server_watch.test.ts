import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { CheckConfig } from '../../../src/config/resolved.ts';
import type { CheckResult, ProbeOutcome } from '../../../src/health/check_status.ts';
import type { CircuitCause } from '../../../src/health/circuit.ts';
import { ServerWatch } from '../../../src/health/server_watch.ts';

const CONFIG: CheckConfig = {
  probe: { type: 'tcp' },
  interMs: 2000,
  fastinterMs: 1000,
  downinterMs: 4000,
  rise: 2,
  fall: 3,
  timeoutMs: 2000,
  port: null,
};
const PASS: CheckResult = { ok: true, status: 'L4OK', code: null, info: '', durationMs: 1 };
const FAIL: CheckResult = { ok: false, status: 'L4CON', code: null, info: 'ECONNREFUSED', durationMs: 1 };
/** Longer than any jittered fastinter or inter, shorter than two of them. */
const ONE_FAST_MS = 1150;
const ONE_INTER_MS = 2250;

/** A watch whose checks answer what `next` says, and everything it told. */
function watched(how: { checked?: boolean; disproves?: readonly CircuitCause[] } = {}) {
  const scene = {
    next: { kind: 'checked', result: PASS } as ProbeOutcome | Promise<ProbeOutcome>,
    address: '127.0.0.1' as string | null,
    asked: [] as string[],
    signals: [] as AbortSignal[],
    told: [] as string[],
    notMade: [] as string[],
  };
  const probe = async (host: string, signal: AbortSignal): Promise<ProbeOutcome> => {
    scene.asked.push(host);
    scene.signals.push(signal);
    return scene.next;
  };
  const watch = new ServerWatch({
    checking: how.checked === false ? null : { config: CONFIG, probe, disproves: how.disproves ?? ['dial'] },
    hostName: 'broker.test',
    address: () => scene.address,
    changed: health => scene.told.push(`${health.verdict}${health.suspect ? ' suspect' : ''}: ${health.reason}`),
    notMade: code => scene.notMade.push(code),
  });
  return { watch, scene };
}

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('checks', () => {
  test('the first comes at once, the others at the interval of the state', async () => {
    const { watch, scene } = watched();
    watch.start();
    await pass(0);
    expect(scene.asked).toHaveLength(1);
    await pass(1750);
    expect(scene.asked).toHaveLength(1);
    await pass(500);
    expect(scene.asked).toHaveLength(2);
    expect(watch.health()).toMatchObject({ verdict: 'up', suspect: false, reason: 'Layer4 check passed' });
    expect(scene.told).toEqual([]);
    await watch.stop();
  });

  test('three failures bring it down, two passes bring it back, each said once', async () => {
    const { watch, scene } = watched();
    watch.start();
    await pass(0);
    scene.next = { kind: 'checked', result: FAIL };
    await pass(ONE_INTER_MS + 2 * ONE_FAST_MS);
    expect(scene.told).toEqual(['down: Layer4 connection problem (ECONNREFUSED)']);
    scene.next = { kind: 'checked', result: PASS };
    await pass(4400 + ONE_FAST_MS);
    expect(scene.told.slice(1)).toEqual(['up: Layer4 check passed']);
    expect(watch.health().lastCheck).toMatchObject({ ok: true, status: 'L4OK', atMs: expect.any(Number) });
    await watch.stop();
  });

  test('one at a time, however slow', async () => {
    const { watch, scene } = watched();
    scene.next = new Promise(() => {});
    watch.start();
    await pass(60_000);
    watch.checkNow();
    watch.passive('dial');
    await pass(60_000);
    expect(scene.asked).toHaveLength(1);
  });

  test('P5: trouble of this host says nothing about the server, and the check is made again', async () => {
    const { watch, scene } = watched();
    scene.next = { kind: 'not_made', code: 'EMFILE' };
    watch.start();
    await pass(10 * ONE_INTER_MS);
    expect(scene.asked.length).toBeGreaterThan(9);
    expect(new Set(scene.notMade)).toEqual(new Set(['EMFILE']));
    expect(watch.health()).toMatchObject({ verdict: 'up', lastCheck: null, reason: 'not checked yet' });
    expect(scene.told).toEqual([]);
    await watch.stop();
  });

  test('after stop() nothing is asked and nothing is told', async () => {
    const { watch, scene } = watched();
    let release = (_outcome: ProbeOutcome): void => {};
    scene.next = new Promise(resolve => {
      release = resolve;
    });
    watch.start();
    await pass(0);
    const stopped = watch.stop();
    expect(scene.signals[0]?.aborted).toBe(true);
    release({ kind: 'checked', result: FAIL });
    await stopped;
    watch.passive('dial');
    await pass(60_000);
    expect(scene.asked).toHaveLength(1);
    expect(scene.told).toEqual([]);
  });
});

describe('clients', () => {
  test('a failed dial opens the circuit at once, and a check follows within half a second', async () => {
    const { watch, scene } = watched({ disproves: [] });
    watch.start();
    await pass(600);
    watch.passive('dial');
    expect(scene.told).toEqual(['up suspect: Layer4 check passed']);
    await pass(0);
    expect(scene.asked).toHaveLength(2);
    await watch.stop();
  });

  test('P5: a dead server is DOWN after one client and two checks', async () => {
    const { watch, scene } = watched();
    watch.start();
    await pass(600);
    scene.next = { kind: 'checked', result: FAIL };
    watch.passive('dial');
    await pass(ONE_FAST_MS);
    expect(scene.told.at(-1)).toBe('down suspect: Layer4 connection problem (ECONNREFUSED)');
    await watch.stop();
  });

  test('a check that tests the layer closes the circuit, one that does not leaves it', async () => {
    const { watch, scene } = watched({ disproves: ['dial'] });
    watch.start();
    await pass(600);
    watch.passive('dial');
    await pass(0);
    expect(watch.health().suspect).toBe(false);
    watch.passive('connack_timeout');
    await pass(ONE_INTER_MS);
    expect(watch.health().suspect).toBe(true);
    expect(scene.told).toHaveLength(3);
    await watch.stop();
  });

  test('refused and closed connections only call for a check, twice a second at most', async () => {
    const { watch, scene } = watched();
    watch.start();
    await pass(0);
    for (let ms = 0; ms < 5000; ms += 10) {
      watch.passive(ms % 20 === 0 ? 'refused' : 'closed');
      await pass(10);
    }
    expect(scene.asked.length).toBeGreaterThanOrEqual(10);
    expect(scene.asked.length).toBeLessThanOrEqual(11);
    expect(scene.told).toEqual([]);
    await watch.stop();
  });

  test('a server without a check is suspect for a growing time, never DOWN, until it accepts a client', async () => {
    const { watch, scene } = watched({ checked: false });
    watch.start();
    watch.passive('connack_timeout');
    for (let more = 0; more < 20; more += 1) watch.passive('dial');
    await pass(4990);
    expect(scene.told).toEqual(['up suspect: no check']);
    await pass(10);
    expect(scene.told).toEqual(['up suspect: no check', 'up: no check']);
    watch.passive('dial');
    await pass(9990);
    expect(watch.health().suspect).toBe(true);
    watch.passive('accepted');
    expect(watch.health()).toMatchObject({ suspect: false, verdict: 'up', lastCheck: null });
    watch.passive('dial');
    await pass(5000);
    expect(watch.health().suspect).toBe(false);
    await watch.stop();
  });
});

describe('addresses', () => {
  test('a name that does not resolve is DOWN at once, and one passing check after it does brings it UP', async () => {
    const { watch, scene } = watched();
    scene.address = null;
    watch.start();
    await pass(20_000);
    expect(scene.asked).toEqual([]);
    expect(scene.told).toEqual(['down: Resolution failure (broker.test does not resolve)']);
    scene.address = '127.0.0.2';
    watch.addressChanged();
    expect(watch.health().verdict).toBe('down');
    await pass(0);
    expect(scene.asked).toEqual(['127.0.0.2']);
    expect(scene.told.slice(1)).toEqual(['up: Layer4 check passed']);
    await watch.stop();
  });

  test('a server without a check follows its name alone', async () => {
    const { watch, scene } = watched({ checked: false });
    watch.start();
    scene.address = null;
    watch.addressChanged();
    scene.address = '127.0.0.2';
    watch.addressChanged();
    expect(scene.told).toEqual([
      'down: Resolution failure (broker.test does not resolve)',
      'up: Resolution passed (broker.test)',
    ]);
    await watch.stop();
  });

  test('a new address drops the check of the old one and forgets what clients met there', async () => {
    const { watch, scene } = watched();
    watch.start();
    await pass(600);
    let release = (_outcome: ProbeOutcome): void => {};
    scene.next = new Promise(resolve => {
      release = resolve;
    });
    watch.passive('connack_timeout');
    await pass(0);
    expect(watch.health().suspect).toBe(true);
    scene.address = '127.0.0.2';
    watch.addressChanged();
    expect(watch.health().suspect).toBe(false);
    scene.next = { kind: 'checked', result: PASS };
    release({ kind: 'checked', result: FAIL });
    await pass(0);
    expect(scene.asked).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.2']);
    expect(watch.health().lastCheck?.ok).toBe(true);
    await watch.stop();
  });
});

describe('a reload', () => {
  const other: CheckConfig = { ...CONFIG, interMs: 500, fastinterMs: 500, downinterMs: 500, rise: 1, fall: 1 };
  const probeOf = (scene: ReturnType<typeof watched>['scene'], asked: string[]) => async (): Promise<ProbeOutcome> => {
    asked.push('other');
    return scene.next;
  };

  test('other checks keep the verdict, drop the old ones, and go on by the new terms', async () => {
    const { watch, scene } = watched();
    scene.next = { kind: 'checked', result: FAIL };
    watch.start();
    await pass(0);
    expect(watch.health().verdict).toBe('down');
    const { sinceMs } = watch.health();
    const asked: string[] = [];
    watch.reconfigure({
      hostName: 'broker.test',
      checking: { config: other, probe: probeOf(scene, asked), disproves: [] },
    });
    expect(watch.health()).toMatchObject({ verdict: 'down', sinceMs });
    await pass(1200);
    expect([asked.length, scene.asked.length]).toEqual([3, 1]);
    scene.next = { kind: 'checked', result: PASS };
    await pass(600);
    expect(watch.health().verdict).toBe('up');
    await watch.stop();
  });

  test('no checks any more: UP; checks for the first time: as it was, until they say otherwise', async () => {
    const { watch, scene } = watched();
    scene.next = { kind: 'checked', result: FAIL };
    watch.start();
    await pass(0);
    watch.reconfigure({ hostName: 'broker.test', checking: null });
    expect(watch.health()).toMatchObject({ verdict: 'up', checked: false, enabled: false });
    await pass(10_000);
    expect(scene.asked).toHaveLength(1);
    const asked: string[] = [];
    watch.reconfigure({
      hostName: 'broker.test',
      checking: { config: other, probe: probeOf(scene, asked), disproves: [] },
    });
    expect(watch.health().verdict).toBe('up');
    await pass(0);
    expect([asked.length, watch.health().verdict]).toEqual([1, 'down']);
    await watch.stop();
  });
});

describe('an operator', () => {
  test('turns checks off: the verdict stays, whatever clients meet; and on: it is checked at once', async () => {
    const { watch, scene } = watched();
    watch.start();
    await pass(0);
    watch.setEnabled(false);
    expect(watch.health()).toMatchObject({ checked: true, enabled: false });
    scene.next = { kind: 'checked', result: FAIL };
    for (let client = 0; client < 10; client += 1) {
      watch.passive('dial');
      await pass(3000);
    }
    expect([scene.asked.length, watch.health().verdict]).toEqual([1, 'up']);
    watch.setEnabled(true);
    await pass(5 * ONE_INTER_MS);
    expect(watch.health().verdict).toBe('down');
    await watch.stop();
  });

  test('sets the verdict, until the checks say otherwise', async () => {
    const { watch, scene } = watched();
    watch.start();
    await pass(0);
    watch.force('down');
    expect(scene.told.at(-1)).toBe('down: set by an operator');
    // One that passes is not enough, where `rise` is 2.
    await pass(ONE_INTER_MS);
    expect([scene.asked.length, watch.health().verdict]).toEqual([2, 'down']);
    await pass(ONE_FAST_MS);
    expect(watch.health().verdict).toBe('up');
    await watch.stop();
  });

  test('sets the verdict of a server without checks, for good', async () => {
    const { watch } = watched({ checked: false });
    watch.start();
    watch.force('down');
    await pass(60_000);
    expect(watch.health().verdict).toBe('down');
    watch.force('up');
    expect(watch.health().verdict).toBe('up');
    await watch.stop();
  });
});
