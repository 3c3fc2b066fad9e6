import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LimpetError } from '@limpet/proxy';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { whole } from '../arguments.ts';
import { type ConfigFlags, readConfig, tellWarnings, withConfigOption } from '../configuration.ts';
import { EXIT, type Finish } from '../exit_code.ts';
import { fileTrouble } from '../file_trouble.ts';
import { keepalivedConf } from '../keepalived/conf.ts';
import { type HostPlan, type Planned, planHost, planPeer, type Wanted } from '../keepalived/host_plan.ts';
import { addressOn } from '../keepalived/own_address.ts';
import {
  advertInterval,
  familyOf,
  hostAddress,
  instanceName,
  interfaceName,
  plainPath,
  type VirtualAddress,
  virtualAddress,
} from '../keepalived/words.ts';

const HELP = `
It writes the file of this host to stdout, or with --output-dir the files of both hosts. --address and --peer make the
priorities: the host with the lower address gets 250, the other 230. Nothing is started; docs/high-availability.md goes
on from here.

Examples:
  limpet keepalived --vip 10.0.0.100/24 --interface eth0 --peer 10.0.0.2 --output /etc/keepalived/keepalived.conf
  limpet keepalived --vip 10.0.0.100/24 --interface eth0 --address 10.0.0.1 --peer 10.0.0.2 --output-dir pair
  limpet keepalived -c limpet.yaml --interface eth0 --peer 10.0.0.2 --fast
`;

const STANDARD = { advertMs: 200, fastMs: 20, trackFile: '/run/limpet/track', notifyFifo: '/run/limpet/notify' };

interface Flags extends ConfigFlags {
  readonly vip?: readonly VirtualAddress[];
  readonly interface: string;
  readonly trackInterface?: readonly string[];
  readonly address?: string;
  readonly peer?: string;
  readonly unicast?: true;
  readonly multicast?: true;
  readonly priority?: number;
  readonly routerId?: number;
  readonly advert?: number;
  readonly fast?: true;
  readonly trackFile?: string;
  readonly notifyFifo?: string;
  readonly name: string;
  readonly output?: string;
  readonly outputDir?: string;
}

/** What comes of the configuration, where -c names one. */
interface Configured {
  readonly vips: readonly VirtualAddress[];
  readonly trackFile: string;
  readonly notifyFifo: string;
}

/** `limpet keepalived`: the configuration of keepalived for each host of a pair. */
export function addKeepalived(program: Command, finish: Finish): void {
  const command = program.command('keepalived');
  withWhat(withHow(command))
    .description('write keepalived.conf for the hosts of a pair')
    .addHelpText('after', HELP)
    .action((flags: Flags) => finish(write(flags, command)));
}

function withWhat(command: Command): Command {
  return withConfigOption(command)
    .option('--vip <address>', 'a virtual address with its prefix; may stand several times', listOf(virtualAddress))
    .requiredOption('--interface <name>', 'the interface that gets the virtual addresses', interfaceName)
    .option('--peer <address>', "the other host's address", hostAddress)
    .option('--address <address>', "this host's own address; default: what --interface has here", hostAddress)
    .option(
      '--track-interface <name>',
      'one more whose link must be up; may stand several times',
      listOf(interfaceName),
    )
    .option('--name <name>', 'the name of the instance', instanceName, 'limpet');
}

function withHow(command: Command): Command {
  return command
    .option('--unicast', 'adverts go to --peer (default)')
    .addOption(new Option('--multicast', 'adverts go to the multicast group of VRRP').conflicts('unicast'))
    .option('--priority <number>', '1 to 254, another one on each host', whole(1, 254))
    .option('--router-id <number>', '1 to 255; default: the last byte of the first --vip', whole(1, 255))
    .option('--advert <time>', 'an advert each 10ms to 40.95s (default: 200ms)', advertInterval)
    .addOption(new Option('--fast', 'an advert each 20ms').conflicts('advert'))
    .option('--track-file <path>', `where Limpet says whether it can serve (default: ${STANDARD.trackFile})`, plainPath)
    .option('--notify-fifo <path>', `where keepalived says who is master (default: ${STANDARD.notifyFifo})`, plainPath)
    .option('-o, --output <file>', 'write it to this file; -: to stdout')
    .addOption(
      new Option('--output-dir <folder>', 'write FOLDER/ADDRESS/keepalived.conf for both hosts').conflicts('output'),
    );
}

function write(flags: Flags, command: Command): number {
  const configured = flags.config === undefined ? null : configuredPair(flags, command);
  if (configured === 'wrong') return EXIT.failed;
  const wanted = wantedBy(flags, configured, command);
  const mine = planned(planHost(wanted), command);
  if (flags.outputDir === undefined) {
    put(flags.output ?? '-', keepalivedConf(mine));
    return EXIT.ok;
  }
  if (wanted.address === null || wanted.peer === null) {
    command.error('error: --output-dir writes for two hosts, add: --address OWN --peer OTHER');
  }
  for (const plan of [mine, planned(planPeer(wanted), command)]) {
    const folder = join(flags.outputDir, plan.address ?? '');
    trying(folder, () => mkdirSync(folder, { recursive: true }));
    put(join(folder, 'keepalived.conf'), keepalivedConf(plan));
  }
  return EXIT.ok;
}

function wantedBy(flags: Flags, configured: Configured | null, command: Command): Wanted {
  const vips = flags.vip ?? configured?.vips;
  if (vips === undefined) command.error('error: no virtual address named, add: --vip 10.0.0.100/24, or -c limpet.yaml');
  const family = flags.peer === undefined ? (vips[0]?.family ?? 4) : familyOf(flags.peer);
  const others = [...vips.map(vip => vip.address), flags.peer ?? ''];
  return {
    name: flags.name,
    vips,
    interfaceName: flags.interface,
    trackInterfaces: (flags.trackInterface ?? []).filter(name => name !== flags.interface),
    address: flags.address ?? addressOn(flags.interface, family, others),
    peer: flags.peer ?? null,
    transport: flags.multicast ? 'multicast' : flags.unicast ? 'unicast' : null,
    priority: flags.priority ?? null,
    routerId: flags.routerId ?? null,
    advertMs: flags.advert ?? (flags.fast ? STANDARD.fastMs : STANDARD.advertMs),
    trackFile: flags.trackFile ?? configured?.trackFile ?? STANDARD.trackFile,
    notifyFifo: flags.notifyFifo ?? configured?.notifyFifo ?? STANDARD.notifyFifo,
  };
}

/** What `global.vip` says. Its addresses have no prefix, so without --vip each is a network of its own. */
function configuredPair(flags: Flags, command: Command): Configured | 'wrong' {
  const read = readConfig(flags, command);
  tellWarnings(read?.warnings ?? []);
  if (read === null) return 'wrong';
  const { vip } = read.config.global;
  if (vip === null) command.error(`error: ${flags.config} has no global.vip, add it: vip: { address: 10.0.0.100 }`);
  const vips = vip.addresses.map(address => virtualAddress(`${address}/${familyOf(address) === 4 ? 32 : 128}`));
  const named = (flags.vip ?? vips).map(({ address }) => address);
  const missing = vips.find(({ address }) => !named.includes(address));
  const unknown = named.find(address => !vips.some(one => one.address === address));
  if (missing !== undefined) command.error(`error: global.vip has ${missing.address} too, add a --vip for it`);
  if (unknown !== undefined) command.error(`error: global.vip does not have --vip ${unknown}: make the two the same`);
  return {
    vips,
    trackFile: configuredPath('track_file', vip.trackFile, command),
    notifyFifo: configuredPath('notify_fifo', vip.notifyFifo, command),
  };
}

/** What `--track-file` would not take, the configuration may have all the same. */
function configuredPath(key: string, path: string, command: Command): string {
  try {
    return plainPath(path);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    return command.error(`error: global.vip.${key} ${path} cannot stand in keepalived.conf. ${error.message}`);
  }
}

function planned(plan: Planned<HostPlan>, command: Command): HostPlan {
  return plan.ok ? plan.value : command.error(`error: ${plan.message}\n${plan.remedy}`);
}

function listOf<T>(read: (text: string) => T): (text: string, before?: readonly T[]) => readonly T[] {
  return (text, before = []) => [...before, read(text)];
}

/** @throws LimpetError FILE_NOT_WRITTEN */
function put(file: string, text: string): void {
  if (file === '-') process.stdout.write(text);
  else trying(file, () => writeFileSync(file, text, { mode: 0o644 }));
}

function trying(path: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    throw new LimpetError(
      'FILE_NOT_WRITTEN',
      `${path} cannot be written: ${fileTrouble(error)}`,
      'Name a place where you may write and there is room.',
    );
  }
}
