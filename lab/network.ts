/**
 * The hosts of the laboratory: a network namespace each, with one `eth0`, on the bridge of a switch that is a namespace
 * of its own. Kernel settings are as they come, ARP's above all.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Process, type ProcessOptions, startProcess } from '../packages/proxy/test/kit/process.ts';

const run = promisify(execFile);

export const hostNames = ['proxy1', 'proxy2', 'client', 'brokers', 'redis'] as const;
export type HostName = (typeof hostNames)[number];
export type ProxyName = 'proxy1' | 'proxy2';

export const addresses: Readonly<Record<HostName, string>> = {
  proxy1: '10.77.0.11',
  proxy2: '10.77.0.12',
  client: '10.77.0.20',
  brokers: '10.77.0.30',
  redis: '10.77.0.40',
};
/** The other one of the pair. */
export const peers: Readonly<Record<ProxyName, ProxyName>> = { proxy1: 'proxy2', proxy2: 'proxy1' };
/** The address that moves. */
export const virtualAddress = '10.77.0.100';
export const prefixLength = 24;
export const networkInterface = 'eth0';

const switchName = 'switch';
const bridge = 'br0';

/** The words that begin a command line on a host. */
export function onHost(host: HostName): string[] {
  return ['ip', 'netns', 'exec', host];
}

/** Starts a program on a host. */
export function startOn(
  host: HostName,
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Process {
  const [ip = '', ...exec] = onHost(host);
  return startProcess(ip, [...exec, command, ...args], options);
}

/** Makes all hosts. They vanish with the namespaces in which this process runs (`enclosure.ts`). */
export async function buildNetwork(): Promise<void> {
  await addHost(switchName);
  await ip('-n', switchName, 'link', 'add', bridge, 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0');
  await ip('-n', switchName, 'link', 'set', bridge, 'up');
  for (const host of hostNames) await plugIn(host);
  // 200 new connections a second, each a minute in TIME_WAIT.
  await ip('netns', 'exec', 'client', 'sysctl', '-q', '-w', 'net.ipv4.ip_local_port_range=1024 65535');
  await nft('add table bridge lab');
  await nft('add chain bridge lab forward { type filter hook forward priority 0; }');
}

/** The host's cable is pulled: both ends lose the carrier. */
export async function pullCable(host: HostName): Promise<void> {
  await ip('-n', switchName, 'link', 'set', host, 'down');
}

export async function plugCable(host: HostName): Promise<void> {
  await ip('-n', switchName, 'link', 'set', host, 'up');
}

/** The switch drops every frame from and to the host, and nobody is told: the carrier stays. */
export async function dropFrames(host: HostName): Promise<void> {
  await nft(`add rule bridge lab forward iifname "${host}" drop; add rule bridge lab forward oifname "${host}" drop`);
}

export async function passFrames(): Promise<void> {
  await nft('flush chain bridge lab forward');
}

async function plugIn(host: HostName): Promise<void> {
  await addHost(host);
  const peer = ['peer', 'name', networkInterface, 'netns', host];
  await ip('-n', switchName, 'link', 'add', host, 'type', 'veth', ...peer);
  await ip('-n', switchName, 'link', 'set', host, 'master', bridge, 'up');
  await ip('-n', host, 'address', 'add', `${addresses[host]}/${prefixLength}`, 'dev', networkInterface);
  await ip('-n', host, 'link', 'set', networkInterface, 'up');
}

async function addHost(name: string): Promise<void> {
  await ip('netns', 'add', name);
  await ip('-n', name, 'link', 'set', 'lo', 'up');
}

async function ip(...args: readonly string[]): Promise<void> {
  await run('ip', args, { timeout: 10_000 });
}

async function nft(commands: string): Promise<void> {
  await ip('netns', 'exec', switchName, 'nft', commands);
}
