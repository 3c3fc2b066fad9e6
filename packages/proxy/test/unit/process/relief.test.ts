import { beforeEach, expect, test } from 'vitest';
import { Relief } from '../../../src/process/relief.ts';
import type { BindRef, ToWorker } from '../../../src/process/wire.ts';

interface Holder {
  readonly id: number;
  readonly slot: number;
  say(message: ToWorker): void;
}

/** Of one bind: each slot has the socket of its number, and beside it those of full slots. */
function refs(slot: number, slots: number, full: ReadonlySet<number>): BindRef[] {
  const all = Array.from({ length: slots }, (_, index) => index);
  const listened = all.filter(index => index === slot || full.has(index));
  return listened.map(index => ({ index, frontend: 'mqtt', place: 0, isLent: index !== slot }));
}

const bindings = { edition: 1, refs };
let said: string[] = [];
let holders: Holder[] = [];

function worker(id: number, slot: number): Holder {
  const say = (message: ToWorker): void => {
    const words =
      message[0] === 'binds' ? message[1].map(({ index, isLent }) => `${index}${isLent ? ' lent' : ''}`) : [];
    said.push(`${id}: ${words.join(', ')}`);
  };
  return { id, slot, say };
}

/** Three workers that have been told a configuration. */
function scene(): { relief: Relief; one: Holder; two: Holder; three: Holder } {
  const [one, two, three] = [worker(1, 0), worker(2, 1), worker(3, 2)];
  holders = [one, two, three];
  const relief = new Relief({ bindings, slots: () => 3, holders: () => holders });
  for (const holder of holders) relief.refsToTell(holder);
  return { relief, one, two, three };
}

/** What was said since. */
const heard = (): string[] => said.splice(0);

beforeEach(() => {
  said = [];
  bindings.edition = 1;
});

test('the others listen on the sockets of one that is full, until it is not', () => {
  const { relief, two } = scene();
  relief.said(two, true);
  expect(heard()).toEqual(['1: 0, 1 lent', '3: 1 lent, 2']);
  relief.said(two, true);
  expect(heard()).toEqual([]);
  relief.said(two, false);
  expect(heard()).toEqual(['1: 0', '3: 2']);
});

test('where all are full each has the sockets of all: who has room first takes whoever waits', () => {
  const { relief, one, two, three } = scene();
  for (const holder of [one, two, three]) relief.said(holder, true);
  heard();
  expect(holders.map(holder => relief.refs(holder).map(({ index }) => index))).toEqual([
    [0, 1, 2],
    [0, 1, 2],
    [0, 1, 2],
  ]);
});

test('P8: one that dies while it is full is not full any more; who comes in its place hears of the others', () => {
  const { relief, one, two } = scene();
  relief.said(one, true);
  relief.said(two, true);
  heard();
  holders = holders.filter(({ id }) => id !== 2);
  relief.gone(two);
  expect(heard()).toEqual(['1: 0', '3: 0 lent, 2']);
  const heir = worker(4, 1);
  holders = [...holders, heir];
  expect(relief.refsToTell(heir).map(({ index, isLent }) => [index, isLent])).toEqual([
    [0, true],
    [1, false],
  ]);
  expect(heard()).toEqual([]);
});

test('one that dies while it listens for another one changes nothing', () => {
  const { relief, one, two } = scene();
  relief.said(one, true);
  heard();
  holders = holders.filter(({ id }) => id !== 2);
  relief.gone(two);
  expect(heard()).toEqual([]);
});

test('P9: while a reload is under way nobody hears of binds that it does not know; they come with the configuration', () => {
  const { relief, one, two, three } = scene();
  bindings.edition = 2;
  relief.said(one, true);
  expect(heard()).toEqual([]);
  expect(relief.refsToTell(two).map(({ index }) => index)).toEqual([0, 1]);
  relief.said(one, false);
  expect(heard()).toEqual(['2: 1']);
  relief.refsToTell(three);
  relief.said(one, true);
  expect(heard()).toEqual(['2: 0 lent, 1', '3: 0 lent, 2']);
});

test('one that has not been told a configuration hears nothing before it', () => {
  const { relief, one } = scene();
  holders = [...holders.slice(0, 2), worker(9, 2)];
  relief.said(one, true);
  expect(heard()).toEqual(['2: 0 lent, 1']);
});
