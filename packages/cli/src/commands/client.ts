import { LimpetError } from '@limpet/proxy';
import { type Command, Option } from 'commander';
import { type AdminClient, path, query } from '../admin/admin_client.ts';
import type { Client, Info, Session } from '../admin/facts.ts';
import { whole } from '../arguments.ts';
import { EXIT, type Finish } from '../exit_code.ts';
import { count, counted } from '../output/numbers.ts';
import { printable, printJson, printLines } from '../output/print.ts';
import { type ProxyFlags, runningProxy, WHERE_HELP, withProxyOptions } from '../running_proxy.ts';
import { clientLines, sessionLines } from '../session_text.ts';

const HELP = `${WHERE_HELP}
Examples:
  limpet client show sensor-0815          where it is, since when, and why there
  limpet client kick sensor-0815          ends its sessions; it may come back
  limpet client list --server emqx/emqx1 --limit 20
`;

/** What one answer of the proxy may hold. */
const MOST_LISTED = 1_000;

/** `limpet client`: single clients, and lists of them. */
export function addClient(program: Command, finish: Finish): void {
  const client = program
    .command('client')
    .description('find a client, list or end sessions')
    .addHelpText('after', HELP);
  withProxyOptions(client.command('show'))
    .description('where a client is, since when, and why there')
    .argument('<id>', 'its client id')
    .addHelpText('after', '\nExample:\n  limpet client show sensor-0815\n')
    .action(async (id: string, flags: ProxyFlags) => finish(await show(id, flags)));
  withProxyOptions(client.command('kick'))
    .description('end all sessions of a client')
    .argument('<id>', 'its client id')
    .addHelpText('after', '\nExample:\n  limpet client kick sensor-0815\n')
    .action(async (id: string, flags: ProxyFlags) => finish(await kick(id, flags)));
  addList(client, finish);
}

/** Exit code 1: nobody knows it. */
async function show(id: string, flags: ProxyFlags): Promise<number> {
  const [client, predecessor] = await withPredecessor<Client>(runningProxy(flags), path`/clients/${id}`);
  const isKnown = client.sessions.length > 0 || client.entries.length > 0;
  if (flags.json) printJson({ ...client, predecessor });
  else if (isKnown) printLines(clientLines(client, Date.now()));
  if (!flags.json && client.sessions.length === 0) tellElsewhere('not connected to this process', predecessor);
  if (!flags.json && !isKnown) throw unknown(id);
  return isKnown ? EXIT.ok : EXIT.failed;
}

/** While the process that was replaced drains, its clients are connected, but it alone could say which. */
interface Predecessor {
  readonly pid: number;
  readonly sessions: number;
}

async function withPredecessor<T>(proxy: AdminClient, path: string): Promise<[answer: T, Predecessor | null]> {
  const calls = [path, '/info'].map(path => ({ method: 'GET', path }) as const);
  const [answer, { upgrade }] = (await proxy.all(calls)) as [T, Info];
  const { predecessor_pid: pid, predecessor_sessions: sessions } = upgrade;
  return [answer, pid === null ? null : { pid, sessions: sessions ?? 0 }];
}

function tellElsewhere(what: string, predecessor: Predecessor | null): void {
  if (predecessor === null) return;
  const { pid, sessions } = predecessor;
  console.error(`${what}; ${counted(sessions, 'session')} ${sessions === 1 ? 'is' : 'are'} still at pid ${pid}`);
}

async function kick(id: string, flags: ProxyFlags): Promise<number> {
  const answer = await runningProxy(flags).send<{ readonly ended: number }>('DELETE', path`/clients/${id}`);
  if (flags.json) printJson(answer);
  else if (answer.ended === 0) throw unknown(id);
  else console.log(`${counted(answer.ended, 'session')} of ${printable(id)} ended`);
  return answer.ended === 0 ? EXIT.failed : EXIT.ok;
}

function unknown(id: string): LimpetError {
  return new LimpetError(
    'UNKNOWN_CLIENT',
    `no client ${printable(id)} is connected through this proxy`,
    'Client ids are case-sensitive; another proxy may serve it: limpet client list shows who is here.',
  );
}

interface ListFlags extends ProxyFlags {
  readonly backend?: string;
  readonly server?: string;
  readonly frontend?: string;
  readonly source?: string;
  readonly limit: number;
}

function addList(parent: Command, finish: Finish): void {
  withProxyOptions(parent.command('list'))
    .description('live sessions, in no order')
    .option('--server <server>', 'of this server: emqx/emqx1, or emqx1')
    .option('--backend <backend>', 'of this backend')
    .option('--frontend <frontend>', 'that came in here')
    .option('--source <address>', 'from this address')
    .addOption(
      new Option('--limit <sessions>', `at most so many, up to ${MOST_LISTED}`)
        .argParser(whole(1, MOST_LISTED))
        .default(100),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  limpet client list --server emqx/emqx1\n  limpet client list --source 192.0.2.7 --json\n',
    )
    .action(async (flags: ListFlags) => {
      await list(flags);
      finish(EXIT.ok);
    });
}

async function list(flags: ListFlags): Promise<void> {
  const { frontend, source, limit } = flags;
  const slash = flags.server?.indexOf('/') ?? -1;
  const backend = slash === -1 ? flags.backend : flags.server?.slice(0, slash);
  const server = slash === -1 ? flags.server : flags.server?.slice(slash + 1);
  const asked = query({ backend, server, frontend, source, limit });
  interface Listed {
    readonly sessions: readonly Session[];
  }
  const [answer, predecessor] = await withPredecessor<Listed>(runningProxy(flags), `/clients${asked}`);
  if (flags.json) return printJson({ ...answer, predecessor });
  printLines(sessionLines(answer.sessions, Date.now()));
  tellElsewhere('only sessions of this process', predecessor);
  if (answer.sessions.length === limit) {
    console.error(
      `only the first ${count(limit)} that were found: --limit N shows more, --server and others show fewer`,
    );
  }
}
