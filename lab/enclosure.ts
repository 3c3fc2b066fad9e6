/**
 * The laboratory runs in namespaces of its own: network, mounts, processes, and, for who is not root, users. When its
 * first process ends, however it ends, the kernel ends all the others, and the hosts and their links vanish with them:
 * nothing is left to clean up, and the machine's own network never sees a frame.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const mark = 'LIMPET_LAB_ENCLOSED';
const kinds = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
/** As an ordinary user: root of a user namespace of one's own. */
const asRoot = ['--user', '--map-root-user'];
/**
 * The shell stays, as process 1, for it reaps orphans. `/run` is empty and ours, and with it what `ip netns` writes, and
 * every temporary file.
 */
const script = `mount -t tmpfs -o mode=755 tmpfs /run && mkdir /run/tmp || exit 1
"$@"
exit $?`;

/** Whether this process is inside already. */
export function isEnclosed(): boolean {
  return process.env[mark] === '1';
}

/** The sentence for who cannot have such namespaces; null: they can be had. */
export async function whyNot(): Promise<string | null> {
  if (process.platform !== 'linux') return 'The laboratory is made of network namespaces, which only Linux has.';
  const child = spawn('setpriv', enclosed('true', []), { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const code = await exitCode(child);
  if (code === 0) return null;
  return `The laboratory needs namespaces of its own (unshare --net --mount --pid): run it as root with CAP_SYS_ADMIN, or as a user who may make user namespaces.\n${said.trim()}`;
}

/** Runs this program again, inside, and answers its exit code. A signal ends everything at once. */
export async function runEnclosed(main: URL, args: readonly string[]): Promise<number> {
  const child = spawn(
    'setpriv',
    enclosed(process.execPath, ['--import', import.meta.resolve('tsx'), fileURLToPath(main), ...args]),
    // Times of `ip monitor` are local ones. NODE_OPTIONS of a test runner are not ours.
    { stdio: 'inherit', env: { ...process.env, [mark]: '1', TZ: 'UTC', TMPDIR: '/run/tmp', NODE_OPTIONS: '' } },
  );
  const end = (): void => void child.kill('SIGKILL');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, end);
  return exitCode(child);
}

/** Arguments of setpriv: whoever dies, kills who comes after him in this line. */
function enclosed(command: string, args: readonly string[]): string[] {
  const user = process.getuid?.() === 0 ? [] : asRoot;
  const unshare = ['unshare', ...user, ...kinds, '--', 'sh', '-c', script, 'lab', command, ...args];
  return ['--pdeathsig', 'KILL', '--', ...unshare];
}

async function exitCode(child: ChildProcess): Promise<number> {
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return code ?? 130;
  } catch {
    return 127;
  }
}
