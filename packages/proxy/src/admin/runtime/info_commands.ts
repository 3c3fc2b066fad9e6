import { infoJson, infoText, infoTyped } from '../csv/info.ts';
import { hasProxy, type StatPick, statsCsv, statsJson, statsTyped } from '../csv/stat.ts';
import type { Snapshot } from '../snapshot.ts';
import { type Command, Refusal } from './command.ts';

type Shape = 'text' | 'typed' | 'json';

/** What the whole proxy says of itself. */
export const infoCommands: readonly Command[] = [
  {
    words: 'show info',
    usage: '[json|typed]',
    does: 'report information about the running process',
    level: 'user',
    run: (args, { control }) => {
      const write = { text: infoText, typed: infoTyped, json: infoJson }[shapeOf(args)];
      return write(control.snapshot());
    },
  },
  {
    words: 'show stat',
    usage: '[{<iid>|<proxy>} <type> <sid>] [json|typed]',
    does: 'report counters for each proxy and server',
    level: 'user',
    run: (args, { control }) => {
      const snapshot = control.snapshot();
      const write = { text: statsCsv, typed: statsTyped, json: statsJson }[shapeOf(args)];
      return write(snapshot, pickOf(snapshot, args));
    },
  },
  {
    words: 'show version',
    usage: '',
    does: 'show version of the current process',
    level: 'user',
    run: (_, { control }) => control.snapshot().info.version,
  },
  {
    words: 'show backend',
    usage: '',
    does: 'list backends in the current running config',
    level: 'user',
    run: (_, { control }) => ['# name', ...control.snapshot().backends.map(({ name }) => name)].join('\n'),
  },
  {
    words: 'show activity',
    usage: '',
    does: 'show what each worker does: the sum, and in brackets one number a worker',
    level: 'user',
    run: (_, { control }) => activityText(control.snapshot()),
  },
];

function shapeOf(args: readonly string[]): Shape {
  if (args.includes('typed')) return 'typed';
  return args.includes('json') ? 'json' : 'text';
}

/** As HAProxy takes them: three arguments pick, and a word is a shape. */
function pickOf(snapshot: Snapshot, args: readonly string[]): StatPick {
  const [proxy, types, sid] = args.filter(word => word !== 'typed' && word !== 'json');
  if (proxy === undefined || types === undefined || sid === undefined) return { proxy: null, types: -1, sid: -1 };
  if (![types, sid].every(number => /^-?\d{1,9}$/.test(number))) {
    throw new Refusal(
      'Expects numbers behind the proxy: the sum of 1 (frontend), 2 (backend), 4 (server), and a server id.',
    );
  }
  const pick = { types: Number(types), sid: Number(sid) };
  if (proxy === '-1') return { proxy: null, ...pick };
  const named = /^\d+$/.test(proxy) && !hasProxy(snapshot, proxy) ? Number(proxy) : proxy;
  // A number that nobody has is an empty answer, a name that nobody has is a mistake: as in HAProxy.
  if (typeof named === 'string' && !hasProxy(snapshot, named)) throw new Refusal('No such proxy.');
  return { proxy: named, ...pick };
}

function activityText({ workers, atMs, info }: Snapshot): string {
  const delays = workers.map(({ loopDelayMaxMs }) => loopDelayMaxMs.toFixed(1));
  const longest = Math.max(info.loopDelayMaxMs, ...workers.map(({ loopDelayMaxMs }) => loopDelayMaxMs)).toFixed(1);
  const line = (name: string, of: (worker: Snapshot['workers'][number]) => number): string => {
    const numbers = workers.map(of);
    return `${name}: ${numbers.reduce((sum, number) => sum + number, 0)} [ ${numbers.join(' ')} ]`;
  };
  const word = (name: string, of: (worker: Snapshot['workers'][number]) => string | number): string =>
    `${name}: [ ${workers.map(of).join(' ')} ]`;
  return [
    word('worker', ({ name }) => name),
    word('pid', ({ pid }) => pid),
    word('state', ({ state }) => state),
    `date_now: ${(atMs / 1000).toFixed(6)}`,
    line('sessions', ({ sessions }) => sessions),
    line('sessions_max', ({ sessionsMax }) => sessionsMax),
    line('sess_rate', ({ rate }) => rate),
    line('accepted', ({ counts }) => counts.connections ?? 0),
    line('sess_total', ({ counts }) => counts.sessions ?? 0),
    line('bytes_in', ({ counts }) => counts.bytes_in ?? 0),
    line('bytes_out', ({ counts }) => counts.bytes_out ?? 0),
    `loop_delay_max_ms: ${longest} [ ${delays.join(' ')} ]`,
  ].join('\n');
}
