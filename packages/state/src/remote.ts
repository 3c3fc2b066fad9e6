/**
 * A worker's view of the primary's table. Messages are short tuples of plain JSON, because they travel in batches, one
 * batch a turn of the event loop, over the pipe between the processes.
 */
import type { ClaimAnswer, EntryState, Pin, StickEntry, StickTable } from './contract.ts';
import type { Assign, MemoryTable } from './memory.ts';
import { StateError } from './state_error.ts';

/** A pin. */
type PinTuple = readonly [key: string, server: string, owner: string, epoch: number];

/** Asks the primary; it answers each. */
export type TableCall =
  | readonly [
      op: 'claim',
      key: string,
      usable: readonly string[],
      candidate: string | null,
      owner: string,
      epoch: number,
    ]
  | readonly [op: 'renew', pins: readonly PinTuple[]]
  | readonly [op: 'get', key: string];

/** Tells the primary; no answer. */
export type TableCast =
  | readonly [op: 'confirm', key: string, server: string, owner: string, epoch: number]
  | readonly [op: 'release' | 'forget', key: string, server: string, owner: string, epoch: number]
  | readonly [op: 'abandon', key: string, owner: string, epoch: number, displaced: string | null];

/** The primary's answer to a call. */
export type TableReply =
  | readonly [kind: 'held', server: string]
  | readonly [kind: 'claimed', server: string, displaced: string | null]
  | readonly [kind: 'free', displaced: string | null]
  | readonly [kind: 'full']
  | readonly [kind: 'renewed', superseded: readonly string[]]
  | readonly [kind: 'entry', server: string, owner: string, epoch: number, state: EntryState, ttlMs: number | null]
  | readonly [kind: 'none'];

/**
 * The way to the primary. Calls and casts arrive in the order in which they were made. Whoever made the channel closes
 * it, and gives a call its deadline: a call that fails rejects.
 */
export interface TableChannel {
  call(message: TableCall): Promise<TableReply>;
  cast(message: TableCast): void;
}

/** Pins in one message: some 25 kB, so that no other word waits long behind it. */
const pinsPerMessage = 300;

/**
 * The primary's table as a StickTable. A channel that fails makes nothing reject: a claim is answered `full` and
 * `degraded` (serve the client without stickiness), and the rest is lost with the primary that it was meant for.
 * `close` does nothing: the channel belongs to its maker.
 */
export function remoteTable(channel: TableChannel): StickTable {
  return {
    async claim({ key, usable, candidate, by }) {
      const reply = await ask(channel, ['claim', key, usable, candidate, by.owner, by.epoch]);
      return reply ? claimAnswer(reply) : { kind: 'full', degraded: true };
    },
    async confirm(pin) {
      channel.cast(['confirm', ...pinTuple(pin)]);
    },
    async abandon(key, by, displaced) {
      channel.cast(['abandon', key, by.owner, by.epoch, displaced]);
    },
    async release(pin) {
      channel.cast(['release', ...pinTuple(pin)]);
    },
    async forget(pin) {
      channel.cast(['forget', ...pinTuple(pin)]);
    },
    async renew(pins) {
      const superseded: string[] = [];
      for (let i = 0; i < pins.length; i += pinsPerMessage) {
        const reply = await ask(channel, ['renew', pins.slice(i, i + pinsPerMessage).map(pinTuple)]);
        if (reply?.[0] === 'renewed') superseded.push(...reply[1]);
      }
      return superseded;
    },
    async get(key) {
      const reply = await ask(channel, ['get', key]);
      return reply ? stickEntry(key, reply) : null;
    },
    async close() {},
  };
}

/**
 * The primary's side: does what a worker's message says, and returns the answer to send, or null for a cast. `assign` is
 * the scheduler behind the table, asked within the claim, so that a new client costs one message each way.
 */
export function serveTable(table: MemoryTable, message: TableCall | TableCast, assign?: Assign): TableReply | null {
  switch (message[0]) {
    case 'claim': {
      const [, key, usable, candidate, owner, epoch] = message;
      return claimReply(table.claim({ key, usable, candidate, by: { owner, epoch } }, assign));
    }
    case 'renew':
      return ['renewed', table.renew(message[1].map(pinOf))];
    case 'get':
      return entryReply(table.peek(message[1]));
    case 'confirm':
      table.confirm(pinOf(withoutOp(message)));
      return null;
    case 'release':
      table.release(pinOf(withoutOp(message)));
      return null;
    case 'forget':
      table.forget(pinOf(withoutOp(message)));
      return null;
    case 'abandon': {
      const [, key, owner, epoch, displaced] = message;
      table.abandon(key, { owner, epoch }, displaced);
      return null;
    }
  }
}

async function ask(channel: TableChannel, message: TableCall): Promise<TableReply | null> {
  try {
    return await channel.call(message);
  } catch {
    return null;
  }
}

function pinTuple({ key, server, by }: Pin): PinTuple {
  return [key, server, by.owner, by.epoch];
}

function pinOf([key, server, owner, epoch]: PinTuple): Pin {
  return { key, server, by: { owner, epoch } };
}

function withoutOp([, key, server, owner, epoch]: readonly [string, ...PinTuple]): PinTuple {
  return [key, server, owner, epoch];
}

function claimReply(answer: ClaimAnswer): TableReply {
  switch (answer.kind) {
    case 'held':
      return ['held', answer.server];
    case 'claimed':
      return ['claimed', answer.server, answer.displaced];
    case 'free':
      return ['free', answer.displaced];
    case 'full':
      return ['full'];
  }
}

function claimAnswer(reply: TableReply): ClaimAnswer {
  switch (reply[0]) {
    case 'held':
      return { kind: 'held', server: reply[1], degraded: false };
    case 'claimed':
      return { kind: 'claimed', server: reply[1], displaced: reply[2], degraded: false };
    case 'free':
      return { kind: 'free', displaced: reply[1], degraded: false };
    case 'full':
      return { kind: 'full', degraded: false };
    default:
      throw unknownReply(reply);
  }
}

function entryReply(entry: StickEntry | null): TableReply {
  return entry ? ['entry', entry.server, entry.owner, entry.epoch, entry.state, entry.ttlMs] : ['none'];
}

function stickEntry(key: string, reply: TableReply): StickEntry | null {
  if (reply[0] === 'none') return null;
  if (reply[0] !== 'entry') throw unknownReply(reply);
  const [, server, owner, epoch, state, ttlMs] = reply;
  return { key, server, owner, epoch, state, ttlMs };
}

function unknownReply(reply: TableReply): StateError {
  return new StateError(
    'TABLE_REPLY',
    `the primary answered ${JSON.stringify(reply[0])} to another question`,
    'This is a fault of Limpet: please report it.',
  );
}
