import { stickKey } from '@limpet/state';

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * The table's key for what an operator gives: a key as a table shows it, or the value of a client. What looks like a
 * digest is taken for the key that it is. Pure.
 */
export function tableKey(text: string): string {
  return DIGEST.test(text) ? text : stickKey(text);
}

/** Whether a text can be a key of a table. Pure. */
export function isTableKey(text: string): boolean {
  return text !== '' && tableKey(text) === text;
}
