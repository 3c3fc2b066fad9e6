import { beforeEach, describe, expect, it } from 'vitest';
import type { Caller, Command, ConnectionControl } from '../../../../src/admin/runtime/command.ts';
import { COMMANDS } from '../../../../src/admin/runtime/commands.ts';
import { failureText } from '../../../../src/admin/runtime/failure_text.ts';
import { findCommand } from '../../../../src/admin/runtime/find_command.ts';
import { peersText } from '../../../../src/admin/runtime/peers_command.ts';
import { LimpetError } from '../../../../src/errors.ts';
import { PEERS } from '../../../kit/admin_facts.ts';
import { frontend, session, snapshot } from './facts.ts';
import { PlainControl } from './plain_control.ts';

let control: PlainControl;
let notes: string[] = [];
beforeEach(() => {
  control = new PlainControl();
  notes = [];
});

const connection: ConnectionControl = { togglePrompt() {}, quit() {}, lowerLevel() {}, setTimeoutMs() {} };

/** The answer, or what a refusal says. */
async function ask(line: string, level: Caller['level'] = 'admin'): Promise<string> {
  const found = findCommand(COMMANDS, line.split(' '));
  if (found.kind === 'unknown') return `unknown: ${found.near.map(({ words }: Command) => words).join(', ')}`;
  const api = async () => ({ status: 200, json: { ok: true } });
  try {
    const note = (what: string) => void notes.push(what);
    const caller = { control, api, level, by: 'test', payload: null, note, connection };
    const answer = await found.command.run(found.args, caller);
    if (typeof answer === 'string') return answer;
    let text = '';
    for await (const chunk of answer) text += chunk.toString();
    return text;
  } catch (error) {
    return failureText(error) ?? String(error);
  }
}

describe('orders', () => {
  it.each<[line: string, order: string, answer?: string]>([
    ['set server emqx/emqx1 state drain', 'state emqx/emqx1 "drain"'],
    ['set server emqx/emqx1 state drain_new', 'state emqx/emqx1 "drain_new"'],
    ['set server emqx/emqx1 weight 50%', 'weight emqx/emqx1 0'],
    ['set server emqx/emqx1 weight 256', 'weight emqx/emqx1 256'],
    ['set weight emqx/emqx1 100%', 'weight emqx/emqx1 null'],
    ['set server emqx/emqx1 health down', 'health emqx/emqx1 "down"'],
    ['set server emqx/emqx1 maxconn 0', 'maxconn emqx/emqx1 null'],
    ['set maxconn server emqx/emqx1 9', 'maxconn emqx/emqx1 9'],
    [
      'set server emqx/emqx1 addr 10.9.9.9 port 99',
      'address emqx/emqx1 "10.9.9.9" 99',
      "address changed from '10.0.0.1:1883' to '10.9.9.9:99' by 'stats socket command'",
    ],
    [
      'set server emqx/emqx1 addr 10.0.0.1',
      'address emqx/emqx1 "10.0.0.1" null',
      'no need to change the addr, no need to change the port',
    ],
    [
      'set server emqx/emqx1 fqdn b9.example',
      'address emqx/emqx1 "b9.example" null',
      "address changed from '10.0.0.1:1883' to 'b9.example:1883' by 'stats socket command'",
    ],
    ['enable server emqx/emqx1', 'state emqx/emqx1 "ready"'],
    ['disable server emqx/emqx1', 'state emqx/emqx1 "maint"'],
    ['enable health emqx/emqx1', 'checks emqx/emqx1 true'],
    ['disable health emqx/emqx1', 'checks emqx/emqx1 false'],
    ['disable frontend mqtt', 'frontend "mqtt" false'],
    ['shutdown frontend mqtt', 'frontend "mqtt" false'],
    ['set maxconn frontend mqtt 50', 'frontendMaxconn "mqtt" 50'],
    ['set maxconn global 500', 'globalMaxconn 500'],
    ['set rate-limit connections frontend mqtt 20', 'frontendConnRate "mqtt" 20'],
    ['set rate-limit connections global 0', 'frontendConnRate "mqtt" null'],
    [
      'add server emqx/emqx4 10.0.0.4:1883 weight 5 maxconn 7 backup check',
      'add emqx/emqx4 {"address":"10.0.0.4:1883","weight":5,"maxconn":7,"backup":true,"check":true}',
      'New server registered.',
    ],
    ['del server emqx/emqx1', 'del emqx/emqx1', 'Server deleted.'],
    ['shutdown sessions server emqx/emqx1', 'end emqx/emqx1'],
  ])('%s', async (line, order, answer = '') => {
    expect(await ask(line)).toBe(answer);
    expect(control.orders).toEqual([order]);
    expect(control.by).toBe('test');
  });

  it.each<[line: string, order: string]>([
    [
      'drain server emqx/emqx1 rate 200/s until 10',
      'drain {"backend":"emqx","server":"emqx1","rate":200,"until":10,"reason":156}',
    ],
    [
      'drain server emqx/emqx1 reason 0x98',
      'drain {"backend":"emqx","server":"emqx1","rate":null,"until":0,"reason":152}',
    ],
    ['rebalance emqx rate 200 threshold 5%', 'rebalance {"backend":"emqx","rate":200,"threshold":0.05,"reason":156}'],
    ['pause task 7', 'pause 7'],
    ['resume task 7', 'resume 7'],
    ['cancel task 7', 'cancel 7'],
  ])('%s', async (line, order) => {
    expect(await ask(line, 'operator')).toMatch(/^7 (drain emqx\/emqx1|rebalance emqx) \w+ 200\/s 3000 10 2990 /);
    expect(control.orders).toEqual([order]);
  });
});

describe('refusals in the words of HAProxy', () => {
  it.each<[line: string, answer: string]>([
    ['set server', "Require 'backend/server'."],
    ['set server emqx', "Require 'backend/server'."],
    ['set server nope/x state ready', 'No such backend.'],
    ['set server emqx/nope state ready', 'No such server.'],
    ['set server emqx/emqx1 state foo', "'set server <srv> state' expects 'ready', 'drain', 'drain_new' and 'maint'."],
    ['set server emqx/emqx1 weight 300', 'Absolute weight can only be between 0 and 256 inclusive.'],
    ['set server emqx/emqx1 weight abc', 'Weight string empty or preceded by garbage.'],
    ['set weight emqx/emqx1', 'Require <weight> or <weight%>.'],
    ['set server emqx/emqx1 addr foo', "Invalid addr 'foo' by 'stats socket command'"],
    ['set server emqx/emqx1 addr 10.0.0.1 port x', 'provided port is not an integer'],
    ['set server emqx/emqx1 health bogus', "'set server <srv> health' expects 'up' or 'down'."],
    ['get weight emqx', "Require 'backend/server'."],
    [
      'drain server emqx/emqx1 reason constructor',
      "'reason' expects 0x9c (use another server) or 0x98 (administrative action).",
    ],
    [
      'clear table emqx data.server_id toString 1',
      'Filter entry #1: Require and operator among "eq", "ne", "le", "ge", "lt", "gt"',
    ],
    ['disable frontend', 'A frontend name is expected.'],
    ['disable frontend nope', 'No such frontend.'],
    ['enable frontend mqtt', 'All sockets are already enabled.'],
    ['set maxconn frontend mqtt', 'Integer value expected.'],
    ['set maxconn server emqx/emqx1', 'Require <maxconn>.'],
    ['set maxconn server emqx/emqx1 x', 'maxconn string empty or preceded by garbage'],
    ['set maxconn global', 'Expects an integer value.'],
    ['shutdown session', "Session pointer expected (use 'show sess')."],
    ['shutdown session 0x12', "No such session (use 'show sess')."],
    ['shutdown frontend nope', 'No such frontend.'],
    ['add server emqx', "Require 'backend/server'."],
    ['add server emqx/emqx1 10.0.0.1:1', 'Already exists a server with the same name in backend.'],
    ['add server emqx/n', "'server' expects <name> and <addr>[:<port>] as arguments."],
    ['clear table', 'Required arguments: <table> "data.<store_data_type>" <operator> <value> or <table> key <key>'],
    ['clear table nope', 'No such table'],
    ['show table raw', 'No such table'],
    ['show table emqx key', 'Key value expected'],
    [
      'show table emqx foo',
      'Optional argument only supports "data.<store_data_type>" <operator> <value> and key <key>',
    ],
    [
      'show table emqx data.server_id xx 1',
      'Filter entry #1: Require and operator among "eq", "ne", "le", "ge", "lt", "gt"',
    ],
    ['show table emqx data.server_id eq', 'Filter entry #1: Require a valid integer value to compare against'],
    ['set table emqx key a data.server_id x', 'Require a valid integer value to store'],
    ['set table emqx key a data.server_key nope', 'No such server.'],
    ['show servers state nope', "Can't find backend."],
    ['show stat nope -1 -1', 'No such proxy.'],
    ['show sess 0x2000000000001', 'Session not found.'],
    ['set timeout cli', 'Expects an integer value.'],
    ['rebalance nope rate 5', 'No such backend.'],
    ['drain server emqx/emqx1 rate 1000001', "'rate' expects sessions a second, at most 1000000: 200 or 200/s."],
    ['rebalance emqx', "'rebalance' expects 'rate' and sessions a second: rebalance emqx rate 200."],
  ])('%s', async (line, answer) => {
    expect(await ask(line)).toBe(answer);
    expect(control.orders.filter(order => !order.startsWith('end'))).toEqual([]);
  });

  it('names the frontends where a global rate has no meaning', async () => {
    control.facts = snapshot({ frontends: [frontend('a'), frontend('b')] });
    expect(await ask('set rate-limit connections global 5')).toContain('There are 2 frontends');
  });

  it.each<[code: string, answer: string]>([
    ['UNKNOWN_SERVER', 'No such server.'],
    ['SERVER_NOT_IN_MAINT', 'Only servers in maintenance mode can be deleted.'],
    ['SERVER_IN_USE', 'Server still has connections attached to it, cannot remove it.'],
    ['BAD_VALUE', 'The port is \\x1b wrong. Give a port.'],
  ])('what Control refuses as %s', async (code, answer) => {
    control.refusal = new LimpetError(code, 'the port is \u001b wrong', 'Give a port.');
    expect(await ask('del server emqx/emqx1')).toBe(answer);
  });
});

describe('tables', () => {
  beforeEach(async () => {
    await control.table.set('emqx', 'dev a', 'emqx1');
    await control.table.set('emqx', 'b', 'emqx2');
    control.table.entries.push({ key: 'c', server: 'emqx3', state: 'pinned', ttlMs: null, owner: 'lb1/1', epoch: 2 });
  });
  const keys = (text: string): string[] =>
    [...text.matchAll(/ key=(.*) use=/g)].map(([, key = '']) => key.replaceAll('\\ ', ' '));

  it('are listed', async () => {
    expect(await ask('show table', 'user')).toBe('# table: emqx, type: string, size:102400, used:3\n');
  });

  it('are shown in the lines of HAProxy', async () => {
    const [head, first, , last] = (await ask('show table emqx')).split('\n');
    expect(head).toBe('# table: emqx, type: string, size:102400, used:3');
    expect(first).toMatch(/^0x[0-9a-f]+: key=dev\\ a use=0 exp=1800000 server_id=1 server_key=emqx1$/);
    expect(last).toMatch(/^0x[0-9a-f]+: key=c use=1 exp=1800000 server_id=3 server_key=emqx3$/);
  });

  it.each<[filter: string, found: string[]]>([
    ['key b', ['b']],
    ['key nope', []],
    ['data.server_id eq 2', ['b']],
    ['data.server_id ne 2', ['dev a', 'c']],
    ['data.server_id ge 2', ['b', 'c']],
    ['data.server_id gt 9', []],
    ['data.server_key eq emqx1', ['dev a']],
    ['data.server eq emqx1', ['dev a']],
    ['data.server ne emqx1', ['b', 'c']],
    ['data.server eq nope', []],
    ['data.state eq pinned', ['c']],
    ['data.server_id ge 2 data.state eq cooling', ['b']],
    ['data.exp lt 1800000', []],
    ['data.exp le 1800000', ['dev a', 'b']],
    ['data.exp gt 1800000', ['c']],
  ])('%s', async (filter, found) => {
    expect(keys(await ask(`show table emqx ${filter}`))).toEqual(found);
  });

  it('are cleared by key, by filter, and whole', async () => {
    await ask('clear table emqx key b');
    expect(control.table.entries.map(({ key }) => key)).toEqual(['dev a', 'c']);
    await ask('clear table emqx data.server_key eq emqx1');
    expect(control.table.entries.map(({ key }) => key)).toEqual(['c']);
    await ask('clear table emqx');
    expect(control.table.entries).toEqual([]);
  });

  it('are changed by nobody without a trace', async () => {
    await ask('clear table emqx key b');
    await ask('clear table emqx data.server_key eq emqx1');
    await ask('set table emqx key y data.server_id 3');
    await ask('set table emqx key y data.server_id 99');
    await ask('api DELETE /table/emqx');
    await ask('api GET /table/emqx');
    expect(notes).toEqual([
      'clear table emqx key b',
      'clear table emqx data.server_key eq emqx1',
      'set table emqx key y data.server_id 3',
      'DELETE /table/emqx',
    ]);
  });

  it('take an entry by name and by number of the server', async () => {
    await ask('set table emqx key x data.server_key emqx2');
    await ask('set table emqx key y data.server_id 3');
    expect(control.table.entries.slice(-2)).toMatchObject([
      { key: 'x', server: 'emqx2' },
      { key: 'y', server: 'emqx3' },
    ]);
  });

  it('show no key to a user', async () => {
    expect(await ask('show table emqx', 'user')).toBe('Permission denied');
  });
});

describe('sessions', () => {
  it('can be ended by the id that show sess gives', async () => {
    control.live = [session(), session({ worker: 'lb1/1', id: 5 })];
    const line = (await ask('show sess')).split('\n')[0] ?? '';
    expect(await ask(`shutdown session ${line.split(':')[0]}`)).toBe('');
    expect(control.live).toMatchObject([{ worker: 'lb1/1' }]);
  });

  it('can be picked', async () => {
    control.live = [session(), session({ clientId: 'other', server: 'emqx2' })];
    expect(await ask('show sess server emqx/emqx2')).toMatch(/^0x\S+: .* clientid=other\n$/);
    expect(await ask('show sess client dev-1')).toMatch(/^0x\S+: .* clientid=dev-1\n$/);
    expect((await ask('show sess all')).match(/^0x/gm)).toHaveLength(2);
  });
});

describe('lists of servers', () => {
  it('are the state file of HAProxy, version 1', async () => {
    const [version, head, ...lines] = (await ask('show servers state emqx', 'user')).split('\n');
    expect(version).toBe('1');
    expect(head?.split(' ')).toHaveLength(26);
    expect(lines).toEqual([
      '3 emqx 1 emqx1 10.0.0.1 2 0 1 1 60 15 3 1 6 0 0 0 - 1883 - 0 0 - - 0',
      '3 emqx 2 emqx2 10.0.0.2 0 0 1 1 60 15 3 1 6 0 0 0 b2.example 1883 - 0 0 - - 0',
      '3 emqx 3 emqx3 10.0.0.1 2 0 1 1 60 1 0 0 0 0 0 0 - 1883 - 0 0 - - 0',
    ]);
    await ask('set server emqx/emqx1 state drain');
    expect((await ask('show servers state 3')).split('\n')[2]).toMatch(/^3 emqx 1 emqx1 10\.0\.0\.1 2 8 /);
    await ask('set server emqx/emqx1 state maint');
    expect((await ask('show servers state 3')).split('\n')[2]).toMatch(
      /^3 emqx 1 emqx1 10\.0\.0\.1 0 1 .* 15 3 1 14 0 /,
    );
  });

  it('tell the connections', async () => {
    control.change({ backend: 'emqx', server: 'emqx1' }, { conns: 4 });
    expect((await ask('show servers conn raw', 'user')).split('\n')).toHaveLength(2);
    expect(await ask('show servers conn')).toContain('\nemqx/emqx1 3/1 10.0.0.1 1883 - 0 4 2 0 0 0 -1 0 0\n');
  });

  it('name the backends', async () => {
    expect(await ask('show backend')).toBe('# name\nemqx\nraw');
    expect(await ask('show activity')).toContain('\naccepted: 14 [ 10 4 ]\n');
    expect(await ask('show activity')).toContain('\nloop_delay_max_ms: 4.3 [ 1.5 1.5 ]');
  });
});

it('shows the proxies that share the state, a line each, whatever they call themselves', async () => {
  const hostile = PEERS.map(one => (one.self ? one : { ...one, name: 'lb2 role=active\nid=x', version: '9 conns=7' }));
  const [head, ...lines] = peersText(snapshot({ proxies: hostile })).split('\n');
  expect(head).toMatch(/^limpet: \[\d{2}\/\w{3}\/\d{4}:[\d:.]+\] id=limpet peers=2 alive=1$/);
  expect(lines).toEqual([
    expect.stringMatching(
      /^ {2}lb1: id=lb1\(local\) status=ESTA last_beat=0s role=active ready=yes version=0\.1\.0 conns=3 uptime=\w+ vip=10\.0\.0\.100$/,
    ),
    expect.stringMatching(
      /^ {2}lb2\\x20role=active\\x0aid=x: id=\S+\(remote\) status=NONE last_beat=12s role=standby ready=- version=9\\x20conns=7 conns=- /,
    ),
  ]);
  const unready = PEERS.map(one => ({ ...one, ready: false }));
  expect(peersText(snapshot({ proxies: unready })).match(/ ready=no /g)).toHaveLength(2);
  expect(await ask('show peers limpet', 'user')).toContain(' id=limpet peers=0 alive=0');
  expect(await ask('show peers other')).toBe('No such peers');
});

it('shows tasks', async () => {
  expect(await ask('show tasks', 'user')).toBe('# id kind target state rate total moved left started ended');
});

it('says what a reload did', async () => {
  control.report = { ok: true, changes: ['server emqx/emqx4 added'], needsRestart: [], warnings: [], problems: [] };
  expect(await ask('reload')).toBe('Success=1\n--\nserver emqx/emqx4 added');
  control.report = {
    ok: false,
    changes: [],
    needsRestart: [],
    warnings: [],
    problems: ['limpet.yaml:3:1: unknown key'],
  };
  expect(await ask('reload')).toBe('Success=0\n--\nlimpet.yaml:3:1: unknown key\nnothing has been changed');
});

it('has every command at most once, and each with its help', () => {
  const words = COMMANDS.map(command => command.words);
  expect(new Set(words).size).toBe(words.length);
  expect(COMMANDS.every(({ does }) => does !== '')).toBe(true);
});
