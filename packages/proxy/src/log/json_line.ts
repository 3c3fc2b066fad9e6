import type { LogFields } from '../log.ts';

/**
 * A line of the log, with its end. `head` is the beginning of an object of JSON, one field at least; the fields follow in
 * their order, then the message as `msg`. What is undefined is not written, and a number that is none is null. Pure.
 */
export function jsonLine(head: string, fields: LogFields, message: string | undefined): string {
  // All fields in one call: to put them together one by one makes many short strings, which cost as much again to forget.
  const body = JSON.stringify(fields);
  const end = message === undefined ? '}\n' : `,"msg":${JSON.stringify(message)}}\n`;
  return body === '{}' ? `${head}${end}` : `${head},${body.slice(1, -1)}${end}`;
}
