/**
 * A host with few ports for connections: a network namespace, with a cable to this one.
 */
import { execFileSync, spawnSync } from 'node:child_process';

export interface NarrowHostOptions {
  /** net.ipv4.ip_local_port_range. */
  readonly ports: readonly [first: number, last: number];
  /** How many addresses it has. */
  readonly addresses: number;
}

/** Disposing of it takes it away; its programs must have ended. */
export interface NarrowHost extends AsyncDisposable {
  /** For `LimpetOptions.before`: starts a program there. */
  readonly before: readonly string[];
  /** Its own addresses. */
  readonly addresses: readonly string[];
  /** This side's address of the cable. */
  readonly here: string;
}

/** Not as an ordinary user, nor in a container without CAP_NET_ADMIN. */
export const canMakeHosts: boolean = spawnSync('unshare', ['--net', 'true']).status === 0;

let made = 0;

/** Several test runs may be on this machine: names and networks are by the process id. */
export function makeNarrowHost({ ports, addresses }: NarrowHostOptions): NarrowHost {
  made += 1;
  const name = `lp-h${process.pid}-${made}`;
  const net = `10.231.${process.pid % 256}`;
  const cable = [`lph${process.pid}a${made}`, `lph${process.pid}b${made}`] as const;
  const own = Array.from({ length: addresses }, (_, index) => `${net}.${index + 11}`);
  const dispose = async (): Promise<void> => {
    // The cable first: the kernel takes its time with a namespace, and the next one has the same network.
    ip('link', 'del', cable[0]);
    ip('netns', 'del', name);
  };
  ip('netns', 'add', name);
  try {
    ip('link', 'add', cable[0], 'type', 'veth', 'peer', 'name', cable[1], 'netns', name);
    ip('addr', 'add', `${net}.1/24`, 'dev', cable[0]);
    ip('link', 'set', cable[0], 'up');
    for (const address of own) ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', cable[1]);
    for (const device of ['lo', cable[1]]) ip('-n', name, 'link', 'set', device, 'up');
    const range = ['sysctl', '-qw', `net.ipv4.ip_local_port_range=${ports.join(' ')}`];
    ip('netns', 'exec', name, ...range);
  } catch (error) {
    ip('netns', 'del', name);
    throw error;
  }
  return { before: ['ip', 'netns', 'exec', name], addresses: own, here: `${net}.1`, [Symbol.asyncDispose]: dispose };
}

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });
}
