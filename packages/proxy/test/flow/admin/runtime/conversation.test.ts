import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { ApiHandler } from '../../../../src/admin/api/contract.ts';
import { until, within } from '../../../kit/condition.ts';
import { ask, openHouse, Terminal, unixConfig } from './house.ts';

describe('not interactive', () => {
  it('answers one line, an empty line behind each answer, and closes', async () => {
    await using house = await openHouse();
    expect(await ask(house.path, 'show version\n')).toBe('0.1.0\n\n');
    expect(await ask(house.path, 'show version;get weight emqx/emqx1;show version\nshow version\n')).toBe(
      '0.1.0\n\n1 (initial 1)\n\n0.1.0\n\n',
    );
    expect(await ask(house.path, 'disable server emqx/emqx1\n')).toBe('\n');
    expect(await ask(house.path, 'show version')).toBe('0.1.0\n\n');
    expect(await ask(house.path, 'quit\n')).toBe('');
    expect(house.control.orders).toEqual(['state emqx/emqx1 "maint"']);
    expect(house.control.by).toBe('runtime_api unix');
  });

  it('helps who says what nobody understands', async () => {
    await using house = await openHouse();
    const unknown = await ask(house.path, 'bogus\n');
    expect(unknown).toMatch(/^Unknown command\. Please enter one of the following commands only:\n/);
    expect(unknown).toContain('  show stat [{<iid>|<proxy>} <type> <sid>] [json|typed]');
    expect(unknown).toMatch(/\n {2}quit +: disconnect\n\n$/);
    const near = await ask(house.path, 'set maxconn\n');
    expect(near).toMatch(/^Unknown command, but maybe one of the following ones is a better match:\n {2}set maxconn /);
    expect(near).not.toContain('show stat');
    expect(await ask(house.path, 'help set weight\n')).toMatch(
      /^The following commands are valid at this level:\n {2}set weight/,
    );
  });

  it('lets each level do its own', async () => {
    await using house = await openHouse({ level: 'user' });
    const operator = house.directory.file('operator.sock');
    await house.api.reconfigure([
      unixConfig(house.path, { level: 'user' }),
      unixConfig(operator, { level: 'operator' }),
    ]);
    expect(await ask(house.path, 'show sess\n')).toBe('Permission denied\n\n');
    expect(await ask(house.path, 'disable server emqx/emqx1\n')).toBe('Permission denied\n\n');
    expect(await ask(house.path, 'operator\n')).toBe('Permission denied\n\n');
    expect(await ask(house.path, 'help\n')).not.toContain('disable server');
    expect(await ask(operator, 'disable server emqx/emqx1\n')).toBe('\n');
    expect(await ask(operator, 'del server emqx/emqx1\n')).toBe('Permission denied\n\n');
    expect(await ask(operator, 'user;show cli level;show errors\n')).toBe('\nuser\n\nPermission denied\n\n');
  });

  it('obeys no browser that a page has led here', async () => {
    await using house = await openHouse();
    expect(await ask(house.path, 'GET /;reload;x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')).toBe(
      'This is no HTTP server.\n\n',
    );
    expect(house.control.orders).toEqual([]);
  });

  it('obeys nobody who speaks another protocol', async () => {
    await using house = await openHouse();
    // TLS with a ticket that a stranger has given to the browser.
    const hello = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).toString('latin1');
    expect(await ask(house.path, `${hello};reload;disable server emqx/emqx1\n`)).toBe('Commands are text.\n\n');
    expect(house.control.orders).toEqual([]);
  });

  it('lets others have their turn between the commands of one line', async () => {
    const turnsAt: number[] = [];
    let turns = 0;
    await using house = await openHouse({
      handler: async () => {
        turnsAt.push(turns);
        const endMs = performance.now() + 6;
        while (performance.now() < endMs);
        return { status: 200, json: 1 };
      },
    });
    const next = (): void => {
      turns += 1;
      turn = setImmediate(next);
    };
    let turn = setImmediate(next);
    await ask(house.path, `${'api GET /a;'.repeat(20)}\n`);
    clearImmediate(turn);
    expect(new Set(turnsAt).size).toBe(20);
  });

  it('tells no caller of a fault of its own', async () => {
    await using house = await openHouse({ handler: () => Promise.reject(new TypeError('x is undefined')) });
    expect(await ask(house.path, 'api GET /info;show version\n')).toBe(
      'Internal error. The log says more.\n\n0.1.0\n\n',
    );
  });

  it('ends a line that is too long, and a payload that has no end', async () => {
    await using house = await openHouse();
    expect(await ask(house.path, 'x'.repeat(100_000))).toBe('The line is too long: at most 65536 bytes.\n\n');
    expect(await ask(house.path, 'api POST /x <<\nabc')).toContain('The payload has no end.');
    expect(await ask(house.path, 'show version <<\nabc\n\n')).toBe('This command takes no payload.\n\n');
    expect(await ask(house.path, 'show version <<\nabc')).toBe('This command takes no payload.\n\n');
    expect(await ask(house.path, 'bogus <<\nshow version\n\n')).toMatch(/^Unknown command/);
  });
});

describe('the API', () => {
  it('is asked on one line, or with a payload', async () => {
    await using house = await openHouse();
    const [status, json] = (await ask(house.path, 'api GET /api/v1/clients?limit=2\n')).split('\n');
    expect(status).toBe('200');
    expect(JSON.parse(json ?? '')).toEqual({
      method: 'GET',
      path: '/clients',
      query: [['limit', '2']],
      body: '',
      level: 'admin',
      by: 'runtime_api unix',
    });
    expect(await ask(house.path, 'api PUT /a/state {"state":"drain"}\n')).toContain(
      '"body":"{\\"state\\":\\"drain\\"}"',
    );
    expect(await ask(house.path, 'api POST /a <<\n{"a": ";\\\\"}\nb\n\n')).toContain(
      '"body":"{\\"a\\": \\";\\\\\\\\\\"}\\nb\\n"',
    );
    expect(await ask(house.path, 'api FETCH /a\n')).toBe('A method is expected: GET, POST, PUT, DELETE.\n\n');
  });

  it('shows no terminal what it acts on or does not see', async () => {
    const id = 'a\u009b\u200b\u00ad\u2060\u202e\u{e0041}\u3164b';
    await using house = await openHouse({ handler: async () => ({ status: 200, json: { id } }) });
    const said = await ask(house.path, 'api GET /a\n');
    expect(said).toMatch(/^[\x20-\x7e\n]*$/);
    expect(JSON.parse(said.split('\n')[1] ?? '')).toEqual({ id });
  });

  it('passes a stream on, and says where one breaks off', async () => {
    async function* stream(): AsyncGenerator<Buffer> {
      yield Buffer.from('{"a":1}\n{"a":');
      throw Object.assign(new Error('redis is away'), { code: 'STATE_REDIS_AWAY', remedy: 'Wait.' });
    }
    await using house = await openHouse({
      handler: async () => ({ status: 200, contentType: 'application/x-ndjson', stream: stream() }),
    });
    expect(await ask(house.path, 'api GET /table/emqx/export\n')).toBe(
      '200\n{"a":1}\n{"a":\n# failed: Redis is away. Wait.\n\n',
    );
  });
});

describe('interactive', () => {
  it('prompts until quit, and takes a payload with its own prompt', async () => {
    await using house = await openHouse();
    await using terminal = new Terminal(house.path);
    const heard = (what: string): Promise<unknown> =>
      until(() => terminal.heard.endsWith(what), { what, seen: () => terminal.heard });
    terminal.say('prompt\n');
    await heard('\n> ');
    terminal.say('show version;get weight emqx/emqx1\n');
    await heard('\n> 0.1.0\n\n> 1 (initial 1)\n\n> ');
    terminal.say('set timeout cli 60\n');
    await heard('1)\n\n> \n> ');
    terminal.say('api POST /a <<\n');
    await heard('> + ');
    terminal.say('b\n');
    await heard('+ + ');
    terminal.say('\n');
    await heard('"by":"runtime_api unix"}\n\n> ');
    terminal.say('show version;quit;show version\n');
    await until(() => terminal.isClosed, { what: 'the end' });
    expect(terminal.heard).toMatch(/> 0\.1\.0\n\n> $/);
  });

  it('closes a connection that is silent', async () => {
    await using house = await openHouse({ timeoutMs: 100 });
    await using terminal = new Terminal(house.path);
    terminal.say('prompt\n');
    await until(() => terminal.isClosed, { what: 'the end' });
    expect(terminal.heard).toBe('\n> ');
  });

  it('lets the one leave that was silent for the longest, where there are 64', async () => {
    await using house = await openHouse();
    const terminals = Array.from({ length: 64 }, () => new Terminal(house.path));
    for (const terminal of terminals) terminal.say('prompt\n');
    await until(() => terminals.every(({ heard }) => heard === '\n> '), { what: 'all prompts' });
    const [first, second] = terminals;
    first?.say('show version\n');
    await until(() => first?.heard.endsWith('0.1.0\n\n> '), { what: 'an answer' });
    for (const terminal of terminals.slice(2)) terminal.say('show version\n');
    await until(() => terminals.slice(2).every(({ heard }) => heard.endsWith('0.1.0\n\n> ')), { what: 'all answers' });
    expect(await ask(house.path, 'show version\n')).toBe('0.1.0\n\n');
    await until(() => second?.isClosed, { what: 'the end of the silent one' });
    expect(second?.heard).toBe('\n> Too many connections: at most 64.\n\n');
    expect(terminals.filter(({ isClosed }) => isClosed)).toHaveLength(1);
    for (const terminal of terminals) terminal.socket.destroy();
  });

  it('lets nobody leave whose answer is being made, and tells the 65th that there are too many', async () => {
    let asked = 0;
    let answer = (): void => {};
    const answered = new Promise<void>(resolve => {
      answer = resolve;
    });
    const handler: ApiHandler = async () => {
      asked += 1;
      await answered;
      return { status: 200, json: 1 };
    };
    await using house = await openHouse({ handler });
    // Where this fails, the house waits for its answers.
    using _ = { [Symbol.dispose]: answer };
    const terminals = Array.from({ length: 64 }, () => new Terminal(house.path));
    for (const terminal of terminals) terminal.say('api GET /a\n');
    await until(() => asked === 64, { what: 'all questions' });
    expect(await ask(house.path, 'show version\n')).toBe('Too many connections: at most 64.\n\n');
    // What one says who is turned away is read, for the kernel resets whoever is not heard, and may drop the answer.
    const late = connect({ path: house.path, allowHalfOpen: true }).resume();
    await within(once(late, 'end'), { what: 'the end of the answer' });
    late.end('show version\n');
    await within(once(late, 'close'), { what: 'the end' });
    // No more of those than are served, for each holds a descriptor until it closes.
    const many: Socket[] = [];
    for (let i = 0; i < 80; i += 1) {
      const one = connect({ path: house.path, allowHalfOpen: true }).resume();
      await within(once(one, 'end'), { what: 'the end of an answer' });
      many.push(one);
    }
    const isCut = (one: Socket): Promise<boolean> =>
      new Promise(resolve => {
        one.on('error', () => {}).write('show version\n', error => resolve(error instanceof Error));
      });
    const cut = await Promise.all(many.map(isCut));
    expect(cut.filter(Boolean).length).toBeGreaterThanOrEqual(80 - 64);
    for (const one of many) one.destroy();
    answer();
    await until(() => terminals.every(({ heard }) => heard === '200\n1\n\n'), { what: 'all answers' });
    for (const terminal of terminals) terminal.socket.destroy();
  });

  it('lets one leave that keeps it waiting in the middle of a payload', async () => {
    await using house = await openHouse();
    const terminals = Array.from({ length: 64 }, () => new Terminal(house.path));
    for (const terminal of terminals) terminal.say('prompt\n');
    await until(() => terminals.every(({ heard }) => heard === '\n> '), { what: 'all prompts' });
    for (const terminal of terminals) terminal.say('api POST /a <<\n');
    await until(() => terminals.every(({ heard }) => heard.endsWith('+ ')), { what: 'all asked for lines' });
    expect(await ask(house.path, 'show version\n')).toBe('0.1.0\n\n');
    await until(() => terminals.some(({ isClosed }) => isClosed), { what: 'room' });
    expect(terminals.find(({ isClosed }) => isClosed)?.heard).toBe('\n> + Too many connections: at most 64.\n\n');
    for (const terminal of terminals) terminal.socket.destroy();
  });

  it('closes a silent one below admin when it is configured, whatever it asks for', async () => {
    await using house = await openHouse({ timeoutMs: 100, level: 'operator' });
    await using terminal = new Terminal(house.path);
    terminal.say('set timeout cli 1d;prompt\n');
    await until(() => terminal.isClosed, { what: 'the end' });
    expect(terminal.heard).toBe('\n\n> ');
  });
});

describe('a table that never ends', () => {
  it('is walked no faster than the client reads, and no longer than it stays', async () => {
    await using house = await openHouse();
    house.control.table.isEndless = true;
    await house.control.table.set('emqx', 'a'.repeat(128), 'emqx1');
    await using terminal = new Terminal(house.path);
    terminal.socket.pause();
    terminal.say('show table emqx\n');
    const { table } = house.control;
    await until(
      standsStill(() => table.chunks),
      { what: 'a walk that waits' },
    );
    const chunks = table.chunks;
    expect(chunks).toBeGreaterThan(0);
    expect(chunks * 200).toBeLessThan(4_000_000);
    // It came first and has said nothing since, but its answer is on its way: another one makes room.
    const others = Array.from({ length: 63 }, () => new Terminal(house.path));
    for (const other of others) other.say('prompt\n');
    await until(() => others.every(({ heard }) => heard === '\n> '), { what: 'all prompts' });
    expect(await ask(house.path, 'show version\n')).toBe('0.1.0\n\n');
    await until(() => others.some(({ isClosed }) => isClosed), { what: 'room' });
    expect(terminal.isClosed).toBe(false);
    for (const other of others) other.socket.destroy();
    terminal.socket.destroy();
    await until(
      standsStill(() => table.chunks),
      { what: 'the end of the walk' },
    );
    expect(await ask(house.path, 'show version\n')).toBe('0.1.0\n\n');
  });
});

/** A condition: so many looks in a row saw the same number. */
function standsStill(look: () => number, looks = 10): () => boolean {
  let last = Number.NaN;
  let same = 0;
  return () => {
    const now = look();
    same = now === last ? same + 1 : 0;
    last = now;
    return now > 0 && same >= looks;
  };
}
