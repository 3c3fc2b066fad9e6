import { createHash } from 'node:crypto';

/** The longest key that is kept as it is, in bytes of UTF-8. */
export const maxKeyBytes = 128;

const digestMark = 'sha256:';
const plainAscii = /^[\x20-\x7e]{1,128}$/;
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/u;

/**
 * The stick table's key for a value of a client: the value itself where it is at most 128 bytes of UTF-8 and printable,
 * else `sha256:` and its digest in hex. Never truncated: two values never share a key. A value that itself begins with
 * `sha256:` is digested too, so that no client can forge another's key.
 *
 * Printable is what holds no control, format, surrogate, private or unassigned character (Unicode category C) and no
 * line or paragraph separator. Which characters are unassigned depends on Node's version of Unicode, so two proxies of
 * different Node versions may disagree on characters that are new to one of them, and on nothing else.
 */
export function stickKey(value: string): string {
  if (isKey(value)) return value;
  return digestMark + createHash('sha256').update(value, 'utf8').digest('hex');
}

function isKey(value: string): boolean {
  if (value.startsWith(digestMark)) return false;
  if (plainAscii.test(value)) return true;
  return Buffer.byteLength(value, 'utf8') <= maxKeyBytes && !unprintable.test(value);
}
