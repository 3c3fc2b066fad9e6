import { Refusal } from './command.ts';
import { escaped } from './escape.ts';

/** HAProxy's words for what Control refuses. */
const WORDS: Readonly<Record<string, string>> = {
  UNKNOWN_SERVER: 'No such server.',
  UNKNOWN_BACKEND: 'No such backend.',
  UNKNOWN_FRONTEND: 'No such frontend.',
  NO_TABLE: 'No such table',
  NO_CHECK: 'Health check was not configured on this server, cannot enable.',
  SERVER_EXISTS: 'Already exists a server with the same name in backend.',
  SERVER_NOT_IN_MAINT: 'Only servers in maintenance mode can be deleted.',
  SERVER_IN_USE: 'Server still has connections attached to it, cannot remove it.',
};

/** What a caller is told of a failed command, in one line; null: a fault of the program itself, for the log. */
export function failureText(error: unknown): string | null {
  if (error instanceof Refusal) return error.message;
  if (!(error instanceof Error) || !('code' in error) || !('remedy' in error)) return null;
  const words = WORDS[String(error.code)];
  if (words !== undefined) return words;
  const what = escaped(error.message.replaceAll(/\s+/g, ' '));
  return `${what.slice(0, 1).toUpperCase()}${what.slice(1).replace(/\.$/, '')}. ${escaped(String(error.remedy))}`;
}
