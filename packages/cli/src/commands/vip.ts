import {
  loadVipConfig,
  loadVipPlace,
  type Released,
  type RunningVip,
  releaseVip,
  startVip,
  surveyHost,
  type VipConfig,
} from '@limpet/vip';
import type { Command } from 'commander';
import { EXIT, type Finish } from '../exit_code.ts';
import { OtherSignals, StopSignals } from '../signals.ts';

const HELP = `
It stays in the foreground and logs to stdout. Two hosts run it, each with the other one as its peer; one of them holds
the address. SIGTERM or Ctrl-C: it lets go, and the other host takes the address at once. It needs CAP_NET_ADMIN and
CAP_NET_RAW; deploy/vip/limpet-vip.service gives it these and nothing else.

Examples:
  limpet vip -c vip.yaml
  limpet vip -c vip.yaml --check       is this file right?
  limpet vip -c vip.yaml --release     take the address off this host, where the program was killed
`;

interface Flags {
  readonly config: string;
  readonly check?: boolean;
  readonly release?: boolean;
}

/** `limpet vip`: one host of a pair that shares a virtual address, without VRRP. */
export function addVip(program: Command, finish: Finish): void {
  program
    .command('vip')
    .description('hold a virtual IP address together with another host, without VRRP')
    .requiredOption('-c, --config <path>', 'the configuration: docs/vip.md has its keys')
    .option('--check', 'check the configuration without starting anything')
    .option('--release', 'take the address off this host, and end')
    .addHelpText('after', HELP)
    .action(async (flags: Flags) => {
      finish(await (flags.release === true && flags.check !== true ? release(flags.config) : run(flags)));
    });
}

async function run({ config: path, check }: Flags): Promise<number> {
  const loaded = loadVipConfig(path);
  for (const line of loaded.ok ? loaded.warnings : loaded.problems) console.error(line);
  if (!loaded.ok) return EXIT.failed;
  for (const warning of surveyHost(loaded.config)) console.error(`${path}: ${warning}`);
  if (check === true) {
    console.log(describe(loaded.config));
    return EXIT.ok;
  }
  const vip = await startVip(loaded.config);
  if (vip !== null) return serve(vip);
  console.error(running('It was not disturbed. End it first, or give this one another name and address.'));
  return EXIT.failed;
}

/** Also where the file has become wrong: the address must go. */
async function release(path: string): Promise<number> {
  const { place, problems } = loadVipPlace(path);
  for (const problem of problems) console.error(problem);
  if (place === null) return EXIT.failed;
  const released = await releaseVip(place);
  if (released === 'gone') return EXIT.ok;
  console.error(problemOf[released](place.device));
  return EXIT.failed;
}

function running(remedy: string): string {
  return `limpet vip with this name or address runs on this host already\n    ${remedy}`;
}

const problemOf: Readonly<Record<Exclude<Released, 'gone'>, (device: string) => string>> = {
  stuck: device => `the address cannot be removed from ${device}\n    It needs CAP_NET_ADMIN.`,
  running: () => running('The address was left where it is. Stop it, and it takes the address off itself.'),
};

async function serve(vip: RunningVip): Promise<number> {
  using _others = new OtherSignals();
  using signals = new StopSignals(() => vip.kill());
  void signals.first.then(() => vip.stop());
  return (await vip.finished) ? EXIT.ok : EXIT.failed;
}

function describe({ name, addresses, device, self, peer, terms, redis }: VipConfig): string {
  const list = addresses.map(({ address, prefix }) => `${address}/${prefix}`).join(', ');
  const { intervalMs, deadMs, leaseMs } = terms;
  const times = `heartbeats every ${intervalMs} ms, dead after ${deadMs} ms, lease ${leaseMs} ms`;
  return `${name}: ${list} on ${device}, ${self.text} and ${peer.text}, ${times}, ${redis === null ? 'without' : 'with'} Redis`;
}
