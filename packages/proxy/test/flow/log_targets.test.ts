import { mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import type { LogConfig, LogTarget } from '../../src/config/resolved.ts';
import { createLog, type Log } from '../../src/log.ts';
import { until } from '../kit/condition.ts';
import { makeDirectory } from '../kit/directory.ts';
import { freePort } from '../kit/port.ts';
import { type Process, startProcess } from '../kit/process.ts';

function config(target: LogTarget, more: Partial<LogConfig> = {}): LogConfig {
  return { level: 'info', format: 'json', usernames: false, target, sample: null, ...more };
}

type Transport = Extract<LogTarget, { kind: 'syslog' }>['transport'];
const syslog = (transport: Transport): LogTarget => ({ kind: 'syslog', transport, facility: 'local3', tag: 'lb' });

function read(path: string): string {
  return statSync(path, { throwIfNoEntry: false }) === undefined ? '' : readFileSync(path, 'utf8');
}

function eventsOf(text: string): readonly string[] {
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => (JSON.parse(line) as { event: string }).event);
}

/** A receiver that writes all that it gets to a file. */
const receive = (from: string, file: string): Process =>
  startProcess('socat', ['-u', '-b65536', from, `OPEN:${file},creat,append`]);

test('a file is appended to by all processes, and opened anew after it was moved away', async () => {
  await using folder = await makeDirectory('log');
  const path = folder.write('limpet.log', '{"event":"before"}\n');
  rmSync(path);
  const logs = ['primary', '1', '2'].map(who => createLog(config({ kind: 'file', path }), who));
  expect(statSync(path).mode & 0o137).toBe(0);
  for (let round = 0; round < 2000; round += 1) for (const log of logs) log.info('first', { round });
  await Promise.all(logs.map(log => log.flush()));
  renameSync(path, folder.file('limpet.log.1'));
  for (const log of logs) log.info('moved');
  await Promise.all(logs.map(log => log.flush()));
  for (const log of logs) log.reopen();
  for (const log of logs) log.info('anew');
  await Promise.all(logs.map(log => log.flush()));
  const old = eventsOf(read(folder.file('limpet.log.1')));
  expect(old).toHaveLength(6003);
  expect(old.slice(-3)).toEqual(['moved', 'moved', 'moved']);
  expect(eventsOf(read(path))).toEqual(['anew', 'anew', 'anew']);
});

test('no line is lost or torn where the file is opened anew amid the writing', async () => {
  await using folder = await makeDirectory('log');
  const path = folder.file('limpet.log');
  const log = createLog(config({ kind: 'file', path }), 'w');
  for (let round = 0; round < 50; round += 1) {
    for (let at = 0; at < 200; at += 1) log.info('line', { text: 'x'.repeat(200) });
    renameSync(path, folder.file(`limpet.log.${round}`));
    log.reopen();
    await new Promise(resolve => setImmediate(resolve));
  }
  await log.flush();
  const names = [...Array.from({ length: 50 }, (_, round) => `limpet.log.${round}`), 'limpet.log'];
  expect(names.flatMap(name => eventsOf(read(folder.file(name))))).toHaveLength(10_000);
});

test('where the file cannot be opened anew, the old one is written to, and the log says so', async () => {
  await using folder = await makeDirectory('log');
  const path = folder.file('limpet.log');
  const log = createLog(config({ kind: 'file', path }), 'w');
  renameSync(path, folder.file('old'));
  mkdirSync(path);
  log.reopen();
  log.info('after');
  await log.flush();
  expect(eventsOf(read(folder.file('old')))).toEqual(['log_kept', 'after']);
});

test.each<readonly [what: string, target: (folder: string) => LogTarget]>([
  ['file', folder => ({ kind: 'file', path: `${folder}/none/limpet.log` })],
  ['file that is a folder', folder => ({ kind: 'file', path: folder })],
  ['socket', folder => syslog({ kind: 'unix', path: `${folder}/log` })],
  ['socket that is none', folder => syslog({ kind: 'unix', path: folder })],
])('a %s that cannot be opened ends the start, and names it', async (_, target) => {
  await using folder = await makeDirectory('log');
  const wanted = target(folder.path);
  expect(() => createLog(config(wanted), 'primary')).toThrow(
    expect.objectContaining({
      code: 'LOG_TARGET',
      message: expect.stringContaining(folder.path),
      remedy: expect.stringMatching(/\w/),
    }),
  );
  // A worker that is replaced is worth more than its lines.
  const log = createLog(config(wanted, { level: 'error', format: 'tcplog' }), '1', 'stdout');
  await log.flush();
});

/** A header of RFC 5424, and the line. */
const MESSAGE = /^<(\d+)>1 (\S+) (\S+) lb (\d+) (\S+) - (\{.*\})$/;

function expectMessage(message: string | undefined, priority: number, event: string): void {
  const [, pri, at, host, pid, msgid, line = '{}'] = MESSAGE.exec(message ?? '') ?? [];
  expect([pri, host, pid, msgid]).toEqual([String(priority), hostname(), String(process.pid), event]);
  expect(Math.abs(Date.parse(at ?? '') - Date.now())).toBeLessThan(60_000);
  expect(JSON.parse(line)).toMatchObject({ event, client_id: 'é🐚' });
}

test('syslog over UDP: one datagram a line; a receiver that comes later gets what follows', async () => {
  await using folder = await makeDirectory('log');
  const port = await freePort();
  const file = folder.file('received');
  const log = createLog(config(syslog({ kind: 'udp', host: 'localhost', port })), 'w');
  log.info('connect', { client_id: 'é🐚' });
  await log.flush();
  await using receiver = receive(`UDP4-RECV:${port},bind=127.0.0.1`, file);
  await receiver.waitUntil('a datagram', async () => {
    log.warn('refused', { client_id: 'é🐚' });
    await log.flush();
    return read(file).includes('refused');
  });
  const messages = read(file).split(/(?=<\d+>1 )/);
  expectMessage(messages.at(-1), 19 * 8 + 4, 'refused');
});

/** The messages of a stream with octet counts; throws where a count is wrong. */
function counted(stream: Buffer): readonly string[] {
  const messages: string[] = [];
  for (let at = 0; at < stream.length; ) {
    const space = stream.indexOf(' ', at);
    const length = Number(stream.toString('latin1', at, space));
    if (!(length > 0) || space + 1 + length > stream.length) throw new Error(`no frame at ${at}`);
    messages.push(stream.toString('utf8', space + 1, space + 1 + length));
    at = space + 1 + length;
  }
  return messages;
}

test('syslog over TCP: octets are counted; what is logged while the receiver is away comes when it is back', async () => {
  await using folder = await makeDirectory('log');
  const port = await freePort();
  const file = folder.file('received');
  const log = createLog(config(syslog({ kind: 'tcp', host: '127.0.0.1', port })), 'w');
  log.info('early', { client_id: 'é🐚' });
  {
    await using first = receive(`TCP4-LISTEN:${port},bind=127.0.0.1,reuseaddr`, file);
    await first.waitUntil('the first line', () => read(file).includes('early'));
    await first.kill();
  }
  for (let at = 0; at < 500; at += 1) log.error('away', { client_id: 'é🐚' });
  await using second = receive(`TCP4-LISTEN:${port},bind=127.0.0.1,reuseaddr`, file);
  await second.waitUntil('all lines', () => read(file).split('"away"').length > 500);
  const messages = counted(readFileSync(file));
  expectMessage(messages[0], 19 * 8 + 6, 'early');
  expectMessage(messages.at(-1), 19 * 8 + 3, 'away');
  expect(messages.filter(message => message.includes('"away"')).length).toBeGreaterThanOrEqual(500);
});

test.each([
  ['datagrams', 'UNIX-RECV', /(?=<\d+>1 )/],
  ['a stream', 'UNIX-LISTEN', /\n/],
] as const)('syslog over a unix socket for %s; its server may be replaced', async (_, kind, between) => {
  await using folder = await makeDirectory('log');
  const [path, file] = [folder.file('log'), folder.file('received')];
  const start = async (): Promise<Process> => {
    rmSync(path, { force: true });
    const receiver = receive(`${kind}:${path}`, file);
    await receiver.waitUntil('the socket', () => statSync(path, { throwIfNoEntry: false }) !== undefined);
    return receiver;
  };
  let log: Log;
  {
    await using first = await start();
    log = createLog(config(syslog({ kind: 'unix', path })), 'w');
    for (let at = 0; at < 1000; at += 1) log.info('one', { client_id: 'é🐚' });
    await first.waitUntil('the lines', () => read(file).split('"one"').length > 1000);
    await first.kill();
  }
  await using second = await start();
  await second.waitUntil('a line to the new one', async () => {
    log.error('two', { client_id: 'é🐚' });
    await log.flush();
    return read(file).includes('"two"');
  });
  const messages = read(file)
    .split(between)
    .filter(message => message !== '');
  expectMessage(messages[0], 19 * 8 + 6, 'one');
  expectMessage(
    messages.find(message => message.includes('"two"')),
    19 * 8 + 3,
    'two',
  );
});

test('floods are thinned out, and only those of clients', async () => {
  await using folder = await makeDirectory('log');
  const path = folder.file('limpet.log');
  const log = createLog(config({ kind: 'file', path }, { sample: { above: 10, keep: 100 } }), 'w');
  for (let at = 0; at < 2000; at += 1) {
    log.info('connect', { at });
    log.warn('health', { at });
  }
  await log.flush();
  const lines = read(path)
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as { event: string; sampled?: number });
  expect(lines.filter(({ event }) => event === 'health')).toHaveLength(2000);
  const connects = lines.filter(({ event }) => event === 'connect');
  expect(connects.length).toBeLessThan(120);
  expect(connects.filter(({ sampled }) => sampled === 100).length).toBeGreaterThanOrEqual(18);
});

test('floods of tcplog lines are thinned out too, and told of', async () => {
  await using folder = await makeDirectory('log');
  const path = folder.file('limpet.log');
  const log = createLog(config({ kind: 'file', path }, { format: 'tcplog', sample: { above: 10, keep: 100 } }), 'w');
  for (let at = 0; at < 500; at += 1) log.line(`line ${at}`);
  await until(
    async () => {
      log.line('later');
      await log.flush();
      return read(path).includes('log_sampled');
    },
    { what: 'a word about what was left out' },
  );
  expect(read(path)).toMatch(/^info log_sampled left_out=\d+$/m);
});
