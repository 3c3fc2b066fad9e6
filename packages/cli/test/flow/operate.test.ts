import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { TASK } from '../../../proxy/test/kit/admin_facts.ts';
import { makeDirectory } from '../../../proxy/test/kit/directory.ts';
import { openHouse } from './house.ts';
import { limpet, linesOf, runScript, startLimpetProgram } from './program.ts';

describe('limpet status', () => {
  it('shows proxy, servers and tasks', async () => {
    await using house = await openHouse();
    const { code, stdout, stderr } = await house.run('status');
    const text = stdout.join('\n');
    expect(text).toMatch(/^limpet lb1 0\.1\.0: active, up 1 min, pid 42/);
    expect(text).toMatch(/^ {2}emqx2 +DRAIN +3\/100 /m);
    expect(text).toContain('drain of emqx/emqx2: running, 10 of 30 asked to leave, 20 left, 200/s (task 7)');
    expect([code, stderr]).toEqual([0, []]);
  });

  it('prints JSON in snake_case', async () => {
    await using house = await openHouse();
    const { stdout } = await house.run('status', '--json');
    const seen = JSON.parse(stdout.join('\n'));
    expect(Object.keys(seen)).toEqual(['info', 'frontends', 'backends', 'workers', 'tasks', 'proxies']);
    expect(seen.info).toMatchObject({ name: 'lb1', started_at_ms: 1_800_000_000_000, store_reachable: true });
    expect(seen.backends[0].servers[1]).toMatchObject({ name: 'emqx2', admin: 'drain', maxconn: 100 });
  });

  it('finds the proxy by the environment and by its configuration', async () => {
    await using house = await openHouse();
    const file = house.directory.write(
      'limpet.yaml',
      `global: { runtime_api: [{ address: 127.0.0.1:1, level: user }, { address: ./limpet.sock }] }
frontends: { mqtt: { bind: "*:1883", default_backend: emqx } }
backends: { emqx: { servers: { emqx1: 10.0.0.1:1883 } } }
`,
    );
    expect(await limpet('status', '-c', file)).toMatchObject({ code: 0, stderr: [] });
    expect(await runScript('LIMPET_SOCKET=$1 limpet status', house.path)).toMatchObject({ code: 0, stderr: [] });
  });
});

describe('a proxy that does not answer', () => {
  it('is not there', async () => {
    await using directory = await makeDirectory('cli');
    const { code, stdout, stderr } = await limpet('status', '--socket', directory.file('none.sock'));
    expect(stderr[0]).toMatch(/^limpet: nobody listens at .*none\.sock \(--socket\)$/);
    expect(stderr[1]).toMatch(/Is the proxy running, with `global.runtime_api` .* \(NO_PROXY\)$/);
    expect([code, stdout]).toEqual([1, []]);
  });

  it('has left its socket behind', async () => {
    await using directory = await makeDirectory('cli');
    const path = directory.file('old.sock');
    // A process that is killed leaves the file.
    const listen = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
    await runScript('"$NODE" -e "$1" "$2"', listen, path);
    expect((await limpet('status', '--socket', path)).stderr.join(' ')).toMatch(/its proxy has ended.*\(OLD_SOCKET\)$/);
  });

  it.runIf(process.getuid?.() === 0)('does not let everybody in', async () => {
    await using house = await openHouse();
    const nobody = 'setpriv --reuid=65534 --regid=65534 --clear-groups -- "$NODE" "$BIN" status --socket "$1"';
    const { code, stderr } = await runScript(nobody, house.path);
    expect(stderr.join(' ')).toMatch(/^limpet: permission denied for .* \(NOT_ALLOWED\)$/);
    expect(code).toBe(1);
  });

  it('is another program', async () => {
    await using directory = await makeDirectory('cli');
    const path = directory.file('other.sock');
    await using server = createServer(socket => socket.resume().end('Unknown \u001b[31mcommand.\n\n'));
    await new Promise<void>(resolve => server.listen(path, resolve));
    const { stderr } = await limpet('status', '--socket', path);
    expect(stderr[0]).toContain('does not answer as Limpet does: "Unknown \\u001b[31mcommand."');
  });

  it.each([['/etc/passwd', /^limpet: \/etc\/passwd \(--socket\) is no socket .*\(NO_SOCKET\)$/]])(
    'is no proxy at all: %s',
    async (path, expected) => {
      expect((await limpet('status', '--socket', path)).stderr.join(' ')).toMatch(expected);
    },
  );

  it('breaks off', async () => {
    await using directory = await makeDirectory('cli');
    const path = directory.file('other.sock');
    await using server = createServer(socket => socket.resume().end('200\n{"name":'));
    await new Promise<void>(resolve => server.listen(path, resolve));
    expect((await limpet('status', '--socket', path)).stderr.join(' ')).toContain('(CUT_OFF)');
  });
});

describe('limpet server', () => {
  const cases: [args: string[], order: string][] = [
    [['ready', 'emqx/emqx1'], 'setServerState {"backend":"emqx","server":"emqx1"} "ready" "runtime_api unix"'],
    [['drain_new', 'emqx/emqx1'], 'setServerState {"backend":"emqx","server":"emqx1"} "drain_new" "runtime_api unix"'],
    [['drain', 'emqx/emqx1'], 'setServerState {"backend":"emqx","server":"emqx1"} "drain" "runtime_api unix"'],
    [['maint', 'emqx/emqx1'], 'setServerState {"backend":"emqx","server":"emqx1"} "maint" "runtime_api unix"'],
    [['weight', 'emqx/emqx1', '5'], 'setServerWeight {"backend":"emqx","server":"emqx1"} 5 "runtime_api unix"'],
    [
      ['weight', 'emqx/emqx1', 'default'],
      'setServerWeight {"backend":"emqx","server":"emqx1"} null "runtime_api unix"',
    ],
    [['maxconn', 'emqx/emqx1', 'none'], 'setServerMaxconn {"backend":"emqx","server":"emqx1"} null "runtime_api unix"'],
    [
      ['addr', 'emqx/emqx1', '[::1]:1884'],
      'setServerAddress {"backend":"emqx","server":"emqx1"} "::1" 1884 "runtime_api unix"',
    ],
    [
      ['add', 'emqx/emqx1', '10.0.0.4:1883', '--weight', '5', '--no-check'],
      'addServer {"backend":"emqx","server":"emqx1"} {"address":"10.0.0.4:1883","weight":5,"check":false} "runtime_api unix"',
    ],
  ];
  it.each(cases)('%j', async (args, order) => {
    await using house = await openHouse();
    const { code, stdout, stderr } = await house.run('server', ...args);
    expect(house.control.orders).toEqual([order]);
    expect(stdout).toEqual(['emqx/emqx1: UP, weight 1, 3 sessions']);
    expect([code, stderr]).toEqual([0, []]);
  });

  it('tells what the proxy refuses, with its remedy', async () => {
    await using house = await openHouse();
    const { code, stdout, stderr } = await house.run('server', 'del', 'emqx/emqx1', '--json');
    expect(stderr).toEqual(['limpet: the server serves', '  Put it in maint first. (SERVER_NOT_IN_MAINT)']);
    expect([code, stdout]).toEqual([1, []]);
  });

  it('in maint has sessions that are being closed, and one of the file comes back', async () => {
    await using house = await openHouse();
    const { facts } = house.control;
    const [emqx] = facts.backends;
    const server = { ...emqx?.servers[0], admin: 'maint' };
    house.control.facts = { ...facts, backends: [{ ...emqx, servers: [server] }] } as typeof facts;
    const { stdout } = await house.run('server', 'maint', 'emqx/emqx1');
    expect(stdout).toEqual(['emqx/emqx1: MAINT, weight 1, closing 3 sessions']);
  });

  it('may not do on a socket of a lower level what it may not', async () => {
    await using house = await openHouse('user');
    const { code, stderr } = await house.run('server', 'maint', 'emqx/emqx1');
    expect(stderr.join(' ')).toMatch(/this needs the level operator +This socket has the level user: .*\(FORBIDDEN\)$/);
    expect([code, house.control.orders]).toEqual([1, []]);
  });
});

describe('a drain', () => {
  it('that finds nobody on the standby says where the sessions are', async () => {
    await using house = await openHouse();
    const { facts } = house.control;
    const proxies = facts.proxies.map(one => {
      return one.self
        ? { ...one, role: 'standby' as const }
        : { ...one, role: 'active' as const, state: 'alive' as const, conns: 1 };
    });
    house.control.facts = { ...facts, proxies };
    const args = ['server', 'drain', 'emqx/emqx2', '--rate', '200/s', '--no-wait'];
    expect((await house.run(...args)).stderr).toEqual([]);
    house.control.drain = async () => ({ ...TASK, total: 0, moved: 0, left: 0 });
    expect((await house.run(...args)).stderr).toEqual([
      'this proxy is standby: the sessions are on lb2 (it has 1 connection); drain there, too',
    ]);
    expect((await house.run(...args, '--json')).stderr).toEqual([]);
  });

  it('is begun at a pace, and followed to its end', async () => {
    await using house = await openHouse();
    const { facts } = house.control;
    const args = ['server', 'drain', 'emqx/emqx2', '--rate', '200/s', '--until', '5', '--wait'];
    await using program = startLimpetProgram(...args, '--socket', house.path);
    await program.waitForLine(/^emqx\/emqx2: 20 of 30 left, 200\/s, 0 s to go$/);
    const ended = { ...TASK, state: 'done', left: 5, moved: 25, endedAtMs: TASK.startedAtMs + 2_000 } as const;
    house.control.facts = { ...facts, tasks: [ended] };
    await program.waitForLine(/^drain of emqx\/emqx2 is done in 2 s: 25 asked to leave, 5 left$/);
    expect((await program.waitForExit()).code).toBe(0);
    expect(house.control.orders).toEqual([
      'drain {"backend":"emqx","server":"emqx2","rate":200,"until":5,"reason":156} "runtime_api unix"',
    ]);
  });

  it('goes on without whoever began it', async () => {
    await using house = await openHouse();
    const args = ['server', 'drain', 'emqx/emqx2', '--rate', '200', '--wait'];
    await using program = startLimpetProgram(...args, '--socket', house.path);
    await program.waitForLine(/left/);
    program.signal('SIGINT');
    expect((await program.waitForExit()).code).toBe(0);
    expect(linesOf(program, 'stderr').join(' ')).toMatch(/^the drain goes on; .*server drain emqx\/emqx2 --pause/);
  });

  it('that was taken back by somebody else ends with 1', async () => {
    await using house = await openHouse();
    house.control.facts = { ...house.control.facts, tasks: [{ ...TASK, state: 'cancelled' }] };
    const { code, stdout } = await house.run('server', 'drain', 'emqx/emqx2', '--rate', '200/s', '--wait', '--json');
    expect(JSON.parse(stdout.join('\n'))).toMatchObject({ id: 7, state: 'cancelled' });
    expect(code).toBe(1);
  });

  it.each(['pause', 'resume', 'cancel'])('can be told to %s', async order => {
    await using house = await openHouse();
    expect((await house.run('server', 'drain', 'emqx/emqx2', `--${order}`)).code).toBe(0);
    expect(house.control.orders).toEqual([`${order}Task 7 "runtime_api unix"`]);
    expect((await house.run('server', 'drain', 'emqx/emqx1', `--${order}`)).stderr.join(' ')).toMatch(
      /no drain of emqx\/emqx1 is under way .*\(UNKNOWN_TASK\)/,
    );
  });
});

describe('limpet rebalance', () => {
  it('is begun with a threshold', async () => {
    await using house = await openHouse();
    const args = ['rebalance', 'emqx', '--rate', '600/m', '--threshold', '7.5%', '--reason', 'administrative_action'];
    expect((await house.run(...args)).code).toBe(0);
    expect(house.control.orders).toEqual([
      'rebalance {"backend":"emqx","rate":10,"threshold":0.075,"reason":152} "runtime_api unix"',
    ]);
  });
});

describe('limpet client', () => {
  const HOSTILE = '\u001b[31m<img onerror=x>\u202e;\\ \n';

  it('shows where it is, and is harmless', async () => {
    await using house = await openHouse();
    const { code, stdout } = await house.run('client', 'show', HOSTILE);
    const shown = '\\x1b[31m<img onerror=x>\\xe2\\x80\\xae;\\\\ \\x0a';
    expect(stdout[0]).toContain(`client ${shown}: on emqx/emqx1 for `);
    expect(stdout.at(-1)).toContain(`(key ${shown})`);
    expect(code).toBe(0);
    const json = (await house.run('client', 'show', HOSTILE, '--json')).stdout.join('\n');
    expect(JSON.parse(json).client_id).toBe(HOSTILE);
    expect(json).toMatch(/^[\n\x20-\x7e]*$/);
  });

  it('P9: may be at the process before this one', async () => {
    await using house = await openHouse();
    const { facts } = house.control;
    const upgrade = { predecessorPid: 7, predecessorSessions: 2, successorPid: null, failure: null };
    house.control.facts = { ...facts, info: { ...facts.info, upgrade } };
    const listed = await house.run('client', 'list');
    expect(listed.stderr).toEqual(['only sessions of this process; 2 sessions are still at pid 7']);
    const json = (await house.run('client', 'list', '--json')).stdout.join('\n');
    expect(JSON.parse(json).predecessor).toEqual({ pid: 7, sessions: 2 });
  });

  it('is kicked, and listed', async () => {
    await using house = await openHouse();
    expect((await house.run('client', 'kick', 'a b;c')).stdout).toEqual(['1 session of a b;c ended']);
    const { stdout } = await house.run('client', 'list', '--server', 'emqx/emqx1', '--limit', '1');
    expect(stdout[1]).toMatch(/^subscriber1 +emqx\/emqx1 +sticky +192\.0\.2\.7:4711 +MQTT 5\.0 /);
    expect(house.control.orders).toEqual([
      'endSessions {"clientId":"a b;c"} "runtime_api unix"',
      'sessions {"backend":"emqx","server":"emqx1"} 1',
    ]);
  });
});

describe('limpet table', () => {
  it('shows a part, and says how to see all', async () => {
    await using house = await openHouse();
    expect((await house.run('table', 'show')).stdout).toEqual(['BACKEND  ENTRIES', 'emqx          12']);
    const { stdout, stderr } = await house.run('table', 'show', 'emqx', '--limit', '2', '--state', 'cooling');
    expect(stdout).toEqual([
      'KEY          SERVER  STATE           LEFT  OWNER',
      'subscriber1  emqx1   cooling  29 min 53 s  lb1/1',
      'Ünï <img>    emqx1   pinned             -  lb1/1',
    ]);
    expect(stderr).toEqual(['there are more than these 2 entries: --limit N shows more, limpet table export emqx all']);
    expect(house.control.orders).toEqual(['page "emqx" {"state":"cooling"} null 2']);
  });

  it('gets, sets and clears', async () => {
    await using house = await openHouse();
    expect((await house.run('table', 'get', 'emqx', 'subscriber1', '--json')).stdout.join('')).toContain(
      '"server": "emqx1"',
    );
    expect(await house.run('table', 'get', 'emqx', 'nobody')).toMatchObject({ code: 1, stdout: [] });
    expect((await house.run('table', 'set', 'emqx', 'a/b', 'emqx2')).code).toBe(0);
    expect((await house.run('table', 'clear', 'emqx', 'subscriber1')).code).toBe(0);
    expect((await house.run('table', 'clear', 'emqx', '--contains', 'x y')).stdout).toEqual([
      '2 entries removed; those of connected clients are there again',
    ]);
    expect((await house.run('table', 'clear', 'emqx', '--yes')).code).toBe(0);
    expect(house.control.orders).toEqual([
      'set "emqx" "a/b" "emqx2"',
      'clearKey "emqx" "subscriber1"',
      'clear "emqx" {"keyContains":"x y"}',
      'clear "emqx" {}',
    ]);
  });

  it('says in words why a file cannot be read', async () => {
    await using house = await openHouse();
    const none = await house.run('table', 'import', 'emqx', '/nope.csv');
    expect(none.stderr[0]).toBe('limpet: /nope.csv cannot be read: there is no such file or folder');
    const folder = await house.run('table', 'import', 'emqx', '/');
    expect(folder.stderr[0]).toBe('limpet: / cannot be read: it is a folder');
  });

  it('does not clear all of it unasked', async () => {
    await using house = await openHouse();
    const { code, stderr } = await house.run('table', 'clear', 'emqx');
    expect(stderr[0]).toBe('error: this would clear the whole table of emqx, add --yes if it shall');
    expect([code, house.control.orders]).toEqual([2, []]);
  });

  it('is exported to stdout, and to a file that is whole or not there', async () => {
    await using house = await openHouse();
    const file = house.directory.file('out.ndjson');
    expect((await house.run('table', 'export', 'emqx')).stdout).toEqual(['{"key":"a"}', '{"key":"b"}']);
    expect((await house.run('table', 'export', 'emqx', '--format', 'csv', '-o', file)).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe('{"key":"a"}\n{"key":"b"}\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(house.control.orders).toEqual(['walk "emqx" "json" {}', 'walk "emqx" "csv" {}']);
    expect(readdirSync(house.directory.path).sort()).toEqual(['limpet.sock', 'out.ndjson']);
    const nowhere = await house.run('table', 'export', 'emqx', '-o', house.directory.file('none/out'));
    expect(nowhere.stderr.join(' ')).toMatch(
      /cannot be written: there is no such file or folder .*\(FILE_NOT_WRITTEN\)$/,
    );
  });

  it('that breaks off is an error, and leaves the old file', async () => {
    await using house = await openHouse();
    const file = house.directory.write('out.ndjson', 'old');
    Object.assign(house.control.table, {
      walk: async function* () {
        yield Buffer.from('{"key":"a"}\n');
        throw new Error('secret');
      },
    });
    const { code, stderr } = await house.run('table', 'export', 'emqx', '-o', file);
    expect(stderr[0]).toBe('limpet: the proxy broke off: Internal error. The log says more.');
    expect([code, readFileSync(file, 'utf8')]).toEqual([1, 'old']);
    expect(readdirSync(house.directory.path).sort()).toEqual(['limpet.sock', 'out.ndjson']);
  });

  it('streams what is larger than memory holds at once, and stops with its reader', async () => {
    await using house = await openHouse();
    const line = `{"key":"${'x'.repeat(1000)}"}\n`;
    house.control.chunks = Array.from({ length: 2_000 }, () => line.repeat(32));
    const file = house.directory.file('out.ndjson');
    expect((await house.run('table', 'export', 'emqx', '-o', file)).code).toBe(0);
    expect(statSync(file).size).toBe(line.length * 32 * 2_000);
    house.control.walked = 0;
    const { stdout, stderr } = await runScript('limpet table export emqx --socket "$1" | head -1', house.path);
    expect([stdout, stderr]).toEqual([[line.trimEnd()], []]);
    expect(house.control.walked).toBeLessThan(500);
  });

  it('is imported from a file and from stdin; wrong lines are told', async () => {
    await using house = await openHouse();
    const file = house.directory.write('in.csv', 'key,server\n\n\na,emqx1\r\nlast');
    const { code, stdout, stderr } = await house.run('table', 'import', 'emqx', file);
    expect(stdout).toEqual(['28 entries read, 1 written, 27 wrong']);
    expect([code, stderr]).toEqual([1, ['line 2: no key']]);
    await runScript('echo a | limpet table import emqx - --socket "$1"', house.path);
    // Empty lines are sent as blanks, so that line numbers stay.
    expect(house.control.orders).toEqual(['import "emqx" "csv" 28', 'import "emqx" "json" 2']);
  });
});

describe('limpet runtime', () => {
  it('says a command and prints the answer', async () => {
    await using house = await openHouse();
    expect(await house.run('runtime', 'show version')).toEqual({ code: 0, stdout: ['0.1.0', ''], stderr: [] });
    expect(await house.run('runtime', 'disable', 'server', 'emqx/emqx1')).toMatchObject({ code: 0 });
    expect(house.control.orders).toHaveLength(1);
  });

  it('ends with 1 where the proxy does not know it, or does not allow it', async () => {
    await using house = await openHouse('user');
    expect(await house.run('runtime', 'bogus')).toMatchObject({ code: 1 });
    expect(await house.run('runtime', 'show version; show errors')).toEqual({
      code: 1,
      stdout: ['0.1.0', '', 'Permission denied', ''],
      stderr: [],
    });
  });
});

describe('limpet reload', () => {
  it('prints what changed', async () => {
    await using house = await openHouse();
    expect(await house.run('reload')).toEqual({ code: 0, stdout: ['server emqx/emqx3 added'], stderr: [] });
  });

  it('prints every problem on stderr, with 1', async () => {
    await using house = await openHouse();
    const problems = ['limpet.yaml:1:1: wrong\n    Known here: global.', 'limpet.yaml:2:1: wrong too'];
    house.control.reload = async () => ({ ok: false, changes: [], needsRestart: [], warnings: [], problems });
    const { code, stdout, stderr } = await house.run('reload');
    expect(stderr).toEqual([
      ...problems.join('\n').split('\n'),
      'limpet: the proxy goes on with the configuration that it had',
    ]);
    expect([code, stdout]).toEqual([1, []]);
  });

  it('does not take another file for the one that runs', async () => {
    await using house = await openHouse();
    const file = house.directory.write(
      'other.yaml',
      'frontends: { mqtt: { bind: "*:1883", default_backend: emqx } }\nbackends: { emqx: { servers: { emqx1: 10.0.0.1:1883 } } }\n',
    );
    const { code, stderr } = await house.run('reload', '-c', file);
    expect(stderr.join(' ')).toMatch(/was started with \/etc\/limpet\.yaml.*\(OTHER_FILE\)$/);
    expect([code, house.control.orders]).toEqual([1, []]);
  });
});

describe('limpet password', () => {
  it('hashes what comes on stdin, and prints only that', async () => {
    const { code, stdout, stderr } = await runScript('echo hünter2 | limpet password');
    expect(stdout).toEqual([expect.stringMatching(/^\$scrypt\$ln=15,r=8,p=1\$[\w+/]+\$[\w+/]+$/)]);
    expect([code, stderr]).toEqual([0, []]);
    expect(await runScript('echo | limpet password')).toMatchObject({ code: 1, stdout: [] });
  });
});
