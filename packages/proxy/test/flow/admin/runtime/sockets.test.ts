import { chmod, link, lstat, mkdir, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { ApiHandler } from '../../../../src/admin/api/contract.ts';
import { startRuntimeApi } from '../../../../src/admin/runtime/runtime_api.ts';
import { SILENT } from '../../../../src/log.ts';
import { until } from '../../../kit/condition.ts';
import { snapshot } from '../../../unit/admin/runtime/facts.ts';
import { PlainControl } from '../../../unit/admin/runtime/plain_control.ts';
import { ask, type House, openHouse, TCP_CONFIG, Terminal, unixConfig } from './house.ts';

const never = async () => ({ status: 200, json: null });

/** Another process's runtime API, on the same path. */
async function second(house: House, info: Parameters<typeof snapshot>[1]) {
  const control = new PlainControl();
  control.facts = snapshot({}, info);
  return startRuntimeApi([unixConfig(house.path)], control, never, SILENT);
}

describe('a socket file', () => {
  it('is for its owner alone, and leaves nothing beside it', async () => {
    await using house = await openHouse();
    expect((await lstat(house.path)).mode & 0o777).toBe(0o600);
    expect(house.api.listening).toEqual([house.path]);
    await house.api.close();
    await expect(lstat(house.path)).rejects.toThrow('ENOENT');
  });

  it('has the mode and the owner that are configured', async () => {
    await using house = await openHouse();
    const { gid = 0 } = { gid: process.getgid?.() };
    const listen = { kind: 'unix' as const, path: house.path, mode: 0o660, user: null, group: gid };
    await house.api.reconfigure([{ ...unixConfig(house.path), listen }]);
    expect((await lstat(house.path)).mode & 0o777).toBe(0o660);
    expect((await lstat(house.path)).gid).toBe(gid);
    const nobody = { ...listen, user: 'no-such-user' };
    await expect(house.api.reconfigure([{ ...unixConfig(house.path), listen: nobody }])).rejects.toThrow(
      'no-such-user',
    );
    expect(await ask(house.path, 'show version\n')).toBe('0.1.0\n\n');
  });

  it('is replaced where nobody listens, and is no file of anybody else', async () => {
    await using house = await openHouse();
    const stale = house.directory.file('stale.sock');
    // The kernel leaves a file behind when its maker dies: a link keeps one here.
    const server = createServer().listen(stale);
    await until(() => server.listening, { what: 'a socket' });
    const left = house.directory.file('left.sock');
    await link(stale, left);
    await new Promise(resolve => server.close(resolve));
    await house.api.reconfigure([unixConfig(house.path), unixConfig(left)]);
    expect(await ask(left, 'show version\n')).toBe('0.1.0\n\n');

    const file = house.directory.file('file');
    await writeFile(file, 'mine');
    await expect(house.api.reconfigure([unixConfig(file)])).rejects.toMatchObject({ code: 'RUNTIME_API_PATH' });
    expect(house.api.listening).toEqual([house.path, left]);
  });

  it('is in no folder in which everybody may replace it', async () => {
    await using house = await openHouse();
    const open = house.directory.file('open');
    const below = `${open}/below`;
    await mkdir(below, { recursive: true });
    await chmod(open, 0o777);
    for (const folder of [open, below]) {
      await expect(house.api.reconfigure([unixConfig(`${folder}/a.sock`)])).rejects.toMatchObject({
        code: 'RUNTIME_API_PATH',
        message: `everybody may replace what is in ${open}, so ${folder}/a.sock is not safe there`,
        remedy: `Run chmod o-w ${open}, or take another path.`,
      });
    }
    await chmod(open, 0o1777);
    const path = `${open}/a.sock`;
    await house.api.reconfigure([unixConfig(path)]);
    expect(await ask(path, 'show version\n')).toBe('0.1.0\n\n');
    await chmod(open, 0o777);
    await expect(house.api.reconfigure([unixConfig(path)])).rejects.toMatchObject({ code: 'RUNTIME_API_PATH' });
  });

  it('is not taken from a program that runs', async () => {
    await using house = await openHouse();
    await expect(second(house, {})).rejects.toMatchObject({
      code: 'RUNTIME_API_IN_USE',
      message: `process 4711 listens on ${house.path}`,
    });
    await expect(
      second(house, { upgrade: { predecessorPid: 1, predecessorSessions: 0, successorPid: null, failure: null } }),
    ).rejects.toThrow('4711');
    expect(await ask(house.path, 'show version\n')).toBe('0.1.0\n\n');
  });

  it('goes over to the successor, and the predecessor leaves it there', async () => {
    await using house = await openHouse();
    await using terminal = new Terminal(house.path);
    terminal.say('prompt\n');
    await until(() => terminal.heard === '\n> ', { what: 'a prompt' });
    const successor = await second(house, {
      version: '0.2.0',
      upgrade: { predecessorPid: 4711, predecessorSessions: 3, successorPid: null, failure: null },
    });
    expect(await ask(house.path, 'show version\n')).toBe('0.2.0\n\n');
    terminal.say('show version\n');
    await until(() => terminal.heard.includes('0.1.0'), { what: 'an answer of the old one' });
    await house.api.close();
    expect(await ask(house.path, 'show version\n')).toBe('0.2.0\n\n');
    await successor.close();
    await expect(lstat(house.path)).rejects.toThrow('ENOENT');
  });
});

describe('reconfigure', () => {
  it('keeps the clients of what stays, at the level that is theirs now, and sends those of what goes away', async () => {
    await using house = await openHouse();
    await using terminal = new Terminal(house.path);
    terminal.say('prompt\n');
    await until(() => terminal.heard === '\n> ', { what: 'a prompt' });
    const other = house.directory.file('other.sock');
    await house.api.reconfigure([unixConfig(other), unixConfig(house.path, { level: 'user' })]);
    expect(await ask(house.path, 'show cli level\n')).toBe('user\n\n');
    terminal.say('show cli level;disable server emqx/emqx1\n');
    await until(() => terminal.heard.endsWith('user\n\n> Permission denied\n\n> '), {
      what: 'the lower level',
      seen: () => terminal.heard,
    });
    await house.api.reconfigure([unixConfig(other), unixConfig(house.path)]);
    terminal.say('show cli level\n');
    await until(() => terminal.heard.endsWith('denied\n\n> user\n\n> '), { what: 'the level that it came to' });
    await house.api.reconfigure([unixConfig(other)]);
    await expect(ask(house.path, 'show version\n')).rejects.toThrow('ENOENT');
    await until(() => terminal.isClosed, { what: 'the end' });
    expect(terminal.heard).toMatch(/> This socket is closed\.\n\n$/);
    expect(house.control.orders).toEqual([]);
  });

  it('answers the command that runs on a socket that goes, and no further one', async () => {
    let asked = false;
    let answer = (): void => {};
    const answered = new Promise<void>(resolve => {
      answer = resolve;
    });
    const handler: ApiHandler = async () => {
      asked = true;
      await answered;
      return { status: 200, json: 1 };
    };
    await using house = await openHouse({ handler });
    const said = ask(house.path, 'api GET /a;show version\n');
    await until(() => asked, { what: 'a question' });
    await house.api.reconfigure([]);
    answer();
    expect(await said).toBe('200\n1\n\nThis socket is closed.\n\n');
  });

  it('changes nothing where one socket cannot be opened', async () => {
    await using house = await openHouse();
    const fine = house.directory.file('fine.sock');
    const wrong = house.directory.file('no/such/folder.sock');
    const folder = house.directory.file('no/such');
    await expect(house.api.reconfigure([unixConfig(fine), unixConfig(wrong)])).rejects.toMatchObject({
      code: 'RUNTIME_API_PATH',
      message: `cannot listen on ${wrong}: there is no folder ${folder}`,
      remedy: `Make it (mkdir -p ${folder}), or take another path.`,
    });
    expect(house.api.listening).toEqual([house.path]);
    await expect(lstat(fine)).rejects.toThrow('ENOENT');
  });
});

it('listens on TCP', async () => {
  const control = new PlainControl();
  const api = await startRuntimeApi([TCP_CONFIG, TCP_CONFIG], control, never, SILENT);
  const [first = '', other] = api.listening;
  expect(first).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(other).not.toBe(first);
  const socket = connect({ host: '127.0.0.1', port: Number(first.split(':')[1]) });
  socket.end('disable server emqx/emqx1\n');
  expect(await text(socket)).toBe('\n');
  expect(control.by).toBe('runtime_api tcp');
  await api.close();
});
