/**
 * A host with few ports for connections: a network namespace, with a cable to this one. Only root can make one.
 */
import { execFileSync } from 'node:child_process';

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

export const canMakeHosts: boolean = process.getuid?.() === 0;

/** Several test runs may be on this machine: names and networks are by the process id. */
export function makeNarrowHost({ ports, addresses }: NarrowHostOptions): NarrowHost {
  const name = `lp-h${process.pid}`;
  const net = `10.231.${process.pid % 256}`;
  const cable = [`lph${process.pid}a`, `lph${process.pid}b`] as const;
  const own = Array.from({ length: addresses }, (_, index) => `${net}.${index + 11}`);
  const dispose = async (): Promise<void> => ip('netns', 'del', name);
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
    void dispose();
    throw error;
  }
  return { before: ['ip', 'netns', 'exec', name], addresses: own, here: `${net}.1`, [Symbol.asyncDispose]: dispose };
}

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });
}
