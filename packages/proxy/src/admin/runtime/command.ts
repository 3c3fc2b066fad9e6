import type { ApiHandler } from '../api/contract.ts';
import type { AdminLevel, By, Control } from '../control.ts';

/** Who asks, and whom a command may ask. */
export interface Caller {
  readonly control: Control;
  readonly api: ApiHandler;
  readonly level: AdminLevel;
  readonly by: By;
  /** The lines behind `<<`, each with its end; null where there are none. They need not be read to the end. */
  readonly payload: AsyncIterable<Buffer> | null;
  /** Writes down an order that was obeyed, where Control does not: those about tables. */
  readonly note: (what: string) => void;
  /** Of the connection, for the commands that are about it. */
  readonly connection: ConnectionControl;
}

/** What a command may change of its own connection. */
export interface ConnectionControl {
  /** Interactive or not, the other way round than now. */
  togglePrompt(): void;
  /** No further command. */
  quit(): void;
  /** Only downwards. */
  lowerLevel(level: AdminLevel): void;
  /** Below `admin` never longer than is configured. */
  setTimeoutMs(timeoutMs: number): void;
}

/** An answer without a last line feed gets one; the empty line behind it is not the command's business. */
export type Answer = string | AsyncIterable<string | Buffer>;

export interface Command {
  /** What it begins with: `show stat`. */
  readonly words: string;
  /** The arguments as `help` shows them. */
  readonly usage: string;
  readonly does: string;
  /** Least level that may use it. */
  readonly level: AdminLevel;
  /** Whether it reads a payload. */
  readonly takesPayload?: boolean;
  /** Refuses by throwing: Refusal with HAProxy's own words, or a LimpetError from Control. */
  run(args: readonly string[], caller: Caller): Answer | Promise<Answer>;
}

/** The command is not carried out; its message is the whole answer. */
export class Refusal extends Error {}

const RANKS: Readonly<Record<AdminLevel, number>> = { user: 0, operator: 1, admin: 2 };

export function isAllowed(has: AdminLevel, needs: AdminLevel): boolean {
  return RANKS[has] >= RANKS[needs];
}

/** For commands that only some of their forms ask more of: throws where the caller may not. */
export function demand(caller: Caller, needs: AdminLevel): void {
  if (!isAllowed(caller.level, needs)) throw new Refusal(PERMISSION_DENIED);
}

export const PERMISSION_DENIED = 'Permission denied';
