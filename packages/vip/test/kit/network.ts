/**
 * Two hosts and a switch as network namespaces, a real redis-server at the switch, and a real `limpet vip` on each host.
 * All of it is gone when the test lets go.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../../../proxy/test/kit/condition.ts';
import { type Directory, makeDirectory } from '../../../proxy/test/kit/directory.ts';
import { childrenOf } from '../../../proxy/test/kit/proc.ts';
import { type Process, startProcess } from '../../../proxy/test/kit/process.ts';

const program = fileURLToPath(new URL('../../../cli/dist/bin.js', import.meta.url));
const secret = '0123456789abcdef0123456789abcdef';
const vip = '10.99.0.100';
export const vip6 = 'fd99::100';

export function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

export class Network implements AsyncDisposable {
  readonly directory: Directory;
  readonly switchName: string;
  readonly #started: Process[] = [];
  readonly #programs = new Map<number, Process>();
  #redis: Process | null = null;

  private constructor(directory: Directory, name: string) {
    this.directory = directory;
    this.switchName = `${name}s`;
  }

  /** @param letter of the test: names are unique among tests that run at once */
  static async open(letter: string): Promise<Network> {
    const network = new Network(await makeDirectory('vip'), `lp-e${process.pid}${letter}`);
    network.#build();
    return network;
  }

  namespace(host: number): string {
    return `${this.switchName.slice(0, -1)}${host}`;
  }

  #build(): void {
    for (const name of [this.switchName, this.namespace(1), this.namespace(2)]) {
      ip('netns', 'add', name);
      ip('-n', name, 'link', 'set', 'lo', 'up');
    }
    const bridge = ['-n', this.switchName];
    ip(...bridge, 'link', 'add', 'br0', 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0');
    ip(...bridge, 'address', 'add', '10.99.0.9/24', 'dev', 'br0');
    ip(...bridge, 'link', 'set', 'br0', 'up');
    for (const host of [1, 2]) {
      const there = ['-n', this.namespace(host)];
      ip(...there, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', `p${host}`, 'netns', this.switchName);
      ip(...bridge, 'link', 'set', `p${host}`, 'master', 'br0', 'up');
      ip(...there, 'address', 'add', `10.99.0.${host}/24`, 'dev', 'eth0');
      ip(...there, 'link', 'set', 'eth0', 'up');
      this.track(host, '0');
      execFileSync('mkfifo', [this.directory.file(`fifo${host}`)]);
    }
  }

  async startRedis(): Promise<Process> {
    const args = ['redis-server', '--bind', '10.99.0.9', '--port', '6379', '--save', '', '--protected-mode', 'no'];
    const redis = this.run(this.switchName, [...args, '--dir', this.directory.path]);
    await redis.waitForLine(/ready to accept connections/i);
    this.#redis = redis;
    return redis;
  }

  get redis(): Process {
    if (this.#redis === null) throw new Error('no Redis was started');
    return this.#redis;
  }

  redisSays(...command: string[]): string {
    return ip('netns', 'exec', this.switchName, 'redis-cli', '-h', '10.99.0.9', ...command).trim();
  }

  /** Starts any program in a namespace; it ends with the network. */
  run(namespace: string, args: readonly string[]): Process {
    const started = startProcess('ip', ['netns', 'exec', namespace, ...args]);
    this.#started.push(started);
    return started;
  }

  /** Writes the configuration of a host; answers its name. */
  write(host: number, name: string, extra: object): string {
    const file = (name: string): string => this.directory.file(`${name}${host}`);
    const config = {
      ...{ address: [`${vip}/24`, `${vip6}/64`], interface: 'eth0', secret },
      ...{ self: `10.99.0.${host}:7946`, peer: `10.99.0.${3 - host}:7946` },
      ...{ interval: '50ms', lease: '500ms', realtime: true },
      redis: { url: 'redis://10.99.0.9:6379/0' },
      ...{ track_file: file('track'), notify_fifo: file('fifo') },
      ...extra,
    };
    this.directory.write(`${name}${host}.yaml`, JSON.stringify(config));
    return name;
  }

  /**
   * Starts `limpet vip` on a host (again).
   * @param ways of `env`: assignments for its environment
   */
  start(host: number, extra: object = {}, ways: readonly string[] = []): Process {
    this.write(host, 'vip', extra);
    const started = this.run(this.namespace(host), ['env', ...ways, ...this.command(host)]);
    this.#programs.set(host, started);
    return started;
  }

  command(host: number, name = 'vip'): readonly string[] {
    return [process.execPath, program, 'vip', '-c', this.directory.file(`${name}${host}.yaml`)];
  }

  program(host: number): Process {
    const found = this.#programs.get(host);
    if (found === undefined) throw new Error(`host ${host} runs nothing`);
    return found;
  }

  /** The process below the supervisor. */
  workerPid(host: number): number {
    const { pid } = this.program(host);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ');
    const worker = children.find(child => readFileSync(`/proc/${child}/cmdline`, 'latin1').includes('worker_main'));
    if (worker === undefined) throw new Error(`no worker below ${pid}`);
    return Number(worker);
  }

  track(host: number, text: string): void {
    this.directory.write(`track${host}`, `${text}\n`);
  }

  holders(address: string = vip): number[] {
    return [1, 2].filter(host => ip('-n', this.namespace(host), 'address', 'show').includes(` ${address}/`));
  }

  /** As an administrator would. */
  removeAddress(host: number): void {
    ip('-n', this.namespace(host), 'address', 'del', `${vip}/24`, 'dev', 'eth0');
  }

  /** How often a worker of this host has begun to take part. */
  listened(host: number): number {
    return this.program(host).lines.filter(({ text }) => text.includes('vip_listened')).length;
  }

  /** Has the switch send a packet to the address, so that it is in its table of neighbours. */
  touch(): void {
    ip('netns', 'exec', this.switchName, 'bash', '-c', `exec 2>/dev/null 3<>/dev/tcp/${vip}/1 || true`);
  }

  /** Where the switch thinks that the address is. */
  neighbour(): string | undefined {
    return /lladdr (\S+)/.exec(ip('-n', this.switchName, 'neighbour', 'show', vip))?.[1];
  }

  hardware(host: number): string {
    return /link\/ether (\S+)/.exec(ip('-n', this.namespace(host), 'link', 'show', 'eth0'))?.[1] ?? '';
  }

  /** Exactly one host has it; answers which. */
  async settled(expected?: number): Promise<number> {
    const seen = (): string => [1, 2].map(host => this.#programs.get(host)?.tail() ?? '').join('\n');
    const one = (): number[] | null => {
      const holders = this.holders();
      return holders.length === 1 && (expected === undefined || holders[0] === expected) ? holders : null;
    };
    const [holder] = await until(one, {
      what: `host ${expected ?? '1 or 2'} to hold the address`,
      timeoutMs: 15_000,
      seen,
    });
    return holder ?? 0;
  }

  /** Causes a fault of the holder, and answers after how many milliseconds the other one has said that it holds. */
  async move(from: number, fault: () => void): Promise<number> {
    const other = this.program(3 - from);
    const before = this.#activations(other).length;
    const beganMs = Date.now();
    fault();
    const times = await other.waitUntil('the other host to take over', () => {
      const all = this.#activations(other);
      return all.length > before ? all : null;
    });
    return (times.at(-1) ?? Number.NaN) - beganMs;
  }

  #activations(of: Process): number[] {
    const lines = of.lines.filter(({ text }) => text.includes('"event":"vip_active"'));
    return lines.map(({ text }) => Date.parse((JSON.parse(text) as { time: string }).time));
  }

  /** A folder for PATH whose `ip` is the real one, until `breakIp`. */
  brittleIp(): string {
    const real = execFileSync('sh', ['-c', 'command -v ip'], { encoding: 'utf8' }).trim();
    mkdirSync(this.directory.file('bin'), { recursive: true });
    const broken = this.directory.file('broken');
    chmodSync(this.directory.write('bin/ip', `#!/bin/sh\ntest ! -e '${broken}' || exit 1\nexec ${real} "$@"\n`), 0o755);
    return `${this.directory.file('bin')}:${process.env.PATH ?? ''}`;
  }

  /** From now on no `ip` of that host can be started, and the one that its worker keeps running is gone. */
  breakIp(host: number): void {
    this.directory.write('broken', '');
    for (const pid of childrenOf(this.workerPid(host))) {
      if (readFileSync(`/proc/${pid}/comm`, 'latin1') === 'ip\n') process.kill(pid, 'SIGKILL');
    }
  }

  mendIp(): void {
    rmSync(this.directory.file('broken'));
  }

  /** A program for a hook: it writes what it is told into a file. */
  hook(host: number): string {
    const path = this.directory.write(
      `hook${host}`,
      `#!/bin/sh\necho "$LIMPET_VIP_STATE" >> '${join(this.directory.path, `hooked${host}`)}'\n`,
    );
    chmodSync(path, 0o755);
    return path;
  }

  hooked(host: number): string[] {
    return readFileSync(this.directory.file(`hooked${host}`), 'utf8')
      .trim()
      .split('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#started.map(started => started[Symbol.asyncDispose]()));
    for (const name of [this.namespace(1), this.namespace(2), this.switchName]) ip('netns', 'delete', name);
    await this.directory[Symbol.asyncDispose]();
  }
}
