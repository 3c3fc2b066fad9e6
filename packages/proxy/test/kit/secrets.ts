/**
 * What must never be in a log (P11).
 */
import { readFileSync } from 'node:fs';
import type { Limpet } from './limpet.ts';

/** The lines of a PEM file's private keys: each of them would be a leak. */
export function keyLines(path: string): string[] {
  const text = readFileSync(path, 'utf8');
  const keys = text.match(/-----BEGIN [A-Z ]*PRIVATE KEY-----\n[^-]+/g) ?? [];
  const lines = keys.flatMap(key => key.trim().split('\n').slice(1));
  if (lines.length === 0) throw new Error(`no private key in ${path}`);
  return lines;
}

/** Which of these words a Limpet has printed so far, on either stream; each also as base64 and as hexadecimal. */
export function leaks(limpet: Limpet, secrets: readonly string[]): string[] {
  const printed = limpet.process.lines.map(({ text }) => text).join('\n');
  const spellings = (secret: string): string[] => {
    const bytes = Buffer.from(secret);
    return [secret, bytes.toString('base64').replace(/=+$/, ''), bytes.toString('hex')];
  };
  return secrets.filter(secret => spellings(secret).some(spelling => printed.includes(spelling)));
}
