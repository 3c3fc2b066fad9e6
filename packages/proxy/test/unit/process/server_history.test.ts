import { describe, expect, it } from 'vitest';
import { ServerHistory } from '../../../src/process/server_history.ts';

describe('ServerHistory', () => {
  it('keeps the newest changes first, 20 of them', () => {
    const history = new ServerHistory();
    for (let i = 0; i < 25; i++) history.note('emqx', 'b1', { atMs: i, state: 'UP', reason: `r${i}` }, false);
    const changes = history.changes('emqx', 'b1');
    expect(changes).toHaveLength(20);
    expect(changes[0]?.reason).toBe('r24');
    expect(history.changes('emqx', 'b2')).toEqual([]);
  });

  it('adds up the time a server was DOWN, the running one too', () => {
    const history = new ServerHistory();
    const note = (atMs: number, down: boolean): void =>
      history.note('emqx', 'b1', { atMs, state: down ? 'DOWN' : 'UP', reason: '' }, down);
    note(1000, true);
    note(1500, true);
    note(3000, false);
    expect(history.downtimeMs('emqx', 'b1', 9000)).toBe(2000);
    note(9000, true);
    expect(history.downtimeMs('emqx', 'b1', 9500)).toBe(2500);
  });

  it('forgets servers that are gone', () => {
    const history = new ServerHistory();
    history.note('emqx', 'b1', { atMs: 0, state: 'DOWN', reason: '' }, true);
    history.keep(new Set(['emqx/b2']));
    expect(history.changes('emqx', 'b1')).toEqual([]);
    expect(history.downtimeMs('emqx', 'b1', 100)).toBe(0);
  });
});
