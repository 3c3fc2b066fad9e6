import { type Command, Option } from 'commander';
import { readAddress } from '../admin/address.ts';
import { type AdminClient, path } from '../admin/admin_client.ts';
import type { Server } from '../admin/facts.ts';
import { type ServerName, serverName, whole, wholeOr } from '../arguments.ts';
import { EXIT, type Finish } from '../exit_code.ts';
import { printJson } from '../output/print.ts';
import { type ProxyFlags, runningProxy, WHERE_HELP, withProxyOptions } from '../running_proxy.ts';
import { putServer, serverPath, tellServer } from '../server_order.ts';
import { addServerDrain } from './server_drain.ts';

const HELP = `
States: ready (as the checks say); drain (no new clients, and returning ones are moved); drain_new (no new clients, returning
ones still come: what HAProxy calls drain); maint (nobody, no checks, and its sessions are closed). Sessions that are there
stay in all but maint. The state is remembered in the store.
${WHERE_HELP}
Examples:
  limpet server drain emqx/emqx1 --rate 200/s
  limpet server ready emqx/emqx1
  limpet server weight emqx/emqx2 5
  limpet server weight emqx/emqx2 default
  limpet server add emqx/emqx4 10.0.0.4:1883 && limpet rebalance emqx --rate 200/s
`;

const MOST_WEIGHT = 256;
const MOST_CONNECTIONS = 1_000_000_000;
const TARGET = '<backend/server>';

/** `limpet server`: takes servers into service and out of it, and changes them until the next start. */
export function addServer(program: Command, finish: Finish): void {
  const server = program
    .command('server')
    .description('take a broker out of service or back, change its weight, empty it at a pace')
    .addHelpText('after', HELP);
  addState(server, finish, 'ready', 'back into service, as its checks say');
  addServerDrain(server, finish);
  addState(server, finish, 'drain_new', 'no new clients, returning ones still come (HAProxy’s drain)');
  addState(server, finish, 'maint', 'out of service: its sessions are closed, and it is not checked');
  addWeight(server, finish);
  addMaxconn(server, finish);
  addAddress(server, finish);
  addAdd(server, finish);
  addDel(server, finish);
}

function addState(parent: Command, finish: Finish, state: string, description: string): void {
  withProxyOptions(parent.command(state))
    .description(description)
    .argument(TARGET, 'as limpet status lists it', serverName)
    .addHelpText('after', `\nExample:\n  limpet server ${state} emqx/emqx1\n`)
    .action(async (ref: ServerName, flags: ProxyFlags) => {
      await putServer(ref, 'state', { state }, flags);
      finish(EXIT.ok);
    });
}

function addWeight(parent: Command, finish: Finish): void {
  withProxyOptions(parent.command('weight'))
    .description('change its weight; 0: no new clients')
    .argument(TARGET, 'as limpet status lists it', serverName)
    .argument('<weight>', `0 to ${MOST_WEIGHT}, or default: as configured`, wholeOr('default', 0, MOST_WEIGHT))
    .addHelpText(
      'after',
      '\nExamples:\n  limpet server weight emqx/emqx1 5\n  limpet server weight emqx/emqx1 default\n',
    )
    .action(async (ref: ServerName, weight: number | null, flags: ProxyFlags) => {
      await putServer(ref, 'weight', { weight }, flags);
      finish(EXIT.ok);
    });
}

function addMaxconn(parent: Command, finish: Finish): void {
  withProxyOptions(parent.command('maxconn'))
    .description('change its limit of connections, until the next start')
    .argument(TARGET, 'as limpet status lists it', serverName)
    .argument('<connections>', 'at least 1, or none', wholeOr('none', 1, MOST_CONNECTIONS))
    .addHelpText('after', '\nExample:\n  limpet server maxconn emqx/emqx1 20000\n')
    .action(async (ref: ServerName, maxconn: number | null, flags: ProxyFlags) => {
      await putServer(ref, 'maxconn', { maxconn }, flags);
      finish(EXIT.ok);
    });
}

function addAddress(parent: Command, finish: Finish): void {
  withProxyOptions(parent.command('addr'))
    .description('change where it is, for new sessions, until the next start')
    .argument(TARGET, 'as limpet status lists it', serverName)
    .argument('<address>', 'a host, or host:port')
    .addHelpText('after', '\nExample:\n  limpet server addr emqx/emqx1 10.0.0.9:1883\n')
    .action(async (ref: ServerName, address: string, flags: ProxyFlags) => {
      await putServer(ref, 'address', hostAndPort(address), flags);
      finish(EXIT.ok);
    });
}

/** The proxy judges the host. */
function hostAndPort(text: string): { readonly host: string; readonly port: number | null } {
  const address = readAddress(text);
  if (address?.kind === 'tcp') return { host: address.host, port: address.port };
  return { host: text.replace(/^\[(.*)\]$/, '$1'), port: null };
}

interface AddFlags extends ProxyFlags {
  readonly weight?: number;
  readonly maxconn?: number;
  readonly backup?: true;
  readonly check?: boolean;
}

function addAdd(parent: Command, finish: Finish): void {
  withProxyOptions(parent.command('add'))
    .description('add a server until the next start; it is not written to the file')
    .argument(TARGET, 'a backend that is there, and a new name', serverName)
    .argument('<address>', 'host:port')
    .addOption(new Option('--weight <weight>', `0 to ${MOST_WEIGHT}`).argParser(whole(0, MOST_WEIGHT)))
    .addOption(new Option('--maxconn <connections>', 'its limit').argParser(whole(1, MOST_CONNECTIONS)))
    .option('--backup', 'only when no other server is usable')
    .option('--check', 'check it (default: as the first server of the backend)')
    .option('--no-check', 'do not check it')
    .addHelpText('after', '\nExample:\n  limpet server add emqx/emqx4 10.0.0.4:1883 --weight 5\n')
    .action(async ({ backend, server: name }: ServerName, address: string, flags: AddFlags) => {
      const { weight, maxconn, backup, check } = flags;
      const body = { name, address, weight, maxconn, backup, check };
      tellServer(await runningProxy(flags).send<Server>('POST', path`/servers/${backend}`, body), flags);
      finish(EXIT.ok);
    });
}

function addDel(parent: Command, finish: Finish): void {
  withProxyOptions(parent.command('del'))
    .description('remove a server that is in maint and without sessions; one of the file comes back with a reload')
    .argument(TARGET, 'as limpet status lists it', serverName)
    .addHelpText('after', '\nExample:\n  limpet server maint emqx/emqx4 && limpet server del emqx/emqx4\n')
    .action(async (ref: ServerName, flags: ProxyFlags) => {
      await remove(runningProxy(flags), ref, flags);
      finish(EXIT.ok);
    });
}

async function remove(proxy: AdminClient, ref: ServerName, flags: ProxyFlags): Promise<void> {
  const { dynamic } = await proxy.get<Server>(serverPath(ref));
  const done = await proxy.send<{ readonly done: true }>('DELETE', serverPath(ref));
  if (flags.json) printJson(done);
  else
    console.log(
      `${ref.backend}/${ref.server} is removed${dynamic ? '' : '; it is in the file: a reload brings it back'}`,
    );
}
