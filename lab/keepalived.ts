/**
 * keepalived with the file that `limpet keepalived` writes, behind the guard of deploy/keepalived.
 */
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Mover, Timing } from './mover.ts';
import { addresses, networkInterface, peers, prefixLength, startOn, virtualAddress } from './network.ts';
import { processesBelow } from './processes.ts';
import type { ProxyHost } from './proxy_host.ts';

const run = promisify(execFile);
const limpet = fileURLToPath(new URL('../packages/cli/dist/bin.js', import.meta.url));
const guard = fileURLToPath(new URL('../deploy/keepalived/limpet-keepalived', import.meta.url));

export async function startKeepalived(host: ProxyHost, timing: Timing): Promise<Mover> {
  const folder = dirname(host.trackFile);
  const file = join(folder, 'keepalived.conf');
  await run(process.execPath, [limpet, 'keepalived', ...wordsFor(host, timing), '--output', file]);
  const process_ = startOn(host.name, guard, ['run', file], { env: { LIMPET_KEEPALIVED_RUN: join(folder, 'run') } });
  return {
    kind: 'keepalived',
    process: process_,
    daemons: () => processesBelow(process_.pid).filter(({ command }) => /^\S*keepalived /.test(command)),
    [Symbol.asyncDispose]: () => process_[Symbol.asyncDispose](),
  };
}

function wordsFor(host: ProxyHost, timing: Timing): string[] {
  return [
    ...['--vip', `${virtualAddress}/${prefixLength}`, '--interface', networkInterface],
    ...['--address', addresses[host.name], '--peer', addresses[peers[host.name]]],
    ...['--track-file', host.trackFile, '--notify-fifo', host.notifyFifo],
    ...(timing === 'fast' ? ['--fast'] : []),
  ];
}
