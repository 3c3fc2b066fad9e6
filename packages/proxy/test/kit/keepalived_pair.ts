/**
 * Two hosts, a and b, as network namespaces with a cable between them, and keepalived behind its guard on each. They live in
 * namespaces of their own, so nothing of them is seen outside, and nothing is left.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Belongings } from './belongings.ts';
import { type Directory, makeDirectory } from './directory.ts';
import { childrenOf } from './proc.ts';
import { type Process, startProcess } from './process.ts';

export type Host = 'a' | 'b';

const VIPS = ['10.77.0.100', 'fd77::100'] as const;
const OWN = { a: '10.77.0.1', b: '10.77.0.2' } as const;
const GUARD = fileURLToPath(new URL('../../../../deploy/keepalived/limpet-keepalived', import.meta.url));
const LIMPET = fileURLToPath(new URL('../../../cli/dist/bin.js', import.meta.url));

const NETWORK = `
mount -t tmpfs tmpfs /run
ip netns add a
ip netns add b
ip link add eth0 netns a type veth peer name eth0 netns b
for host in a b; do ip -n $host link set lo up; ip -n $host link set eth0 up; done
ip -n a address add ${OWN.a}/24 dev eth0
ip -n b address add ${OWN.b}/24 dev eth0
echo ready
exec sleep infinity`;

export async function startPair(): Promise<Pair> {
  await using belongings = new Belongings();
  const directory = belongings.own(await makeDirectory('keepalived'));
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const network = startProcess('unshare', ['--net', '--mount', ...asRoot, 'sh', '-ec', NETWORK]);
  belongings.own(network);
  await network.waitForLine(/^ready$/);
  return new Pair(belongings.move(), directory, network.pid);
}

/** Disposing of it ends everything. */
export class Pair implements AsyncDisposable {
  readonly #belongings: Belongings;
  readonly #directory: Directory;
  readonly #networkPid: number;

  constructor(belongings: Belongings, directory: Directory, networkPid: number) {
    this.#belongings = belongings;
    this.#directory = directory;
    this.#networkPid = networkPid;
  }

  /** The path of a file of the host's. */
  file(host: Host, name: string): string {
    return this.#directory.file(`${host}-${name}`);
  }

  /** What Limpet does at its start: the track file with its word, and a FIFO that it reads. Answers the reader. */
  async startLimpet(host: Host, word: '0' | '1'): Promise<Process> {
    this.say(host, word);
    const script = 'mkfifo "$1" && echo made && exec cat <>"$1"';
    const reader = this.#belongings.own(startProcess('sh', ['-c', script, 'sh', this.file(host, 'fifo')]));
    await reader.waitForLine(/^made$/);
    return reader;
  }

  /** Limpet's word in the track file: 0 ready, 1 not. */
  say(host: Host, word: '0' | '1'): void {
    writeFileSync(this.file(host, 'track'), `${word}\n`, { flag: 'a+' });
    writeFileSync(this.file(host, 'track'), `${word}\n`, { flag: 'r+' });
  }

  /** Writes the host's file as a user would. `change` may damage it. */
  configure(host: Host, change: (conf: string) => string = conf => conf): string {
    const conf = this.file(host, 'conf');
    const words = [
      ...['--vip', `${VIPS[0]}/24`, '--vip', `${VIPS[1]}/64`, '--interface', 'eth0', '--fast', '-o', conf],
    ];
    words.push('--address', OWN[host], '--peer', OWN[host === 'a' ? 'b' : 'a']);
    words.push('--track-file', this.file(host, 'track'), '--notify-fifo', this.file(host, 'fifo'));
    execFileSync(process.execPath, [LIMPET, 'keepalived', ...words]);
    writeFileSync(conf, change(readFileSync(conf, 'utf8')));
    return conf;
  }

  /** The guard with the host's file. */
  startGuard(host: Host, command: 'run' | 'release' = 'run'): Process {
    const words = ['env', `LIMPET_KEEPALIVED_RUN=${this.file(host, 'run')}`, GUARD, command, this.file(host, 'conf')];
    return this.#belongings.own(startProcess('nsenter', this.#inside(['ip', 'netns', 'exec', host, ...words])));
  }

  /** Which of the virtual addresses the host has. */
  held(host: Host): string[] {
    const said = execFileSync('nsenter', this.#inside(['ip', '-n', host, '-brief', 'address', 'show', 'dev', 'eth0']));
    return VIPS.filter(vip => said.toString().includes(` ${vip}/`));
  }

  /** Gives the host the addresses without keepalived's knowledge, as one that was killed leaves them. */
  leaveBehind(host: Host): void {
    for (const address of [`${VIPS[0]}/24`, `${VIPS[1]}/64`]) {
      execFileSync('nsenter', this.#inside(['ip', '-n', host, 'address', 'add', address, 'dev', 'eth0']));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#belongings[Symbol.asyncDispose]();
  }

  #inside(words: readonly string[]): string[] {
    const user = process.getuid?.() === 0 ? [] : ['--user', '--preserve-credentials'];
    return ['--target', String(this.#networkPid), '--net', '--mount', ...user, '--', ...words];
  }
}

/** The processes of keepalived below a guard: the one that speaks VRRP last. */
export function daemonsOf(guard: Process): number[] {
  const below = (pid: number): number[] => childrenOf(pid).filter(child => commandOf(child).startsWith('keepalived'));
  return below(guard.pid).flatMap(pid => [pid, ...below(pid)]);
}

/** Nothing where the process has ended meanwhile. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8');
  } catch {
    return '';
  }
}
