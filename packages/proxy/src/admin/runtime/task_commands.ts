import { stamp } from '../../account/stamp.ts';
import type { DrainRequest, RebalanceRequest } from '../control.ts';
import type { Snapshot, TaskFacts } from '../snapshot.ts';
import { type Caller, type Command, Refusal } from './command.ts';
import { findBackend, findServer } from './target.ts';

/** Paced drains and rebalances: Limpet's own. */
export const taskCommands: readonly Command[] = [
  {
    words: 'drain server',
    usage: '<bk>/<srv> [opts]',
    does: 'empty a server: rate N (sessions a second), until N, reason 0x9c|0x98',
    level: 'operator',
    run: async ([name, ...words], { control, by }) => {
      const { ref } = findServer(control.snapshot(), name);
      return taskLine(await control.drain({ ...ref, ...readDrain(words) }, by));
    },
  },
  {
    words: 'rebalance',
    usage: '<bk> rate N [opts]',
    does: 'move the surplus of each server: rate N, threshold N%, reason 0x9c|0x98',
    level: 'operator',
    run: async ([name, ...words], { control, by }) => {
      const backend = findBackend(control.snapshot(), name ?? '').name;
      return taskLine(await control.rebalance({ backend, ...readRebalance(words) }, by));
    },
  },
  {
    words: 'show tasks',
    usage: '',
    does: 'show drains and rebalances, those of the last hour too',
    level: 'user',
    run: (_, { control }) => tasksText(control.snapshot()),
  },
  onTask('pause', 'pause a drain or rebalance', (id, { control, by }) => control.pauseTask(id, by)),
  onTask('resume', 'go on with a paused one', (id, { control, by }) => control.resumeTask(id, by)),
  onTask('cancel', 'take one back: a drained server becomes ready again', (id, { control, by }) =>
    control.cancelTask(id, by),
  ),
];

function onTask(word: string, does: string, act: (id: number, caller: Caller) => Promise<TaskFacts>): Command {
  return {
    words: `${word} task`,
    usage: '<id>',
    does,
    level: 'operator',
    run: async ([id], caller) => {
      if (!/^\d{1,15}$/.test(id ?? '')) throw new Refusal("Task id expected (use 'show tasks').");
      return taskLine(await act(Number(id), caller));
    },
  };
}

const DEFAULT_THRESHOLD = 0.05;
/** As the API. */
const MOST_RATE = 1_000_000;
const REASONS: ReadonlyMap<string, 0x9c | 0x98> = new Map([
  ['0x9c', 0x9c],
  ['0x98', 0x98],
]);

/** The words behind `drain server B/S`. Without a rate nobody is asked to leave. */
function readDrain(words: readonly string[]): Omit<DrainRequest, 'backend' | 'server'> {
  const options = readOptions(words, ['rate', 'until', 'reason']);
  const until = options.get('until');
  if (until !== undefined && !/^\d{1,10}$/.test(until)) throw new Refusal("'until' expects a number of sessions.");
  return { rate: readRate(options.get('rate')), until: Number(until ?? 0), reason: readReason(options.get('reason')) };
}

/** The words behind `rebalance B`. */
function readRebalance(words: readonly string[]): Omit<RebalanceRequest, 'backend'> {
  const options = readOptions(words, ['rate', 'threshold', 'reason']);
  const rate = readRate(options.get('rate'));
  if (rate === null) throw new Refusal("'rebalance' expects 'rate' and sessions a second: rebalance emqx rate 200.");
  return { rate, threshold: readThreshold(options.get('threshold')), reason: readReason(options.get('reason')) };
}

function readOptions(words: readonly string[], names: readonly string[]): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  for (let at = 0; at < words.length; at += 2) {
    const [name = '', value] = words.slice(at, at + 2);
    if (!names.includes(name)) throw new Refusal(`'${name}' is no option here. There are: ${names.join(', ')}.`);
    if (value === undefined) throw new Refusal(`'${name}' expects a value.`);
    options.set(name, value);
  }
  return options;
}

/** `200` or `200/s`. */
function readRate(text: string | undefined): number | null {
  if (text === undefined) return null;
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(?:\/s)?$/.exec(text);
  const rate = Number(match?.[1] ?? 0);
  if (rate <= 0 || rate > MOST_RATE) {
    throw new Refusal(`'rate' expects sessions a second, at most ${MOST_RATE}: 200 or 200/s.`);
  }
  return rate;
}

/** `5%`, or as a part: `0.05`. */
function readThreshold(text: string | undefined): number {
  if (text === undefined) return DEFAULT_THRESHOLD;
  const match = /^(\d{1,3}(?:\.\d{1,6})?)(%?)$/.exec(text);
  const threshold = Number(match?.[1] ?? -1) / (match?.[2] === '%' ? 100 : 1);
  if (match === null || threshold > 1) throw new Refusal("'threshold' expects a part of the share: 5% or 0.05.");
  return threshold;
}

function readReason(text: string | undefined): 0x9c | 0x98 {
  const reason = REASONS.get((text ?? '0x9c').toLowerCase());
  if (reason === undefined)
    throw new Refusal("'reason' expects 0x9c (use another server) or 0x98 (administrative action).");
  return reason;
}

function tasksText({ tasks }: Snapshot): string {
  return ['# id kind target state rate total moved left started ended', ...tasks.map(taskLine)].join('\n');
}

function taskLine(task: TaskFacts): string {
  const target = task.server === null ? task.backend : `${task.backend}/${task.server}`;
  const ended = task.endedAtMs === null ? '-' : stamp(task.endedAtMs);
  const numbers = `${task.rate}/s ${task.total} ${task.moved} ${task.left}`;
  return `${task.id} ${task.kind} ${target} ${task.state} ${numbers} ${stamp(task.startedAtMs)} ${ended}`;
}
