import { setTimeout as delay } from 'node:timers/promises';
import type { Control } from '../control.ts';
import type { BackendFacts, StickFacts } from '../snapshot.ts';
import { entryText } from '../table/entry_text.ts';
import { type Answer, type Caller, type Command, demand, Refusal } from './command.ts';
import { readTableFilters } from './table_filter.ts';

/** So long a header waits for the exact number of entries; then it says what this proxy knows without asking. */
const COUNT_MS = 300;

export const tableCommands: readonly Command[] = [
  {
    words: 'show table',
    usage: '<table> [<filter>]*',
    does: "report table usage stats or dump this table's contents (filter: data/key)",
    level: 'user',
    run: (args, caller) => (args.length === 0 ? headers(caller.control) : dump(args, caller)),
  },
  {
    words: 'clear table',
    usage: '<table> [<filter>]*',
    does: 'remove an entry from a table (filter: data/key)',
    level: 'admin',
    run: clear,
  },
  {
    words: 'set table',
    usage: '<table> key <k> data.server_key <srv>',
    does: "set an entry's server (or data.server_id <n>)",
    level: 'admin',
    run: set,
  },
];

interface Table {
  readonly backend: BackendFacts;
  readonly stick: StickFacts;
  readonly servers: readonly string[];
}

function findTable(control: Control, name: string): Table {
  const backend = control.snapshot().backends.find(each => each.name === name);
  if (backend?.stick == null) throw new Refusal('No such table');
  return { backend, stick: backend.stick, servers: backend.servers.map(server => server.name) };
}

/** HAProxy's line about a table, with its end. */
function tableHeader(name: string, size: number, used: number): string {
  return `# table: ${name}, type: string, size:${size}, used:${used}\n`;
}

async function headers(control: Control): Promise<string> {
  const tables = control.snapshot().backends.flatMap(({ name, stick }) => (stick === null ? [] : [{ name, stick }]));
  const lines = await Promise.all(tables.map(({ name, stick }) => header(control, name, stick)));
  return lines.join('');
}

async function header(control: Control, name: string, stick: StickFacts): Promise<string> {
  const over = new AbortController();
  const late = delay(COUNT_MS, stick.used, { signal: over.signal }).catch(() => stick.used);
  // What the store says of its troubles is for `show info`; a header is no place for it.
  const counted = control.table.used(name).catch(() => stick.used);
  const used = await Promise.race([counted, late]);
  over.abort();
  return tableHeader(name, stick.size, used);
}

/** Keys are clients' data: for operators and above. */
async function dump([name = '', ...words]: readonly string[], caller: Caller): Promise<Answer> {
  demand(caller, 'operator');
  const { control } = caller;
  const table = findTable(control, name);
  if (words[0] === 'key') return showKey(control, table, words);
  return walk(control, table, readTableFilters(words, table.servers));
}

async function showKey(control: Control, table: Table, words: readonly string[]): Promise<string> {
  const key = readKey(words);
  const entry = await control.table.get(table.backend.name, key);
  // As HAProxy: no entry, no line.
  if (entry === null) return '';
  const { servers, stick } = table;
  const line = entryText('haproxy', { servers, expireMs: stick.expireMs })(entry);
  return (await header(control, table.backend.name, stick)) + line;
}

async function* walk(
  control: Control,
  { backend, stick }: Table,
  filters: ReturnType<typeof readTableFilters>,
): AsyncGenerator<string | Buffer> {
  yield await header(control, backend.name, stick);
  for (const filter of filters) yield* control.table.walk(backend.name, 'haproxy', filter);
}

async function clear([name, ...words]: readonly string[], { control, note }: Caller): Promise<string> {
  if (name === undefined) {
    throw new Refusal('Required arguments: <table> "data.<store_data_type>" <operator> <value> or <table> key <key>');
  }
  const table = findTable(control, name);
  if (words[0] === 'key') {
    await control.table.clearKey(name, readKey(words));
  } else {
    for (const filter of readTableFilters(words, table.servers)) await control.table.clear(name, filter);
  }
  note(['clear table', name, ...words].join(' '));
  return '';
}

async function set([name, ...words]: readonly string[], { control, note }: Caller): Promise<string> {
  if (name === undefined) throw new Refusal('"set table" expects <table> key <key> data.server_key <server>');
  const table = findTable(control, name);
  if (words[0] !== 'key') throw new Refusal('Write: set table <table> key <key> data.server_key <server>');
  const key = readKey(words);
  const [, , type = '', value] = words;
  if (!['data.server_key', 'data.server_id', 'data.server'].includes(type)) {
    throw new Refusal('Unknown data type. There are: data.server_key, data.server_id.');
  }
  await control.table.set(name, key, readServer(type, value, table.servers));
  note(['set table', name, ...words].join(' '));
  return '';
}

function readServer(type: string, value: string | undefined, servers: readonly string[]): string {
  if (value === undefined || (type === 'data.server_id' && !/^\d{1,9}$/.test(value))) {
    throw new Refusal(
      type === 'data.server_id' ? 'Require a valid integer value to store' : 'Require a value to store',
    );
  }
  const server = type === 'data.server_id' ? servers[Number(value) - 1] : servers.find(name => name === value);
  if (server === undefined) throw new Refusal('No such server.');
  return server;
}

function readKey(words: readonly string[]): string {
  const key = words[1];
  if (key === undefined || key === '') throw new Refusal('Key value expected');
  return key;
}
