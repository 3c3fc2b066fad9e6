import { expect, test } from 'vitest';
import { Generations, Retiring } from '../../../../src/process/worker/generations.ts';

test('what has left the configuration is closed when the last one who may use it has ended, and not before', () => {
  const closed: string[] = [];
  const generations = new Generations();
  const things = new Retiring<string>(thing => closed.push(thing));
  const reload = (...names: string[]): void => {
    const before = generations.advance();
    for (const name of names) things.set(name, name);
    things.retireOthers(new Set(names), before);
    things.forget(generations.oldest);
  };
  reload('a', 'b');
  const early = generations.enter();
  reload('b');
  const late = generations.enter();
  expect([things.get('a'), closed]).toEqual(['a', []]);
  expect(generations.leave(late)).toBe(true);
  things.forget(generations.oldest);
  expect(closed).toEqual([]);
  expect(generations.leave(early)).toBe(true);
  things.forget(generations.oldest);
  expect([things.get('a'), closed]).toEqual([undefined, ['a']]);
});

test('nobody uses it: it is closed at once; what comes back is what it was', () => {
  const closed: string[] = [];
  const generations = new Generations();
  const things = new Retiring<string>(thing => closed.push(thing));
  things.set('a', 'first');
  const session = generations.enter();
  things.retireOthers(new Set(), generations.advance());
  const known = things.get('a');
  if (known !== undefined) things.set('a', known);
  generations.leave(session);
  things.forget(generations.oldest);
  expect([things.get('a'), closed]).toEqual(['first', []]);
  things.retireOthers(new Set(), generations.advance());
  things.forget(generations.oldest);
  expect([things.all(), closed]).toEqual([[], ['first']]);
});
