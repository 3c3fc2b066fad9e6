import { execFile } from 'node:child_process';
import { chmod, lchown, lstat, realpath, rename, rm, stat } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { RuntimeApiConfig } from '../../config/resolved.ts';
import { errorCode, LimpetError } from '../../errors.ts';

export type UnixListen = Extract<RuntimeApiConfig['listen'], { kind: 'unix' }>;

/** A socket file as it was made, to know it again. */
export interface SocketFile {
  readonly path: string;
  readonly dev: number;
  readonly ino: number;
}

/** What an address of a unix socket has room for (sun_path, without its end). */
const LONGEST_PATH = 107;
const ANSWER_MS = 1000;
const ANSWER_BYTES = 65_536;

let made = 0;

/**
 * Listens on a path. It is made under another name, never more open than `mode`, and renamed: whoever connects meets the
 * old process or the new one, never nobody. A file that nobody listens on is replaced, and one of the process that this one
 * replaces (`predecessorPid`).
 * @throws LimpetError RUNTIME_API_IN_USE, RUNTIME_API_PATH, RUNTIME_API_OWNER
 */
export async function listenOnPath(
  server: Server,
  listen: UnixListen,
  predecessorPid: number | null,
): Promise<SocketFile> {
  const { path } = listen;
  await demandFolder(path);
  await demandSafeFolder(path);
  await mayReplace(path, predecessorPid);
  made += 1;
  const draft = join(dirname(path), `.limpet-${process.pid}-${made}`);
  if (Buffer.byteLength(draft) > LONGEST_PATH || Buffer.byteLength(path) > LONGEST_PATH) {
    throw new LimpetError('RUNTIME_API_PATH', `the path ${path} is too long for a socket`, 'Take a shorter one.');
  }
  try {
    await bindQuietly(server, draft);
    await adorn(draft, listen);
    await rename(draft, path);
    const { dev, ino } = await lstat(path);
    return { path, dev, ino };
  } catch (error) {
    server.close();
    await rm(draft, { force: true });
    if (error instanceof LimpetError) throw error;
    const remedy = `Let this user write to ${dirname(path)}, or take another path.`;
    throw new LimpetError('RUNTIME_API_PATH', `cannot listen on ${path}: ${errorCode(error)}`, remedy, {
      cause: error,
    });
  }
}

/** libuv calls a folder that is not there EACCES. @throws LimpetError RUNTIME_API_PATH */
async function demandFolder(path: string): Promise<void> {
  const folder = dirname(path);
  const code = await stat(folder).then(
    stats => (stats.isDirectory() ? null : 'ENOTDIR'),
    error => errorCode(error),
  );
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    const what = `cannot listen on ${path}: there is no folder ${folder}`;
    throw new LimpetError('RUNTIME_API_PATH', what, `Make it (mkdir -p ${folder}), or take another path.`);
  }
}

/** Others may write, and without the sticky bit rename and remove what is not theirs. */
const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;

/**
 * Refuses a path in a folder, or below one, in which everybody may put something else into its place: between two looks
 * it would not be the same file. @throws LimpetError RUNTIME_API_PATH
 */
export async function demandSafeFolder(path: string): Promise<void> {
  // Where it cannot be looked at, listening says so.
  let folder = await realpath(dirname(path)).catch(() => null);
  while (folder !== null) {
    const { mode } = await stat(folder).catch(() => ({ mode: 0 }));
    if ((mode & OTHERS_WRITE) !== 0 && (mode & STICKY) === 0) {
      const what = `everybody may replace what is in ${folder}, so ${path} is not safe there`;
      throw new LimpetError('RUNTIME_API_PATH', what, `Run chmod o-w ${folder}, or take another path.`);
    }
    folder = dirname(folder) === folder ? null : dirname(folder);
  }
}

/** Gives a file its owner and bits. @throws LimpetError RUNTIME_API_OWNER */
export async function adorn(path: string, { mode, user, group }: UnixListen): Promise<void> {
  const uid = await idOf('passwd', user);
  const gid = await idOf('group', group);
  if (uid !== null || gid !== null) {
    try {
      // Never what a link leads to.
      await lchown(path, uid ?? process.getuid?.() ?? -1, gid ?? process.getgid?.() ?? -1);
    } catch (error) {
      const remedy = 'Run as root, or leave out `user` and `group`.';
      throw new LimpetError('RUNTIME_API_OWNER', `cannot give ${path} away: ${errorCode(error)}`, remedy, {
        cause: error,
      });
    }
  }
  // Last: until now nobody but this user could connect.
  await chmod(path, mode);
}

/** Whether the path still leads to that file. */
export async function isStillOurs(file: SocketFile): Promise<boolean> {
  try {
    const { dev, ino } = await lstat(file.path);
    return dev === file.dev && ino === file.ino;
  } catch {
    return false;
  }
}

/** Removes the file, unless another process has put its own there. */
export async function removeSocketFile(file: SocketFile): Promise<void> {
  if (await isStillOurs(file)) await rm(file.path, { force: true });
}

function bindQuietly(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    // The socket is bound before listen() returns: nothing else runs under this mask.
    const mask = process.umask(0o177);
    try {
      server.listen({ path, exclusive: true, backlog: 64 });
    } finally {
      process.umask(mask);
    }
  });
}

async function mayReplace(path: string, predecessorPid: number | null): Promise<void> {
  const file = await lstat(path).catch(() => null);
  if (file === null) return;
  if (!file.isSocket()) {
    throw new LimpetError('RUNTIME_API_PATH', `${path} is there and is no socket`, 'Remove it, or take another path.');
  }
  const answer = await askInfo(path);
  if (answer === null) return;
  const pid = Number(/^Pid: (\d+)$/m.exec(answer)?.[1] ?? -1);
  if (predecessorPid !== null && pid === predecessorPid) return;
  const who = pid === -1 ? 'another program' : `process ${pid}`;
  throw new LimpetError('RUNTIME_API_IN_USE', `${who} listens on ${path}`, 'Stop it, or take another path.');
}

/** The answer of whoever listens there; null: nobody does. */
function askInfo(path: string): Promise<string | null> {
  return new Promise(resolve => {
    const socket = connect({ path });
    let answer = '';
    const timer = setTimeout(() => done(answer), ANSWER_MS);
    const done = (result: string | null): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write('show info\n'));
    socket.on('data', chunk => {
      answer += chunk;
      if (answer.length > ANSWER_BYTES) done(answer);
    });
    socket.on('end', () => done(answer));
    socket.on('error', error => {
      const code = errorCode(error);
      done(code === 'ECONNREFUSED' || code === 'ENOENT' ? null : answer);
    });
  });
}

const run = promisify(execFile);

/** The number of a user or group, by the system's own lookup (NSS). */
async function idOf(database: 'passwd' | 'group', name: string | number | null): Promise<number | null> {
  if (name === null || typeof name === 'number') return name;
  if (/^\d+$/.test(name)) return Number(name);
  try {
    const { stdout } = await run('getent', [database, '--', name], { timeout: ANSWER_MS });
    const id = Number(stdout.split(':')[2]);
    if (Number.isInteger(id)) return id;
  } catch {
    // The same as no answer.
  }
  const what = database === 'passwd' ? 'user' : 'group';
  throw new LimpetError('RUNTIME_API_OWNER', `there is no ${what} ${name}`, `Name an existing ${what}, or its number.`);
}
