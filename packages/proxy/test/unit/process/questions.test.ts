import { describe, expect, it, vi } from 'vitest';
import type { SessionFacts } from '../../../src/account/session_facts.ts';
import { Questions } from '../../../src/process/questions.ts';
import type { ToWorker } from '../../../src/process/wire.ts';

function asked(): { id: number; heard: ToWorker[]; say(message: ToWorker): void }[] {
  return [1, 2].map(id => {
    const heard: ToWorker[] = [];
    return { id, heard, say: message => heard.push(message) };
  });
}

const facts = (id: number): SessionFacts => ({ id }) as SessionFacts;

describe('Questions', () => {
  it('asks each worker for its share of the limit, and puts the answers together', async () => {
    const workers = asked();
    const questions = new Questions(() => workers);
    const listed = questions.list({ clientId: 'a' }, 3);
    expect(workers.map(({ heard }) => heard)).toEqual(
      workers.map(() => [['ask', 1, { kind: 'list', filter: { clientId: 'a' }, limit: 2 }]]),
    );
    questions.told(1, 1, [facts(1), facts(2)]);
    // A second answer of one worker is none.
    questions.told(1, 1, [facts(9)]);
    questions.told(2, 1, [facts(3), facts(4)]);
    expect((await listed).map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  it('asks those again that may have more than their share, where others have less', async () => {
    const workers = asked();
    const questions = new Questions(() => workers);
    const listed = questions.list({}, 4);
    questions.told(1, 1, [facts(1), facts(2)]);
    questions.told(2, 1, []);
    await vi.waitFor(() => expect(workers[0]?.heard).toHaveLength(2));
    expect(workers[0]?.heard[1]).toEqual(['ask', 2, { kind: 'list', filter: {}, limit: 4 }]);
    expect(workers[1]?.heard).toHaveLength(1);
    questions.part(1, 2, [facts(1), facts(2)]);
    questions.told(1, 2, [facts(3)]);
    expect((await listed).map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  it('puts the parts of an answer together', async () => {
    const questions = new Questions(asked);
    const listed = questions.list({}, 10);
    questions.part(1, 1, [facts(1), facts(2)]);
    questions.part(2, 1, [facts(4)]);
    questions.told(1, 1, [facts(3)]);
    // Who has said its last word says no more.
    questions.part(1, 1, [facts(9)]);
    questions.told(2, 1, []);
    expect((await listed).map(({ id }) => id)).toEqual([1, 2, 3, 4]);
  });

  it('adds up how many were ended, and does not wait for a dead worker', async () => {
    const workers = asked();
    const questions = new Questions(() => workers);
    const ended = questions.end({ server: 'b1' });
    questions.told(2, 1, 7);
    questions.workerGone(1);
    expect(await ended).toBe(7);
  });

  it('waits until all workers have renewed', async () => {
    const workers = asked();
    const questions = new Questions(() => workers);
    const renewed = questions.renew('emqx', 'a');
    expect(workers[1]?.heard).toEqual([['ask', 1, { kind: 'renew', backend: 'emqx', key: 'a' }]]);
    questions.told(1, 1, 0);
    questions.told(2, 1, 0);
    await renewed;
  });

  it('leaves a worker out that is silent for two seconds', async () => {
    vi.useFakeTimers();
    try {
      const questions = new Questions(() => asked());
      const listed = questions.list({}, 10);
      questions.told(1, 1, [facts(1)]);
      await vi.advanceTimersByTimeAsync(2000);
      expect(await listed).toEqual([facts(1)]);
      questions.told(2, 1, [facts(2)]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('answers at once where nobody runs', async () => {
    expect(await new Questions(() => []).list({}, 10)).toEqual([]);
  });
});
