import { statSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { isWritten, valueAt } from './locate.ts';
import { namedFile, optionalFile } from './named_file.ts';
import { type Notes, noteKey, noteValue, warn } from './notes.ts';
import type { StateConfig, TlsBindConfig, TlsServerConfig } from './resolved.ts';
import type { RawBindTls, RawGlobalTls, RawServerTls } from './schema/tls.ts';
import type { Path } from './tree.ts';

/** Whether OpenSSL takes it; it says no more than yes or no. */
function isTaken(options: SecureContextOptions): boolean {
  try {
    createSecureContext(options);
    return true;
  } catch {
    return false;
  }
}

function checkLists(raw: RawBindTls, path: Path, notes: Notes): void {
  if (raw.ciphers !== undefined && !isTaken({ ciphers: raw.ciphers })) {
    const remedy = 'Write names as `openssl ciphers` knows them, with colons between, or remove the key.';
    noteValue([...path, 'ciphers'], '{value} names no cipher, or one that is not known', remedy, notes);
  }
  if (raw.curves !== undefined && !isTaken({ ecdhCurve: raw.curves })) {
    const remedy = 'Write names as OpenSSL knows them, with colons between: X25519:P-256.';
    noteValue([...path, 'curves'], '{value} names no curve, or one that is not known', remedy, notes);
  }
  if (raw.min_version > raw.max_version) {
    const at = [...path, isWritten(notes.tree, [...path, 'min_version']) ? 'min_version' : 'max_version'];
    noteValue(at, `the oldest version (${raw.min_version}) is newer than the newest`, 'Change one of them.', notes);
  }
}

/** A key of its own belongs to one certificate: those in a list or a folder bring theirs. */
function checkKey(raw: RawBindTls, certs: readonly string[], path: Path, notes: Notes): void {
  if (raw.key === undefined) return;
  const isFolder = certs.some(cert => statSync(cert, { throwIfNoEntry: false })?.isDirectory() === true);
  if (raw.cert.length === 1 && !isFolder) return;
  const remedy = 'Put each key into the file of its certificate, and remove the key.';
  noteKey(
    [...path, 'key'],
    `it fits one certificate, and \`cert\` is ${isFolder ? 'a folder' : 'several files'}`,
    remedy,
    notes,
  );
}

function verifyOf(raw: RawBindTls, path: Path, notes: Notes): TlsBindConfig['verify'] {
  const verify = raw.verify ?? (raw.client_ca === undefined ? 'none' : 'required');
  if (verify !== 'none' && raw.client_ca === undefined) {
    const remedy = 'Add `client_ca`, a PEM file of the authorities that sign them, or write `verify: none`.';
    noteValue(
      [...path, 'verify'],
      '{value} wants `client_ca`: no certificate of a client would be good',
      remedy,
      notes,
    );
  }
  for (const key of ['client_ca', 'crl'] as const) {
    if (verify !== 'none' || raw[key] === undefined) continue;
    const remedy =
      key === 'crl' && raw.client_ca === undefined ? 'Add `client_ca`.' : 'Write `verify: optional` or `required`.';
    noteKey([...path, key], 'it has no effect, for clients are asked for no certificate', remedy, notes);
  }
  return verify;
}

/** TLS of a bind. Its files must be there and readable; what is in them is looked at when they are used. */
export function resolveBindTls(raw: RawBindTls, path: Path, notes: Notes): TlsBindConfig {
  const isList = Array.isArray(valueAt(notes.tree, [...path, 'cert']));
  const certs = raw.cert.map((cert, index) =>
    namedFile(cert, [...path, 'cert', ...(isList ? [index] : [])], notes, true),
  );
  checkKey(raw, certs, path, notes);
  checkLists(raw, path, notes);
  return {
    certs: [...new Set(certs)],
    key: optionalFile(raw.key, [...path, 'key'], notes),
    clientCa: optionalFile(raw.client_ca, [...path, 'client_ca'], notes),
    verify: verifyOf(raw, path, notes),
    crl: optionalFile(raw.crl, [...path, 'crl'], notes),
    minVersion: raw.min_version,
    maxVersion: raw.max_version,
    ciphers: raw.ciphers ?? null,
    curves: raw.curves ?? null,
    alpn: [...new Set(raw.alpn)],
    strictSni: raw.strict_sni,
  };
}

/** TLS towards a server. */
export function resolveServerTls(raw: RawServerTls, path: Path, notes: Notes): TlsServerConfig {
  if (raw.key !== undefined && raw.cert === undefined) {
    noteKey([...path, 'key'], 'a key wants a certificate', 'Add `cert`, or remove the key.', notes);
  }
  if (raw.ca !== undefined && raw.verify === 'none') {
    const remedy = 'Remove `verify: none`, or `ca`.';
    noteKey([...path, 'ca'], 'it has no effect, for `verify: none` takes any certificate', remedy, notes);
  }
  return {
    verify: raw.verify,
    ca: optionalFile(raw.ca, [...path, 'ca'], notes),
    sni: raw.sni ?? null,
    cert: optionalFile(raw.cert, [...path, 'cert'], notes),
    key: optionalFile(raw.key, [...path, 'key'], notes),
  };
}

/** Whether the keys of session tickets can be shared as they should be. */
export function checkTickets(raw: RawGlobalTls, state: StateConfig, hasTls: boolean, notes: Notes): void {
  const path = ['global', 'tls', 'ticket_secret'];
  if (state.store === 'memory' && raw.ticket_secret !== undefined) {
    warn(path, 'it has no effect, for `state.store` is memory', 'Write `store: redis`, or remove the key.', notes);
  }
  if (state.store === 'redis' && hasTls && raw.ticket_secret === undefined) {
    const what = 'without `global.tls.ticket_secret`, TLS sessions resume neither on another proxy nor after a restart';
    warn(['state', 'store'], what, `Write \`global: { tls: { ticket_secret: "\${TICKET_SECRET}" } }\`.`, notes);
  }
}
