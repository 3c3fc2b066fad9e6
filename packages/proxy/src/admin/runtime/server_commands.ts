import { isIP } from 'node:net';
import type { AdminState } from '@limpet/state';
import type { NewServer } from '../control.ts';
import { addressOf } from '../csv/rows.ts';
import { type Caller, type Command, demand, Refusal } from './command.ts';
import { findBackend, findServer, readCount, readServerRef, type Target } from './target.ts';

/** What is done to servers that exist, and how they come and go. */
export const serverCommands: readonly Command[] = [
  {
    words: 'set server',
    usage: '<bk>/<srv> [opts]',
    does: 'change a server: state, weight, health, addr, fqdn or maxconn',
    level: 'operator',
    run: ([name, what, ...values], caller) =>
      setServer(findServer(caller.control.snapshot(), name), what, values, caller),
  },
  {
    words: 'get weight',
    usage: '<bk>/<srv>',
    does: "report a server's current weight",
    level: 'user',
    run: ([name], { control }) => {
      const { facts } = findServer(control.snapshot(), name);
      return `${facts.weight} (initial ${facts.weightConfigured})`;
    },
  },
  {
    words: 'set weight',
    usage: '<bk>/<srv> <weight>[%]',
    does: "change a server's weight (as 'set server <bk>/<srv> weight')",
    level: 'operator',
    run: ([name, weight], caller) => setWeight(findServer(caller.control.snapshot(), name), weight, caller),
  },
  enable('enable', 'ready', 'let clients come to a server again'),
  enable('disable', 'maint', 'put a server into maintenance: no clients, no checks, its sessions end'),
  checks('enable', true, 'enable health checks'),
  checks('disable', false, 'disable health checks: the verdict stays as it is'),
  {
    words: 'add server',
    usage: '<bk>/<srv> <addr>:<port> [opts]',
    does: 'create a new server (weight N, maxconn N, backup, check, no-check)',
    level: 'admin',
    run: async ([name, ...args], { control, by }) => {
      const ref = readServerRef(name);
      const backend = findBackend(control.snapshot(), ref.backend);
      if (backend.servers.some(server => server.name === ref.server)) {
        throw new Refusal('Already exists a server with the same name in backend.');
      }
      await control.addServer(ref, readNewServer(args), by);
      return 'New server registered.';
    },
  },
  {
    words: 'del server',
    usage: '<bk>/<srv>',
    does: 'remove a server that is in maintenance and has no sessions',
    level: 'admin',
    run: async ([name], { control, by }) => {
      await control.delServer(findServer(control.snapshot(), name).ref, by);
      return 'Server deleted.';
    },
  },
];

function enable(word: 'enable' | 'disable', state: AdminState, does: string): Command {
  return {
    words: `${word} server`,
    usage: '<bk>/<srv>',
    does,
    level: 'operator',
    run: async ([name], { control, by }) => {
      await control.setServerState(findServer(control.snapshot(), name).ref, state, by);
      return '';
    },
  };
}

function checks(word: 'enable' | 'disable', isOn: boolean, does: string): Command {
  return {
    words: `${word} health`,
    usage: '<bk>/<srv>',
    does,
    level: 'operator',
    run: async ([name], { control, by }) => {
      await control.setServerChecks(findServer(control.snapshot(), name).ref, isOn, by);
      return '';
    },
  };
}

const STATES: ReadonlySet<string> = new Set(['ready', 'drain', 'drain_new', 'maint']);

async function setServer(
  target: Target,
  what: string | undefined,
  values: readonly string[],
  caller: Caller,
): Promise<string> {
  const [value] = values;
  switch (what) {
    case 'state':
      if (value === undefined || !STATES.has(value)) {
        throw new Refusal("'set server <srv> state' expects 'ready', 'drain', 'drain_new' and 'maint'.");
      }
      await caller.control.setServerState(target.ref, value as AdminState, caller.by);
      return '';
    case 'weight':
      return setWeight(target, value, caller);
    case 'health':
      return setHealth(target, value, caller);
    case 'addr':
      return setAddress(target, values, caller);
    case 'fqdn':
      if (value === undefined) throw new Refusal('set server <b>/<s> fqdn requires a FQDN.');
      return move(target, value, null, caller);
    case 'maxconn':
      return setServerMaxconn(target, value, caller);
    default:
      throw new Refusal('usage: set server <backend>/<server> addr | fqdn | health | maxconn | state | weight');
  }
}

async function setWeight({ ref, facts }: Target, text: string | undefined, { control, by }: Caller): Promise<string> {
  await control.setServerWeight(ref, readWeight(text, facts.weightConfigured), by);
  return '';
}

/** `N`, or `N%` of what is configured; null: as configured, which `100%` says. */
function readWeight(text: string | undefined, configured: number): number | null {
  if (text === undefined || text === '') throw new Refusal('Require <weight> or <weight%>.');
  const match = /^(\d{1,6})(%?)$/.exec(text);
  if (match === null) throw new Refusal('Weight string empty or preceded by garbage.');
  const number = Number(match[1]);
  if (match[2] === '%') return number === 100 ? null : Math.min(256, Math.floor((configured * number) / 100));
  if (number > 256) throw new Refusal('Absolute weight can only be between 0 and 256 inclusive.');
  return number;
}

async function setHealth({ ref }: Target, value: string | undefined, { control, by }: Caller): Promise<string> {
  if (value === 'stopping') {
    throw new Refusal("A server cannot be 'stopping' here: 'set server <srv> state drain_new' keeps new clients away.");
  }
  if (value !== 'up' && value !== 'down') {
    throw new Refusal("'set server <srv> health' expects 'up' or 'down'.");
  }
  await control.setServerHealth(ref, value, by);
  return '';
}

async function setAddress(target: Target, values: readonly string[], caller: Caller): Promise<string> {
  const [host, word, port] = values;
  if (host === undefined) throw new Refusal('set server <b>/<s> addr requires an address and optionally a port.');
  if (isIP(host) === 0) throw new Refusal(`Invalid addr '${host}' by 'stats socket command'`);
  if (word !== undefined && word !== 'port')
    throw new Refusal("set server <b>/<s> addr expects 'port' behind the address.");
  if (word === 'port' && !/^\d{1,5}$/.test(port ?? '')) throw new Refusal('provided port is not an integer');
  return move(target, host, word === 'port' ? Number(port) : null, caller);
}

async function move(target: Target, host: string, port: number | null, caller: Caller): Promise<string> {
  demand(caller, 'admin');
  const { ref, facts } = target;
  await caller.control.setServerAddress(ref, host, port, caller.by);
  const { facts: now } = findServer(caller.control.snapshot(), `${ref.backend}/${ref.server}`);
  if (addressOf(facts) === addressOf(now)) return 'no need to change the addr, no need to change the port';
  return `address changed from '${addressOf(facts)}' to '${addressOf(now)}' by 'stats socket command'`;
}

/** `set server B/S maxconn N` and `set maxconn server B/S N`. 0: no limit, as in HAProxy. */
export async function setServerMaxconn({ ref }: Target, value: string | undefined, caller: Caller): Promise<string> {
  const maxconn = readCount(value, 'Require <maxconn>.', 'maxconn string empty or preceded by garbage');
  await caller.control.setServerMaxconn(ref, maxconn === 0 ? null : maxconn, caller.by);
  return '';
}

interface Draft {
  weight?: number;
  maxconn?: number;
  backup?: boolean;
  check?: boolean;
}

/** The words behind `add server B/S`. */
function readNewServer(args: readonly string[]): NewServer {
  const [address, ...words] = args;
  if (address === undefined) throw new Refusal("'server' expects <name> and <addr>[:<port>] as arguments.");
  const draft: Draft = {};
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === 'backup') draft.backup = true;
    else if (word === 'check') draft.check = true;
    else if (word === 'no-check') draft.check = false;
    else if (word === 'weight' || word === 'maxconn') {
      at += 1;
      draft[word] = readCount(words[at], `'${word}' expects a whole number.`);
    } else {
      throw new Refusal(`'${word}' is no option here. There are: weight N, maxconn N, backup, check, no-check.`);
    }
  }
  return { address, ...draft };
}
