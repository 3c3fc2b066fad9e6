/**
 * `limpet vip`, which needs no VRRP.
 */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mover, Timing } from './mover.ts';
import { addresses, networkInterface, peers, prefixLength, startOn, virtualAddress } from './network.ts';
import { processesBelow } from './processes.ts';
import type { ProxyHost } from './proxy_host.ts';
import { redisUrl } from './services.ts';

const limpet = fileURLToPath(new URL('../packages/cli/dist/bin.js', import.meta.url));
const heartbeatPort = 1884;
/** Between namespaces that nobody else can enter. */
const secret = 'only-for-the-laboratory-0123456789abcdef';

export async function startVip(host: ProxyHost, timing: Timing): Promise<Mover> {
  const file = join(dirname(host.trackFile), 'vip.yaml');
  writeFileSync(file, JSON.stringify(configuration(host, timing), null, 2), { mode: 0o600 });
  const process_ = startOn(host.name, process.execPath, [limpet, 'vip', '-c', file], { env: { NODE_OPTIONS: '' } });
  return {
    kind: 'vip',
    process: process_,
    daemons: () => processesBelow(process_.pid).filter(({ command }) => /vip/.test(command)),
    [Symbol.asyncDispose]: () => process_[Symbol.asyncDispose](),
  };
}

function configuration(host: ProxyHost, timing: Timing): object {
  return {
    name: 'lab',
    address: [`${virtualAddress}/${prefixLength}`],
    interface: networkInterface,
    self: `${addresses[host.name]}:${heartbeatPort}`,
    peer: `${addresses[peers[host.name]]}:${heartbeatPort}`,
    secret,
    ...(timing === 'fast' ? { fast: true } : {}),
    redis: { url: redisUrl },
    track_file: host.trackFile,
    notify_fifo: host.notifyFifo,
  };
}
