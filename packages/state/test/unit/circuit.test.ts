import { describe, expect, it } from 'vitest';
import { Circuit, retryDelayMs, settleMs } from '../../src/circuit.ts';
import { keyMoving, redisFailure, redisTimeout } from '../../src/redis_failure.ts';
import type { StateError } from '../../src/state_error.ts';

const late = redisTimeout('r', 100);
const reply = (message: string): StateError =>
  redisFailure(Object.assign(new Error(message), { name: 'ReplyError' }), 'r');
const lost = redisFailure(new Error('the connection was closed'), 'r');

/** A circuit whose probes succeed, or fail with `probe.error`. */
function open(): { circuit: Circuit; heard: string[]; probe: { error: StateError | null } } {
  const heard: string[] = [];
  const probe: { error: StateError | null } = { error: null };
  const link = {
    probe: () => (probe.error ? Promise.reject(probe.error) : Promise.resolve()),
    drop: () => void heard.push('drop'),
  };
  const circuit = new Circuit(link, {
    onAway: reason => heard.push(reason.code),
    onBack: () => heard.push('back'),
    onRefused: reason => heard.push(reason.code),
  });
  return { circuit, heard, probe };
}

async function closed(): Promise<ReturnType<typeof open>> {
  const opened = open();
  await opened.circuit.connected();
  expect(opened.circuit.state).toBe('closed');
  return opened;
}

describe('what a failure means', () => {
  it.each([
    [new Error('connect ECONNREFUSED'), 'REDIS_AWAY'],
    [Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'REDIS_AWAY'],
    ['odd', 'REDIS_AWAY'],
    [reply('LOADING Redis is loading the dataset in memory'), 'REDIS_REFUSED'],
    [reply("READONLY You can't write against a read only replica. script: 1, on @user_script:1."), 'REDIS_REFUSED'],
    [reply('ERR Error running script (call to f_1): @user_script:1: -READONLY You can’t write'), 'REDIS_REFUSED'],
    [reply('NOAUTH Authentication required.'), 'REDIS_REFUSED'],
    [reply('CLUSTERDOWN The cluster is down'), 'REDIS_REFUSED'],
    [reply('CLUSTERDOWN Hash slot not served'), 'REDIS_MOVING'],
    [reply('TRYAGAIN Multiple keys request during rehashing of slot'), 'REDIS_MOVING'],
    [reply('MASTERDOWN Link with MASTER is down'), 'REDIS_REFUSED'],
    [reply('NOREPLICAS Not enough good replicas to write.'), 'REDIS_REFUSED'],
    [reply('MOVED 1 10.0.0.1:6379'), 'REDIS_REFUSED'],
    [reply('MISCONF Redis is configured to save RDB snapshots'), 'REDIS_REFUSED'],
    [reply("OOM command not allowed when used memory > 'maxmemory'."), 'REDIS_FULL'],
    [reply('WRONGTYPE Operation against a key holding the wrong kind of value'), 'REDIS_ENTRY'],
    [reply('ERR something else'), 'REDIS_ENTRY'],
    [late, 'REDIS_TIMEOUT'],
  ])('%s: %s', (error, code) => {
    const failure = redisFailure(error, 'r');
    expect(failure.code).toBe(code);
    expect(failure.remedy).not.toBe('');
    expect(failure.cause).toBeUndefined();
  });

  it('a system error without a message is told by its code', () => {
    const error = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' });
    expect(redisFailure(error, 'r').message).toBe('Redis r: ECONNREFUSED');
  });
});

describe('the circuit', () => {
  it('closes at the first contact without a word', async () => {
    const { circuit, heard } = await closed();
    expect(await circuit.firstContact).toBe(true);
    expect(heard).toEqual([]);
  });

  it('tells once that there never was a contact', async () => {
    const { circuit, heard } = open();
    circuit.disconnected(lost);
    circuit.disconnected(lost);
    expect(await circuit.firstContact).toBe(false);
    expect(heard).toEqual(['REDIS_AWAY']);
  });

  it.each([
    ['a lost connection', [lost], ['REDIS_AWAY', 'drop']],
    ['a refusal', [reply('READONLY no')], ['REDIS_REFUSED', 'drop']],
    ['three deadlines missed in a row', [late, late, late], ['REDIS_TIMEOUT', 'drop']],
    ['and what fails after that', [late, late, late, late, lost], ['REDIS_TIMEOUT', 'drop']],
  ])('opens on %s', async (_, failures, expected) => {
    const { circuit, heard } = await closed();
    for (const failure of failures) circuit.failed(failure);
    expect(heard).toEqual(expected);
    expect(circuit.state).toBe('open');
  });

  it.each([
    ['two deadlines missed', [late, late], []],
    ['an answer between them', [late, late, 'answer', late, late], []],
    ['keys that cannot be used', Array.from({ length: 9 }, () => reply('WRONGTYPE no')), []],
    ['a full Redis, which is told once', [reply('OOM no'), reply('OOM no')], ['REDIS_FULL']],
    ['a full one again after a write', [reply('OOM no'), 'write', reply('OOM no')], ['REDIS_FULL', 'REDIS_FULL']],
  ])('stays closed on %s', async (_, events, expected) => {
    const { circuit, heard } = await closed();
    for (const event of events) {
      if (event === 'answer') circuit.succeeded();
      else if (event === 'write') circuit.written();
      else circuit.failed(event as StateError);
    }
    expect(heard).toEqual(expected);
    expect(circuit.state).toBe('closed');
  });

  it('stays open while the probe fails, whatever it says', async () => {
    const { circuit, heard, probe } = open();
    for (const error of [late, reply('LOADING'), reply('ERR odd'), reply('OOM odd')]) {
      probe.error = error;
      await circuit.connected();
      expect(circuit.state).toBe('open');
    }
    expect(heard).toEqual(['REDIS_TIMEOUT', 'drop', 'drop', 'drop', 'drop']);
  });

  it('does not hear a probe of a connection that is gone', async () => {
    const { circuit } = open();
    const probing = circuit.connected();
    circuit.disconnected(lost);
    await probing;
    expect(circuit.state).toBe('open');
  });

  it('has decisions written before it closes', async () => {
    const { circuit } = open();
    const seen: string[] = [];
    const task = {
      left: 1,
      size: () => task.left,
      drain: async (of: Circuit) => {
        expect(of).toBe(circuit);
        seen.push(circuit.state);
        task.left = 0;
      },
    };
    circuit.register(task);
    await circuit.connected();
    expect(seen).toEqual(['returning']);
    expect(circuit.state).toBe('closed');
  });
});

describe('a circuit of a server that takes the place of another', () => {
  const later = (awaySinceMs: number | null) => {
    const heard: string[] = [];
    const told = {
      onAway: (reason: StateError) => heard.push(reason.code),
      onBack: (awayMs: number) => heard.push(`back after ${awayMs >= 40 ? '40 ms at least' : awayMs}`),
      onRefused: () => undefined,
    };
    return { circuit: new Circuit({ probe: async () => {}, drop() {} }, told, awaySinceMs), heard };
  };

  it('goes on with its absence: told of once, and waited out as one', async () => {
    const { circuit, heard } = later(performance.now() - 40);
    expect(circuit.awaySinceMs).not.toBeNull();
    circuit.disconnected(lost);
    expect(heard).toEqual([]);
    const startedMs = performance.now();
    await circuit.connected();
    // Other workers may notice later: twice the absence so far, and some.
    expect(performance.now() - startedMs).toBeGreaterThan(80);
    expect(heard).toEqual(['back after 40 ms at least']);
    expect(circuit.awaySinceMs).toBeNull();
  });

  it('is new where that one was there', async () => {
    const { circuit, heard } = later(null);
    expect(circuit.awaySinceMs).toBeNull();
    await circuit.connected();
    expect(heard).toEqual([]);
  });

  it('a key that no server takes for the moment opens nothing', async () => {
    const { circuit, heard } = await closed();
    circuit.failed(keyMoving('r', 'MOVED 1 h:1'));
    expect([circuit.state, ...heard]).toEqual(['closed']);
  });
});

describe('waits', () => {
  it('double up to a second, spread by a quarter', () => {
    const delays = (random: number): number[] => [0, 1, 2, 3, 4, 5, 20, 2000].map(n => retryDelayMs(n, random));
    expect(delays(0.5)).toEqual([50, 100, 200, 400, 800, 1000, 1000, 1000]);
    expect(delays(0)).toEqual([38, 75, 150, 300, 600, 750, 750, 750]);
    expect(delays(1)).toEqual([63, 125, 250, 500, 1000, 1250, 1250, 1250]);
  });

  it('a return lasts until every other worker has tried again', () => {
    for (let attempts = 1; attempts < 30; attempts++) {
      let elapsedMs = 0;
      for (let i = 0; i < attempts; i++) elapsedMs += retryDelayMs(i, 0);
      expect(settleMs(elapsedMs)).toBeGreaterThanOrEqual(retryDelayMs(attempts, 1));
    }
  });
});
