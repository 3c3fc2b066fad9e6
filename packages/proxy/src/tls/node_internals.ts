/**
 * What Node's TLS can do but does not document. All of it has been there since Node 0.12 and is used by Node's own
 * server; `test/flow/tls` holds it, so that a release that changes it is noticed. Nothing else in the program
 * reaches below the documented interface.
 */
import type { SecureContext, TLSSocket } from 'node:tls';

/**
 * Asked by OpenSSL for the key of a ticket. To make one (`encrypts`): 1, both keys, the key's name and a fresh vector. To
 * open one: 1 as it is, 2 and give the client a new one, 0 not ours: then the handshake is a full one.
 */
export type TicketCallback = (
  name: Buffer,
  vector: Buffer,
  encrypts: boolean,
) => readonly [verdict: 0 | 1 | 2, hmac: Buffer, aes: Buffer, name?: Buffer, vector?: Buffer];

interface NativeContext {
  onticketkeycallback?: TicketCallback;
  enableTicketKeyCallback?(): void;
  setTicketKeys?(keys: Buffer): void;
}

interface NativeSocket {
  _handle?: { verifyError?(): (Error & { code?: string }) | null | undefined } | null;
  _releaseControl?(): boolean;
}

/** False: this Node has no such hook. */
export function onTicketKey(context: SecureContext, callback: TicketCallback): boolean {
  const native = context.context as NativeContext;
  if (native.enableTicketKeyCallback === undefined) return false;
  native.onticketkeycallback = callback;
  native.enableTicketKeyCallback();
  return true;
}

/** Sets the one key (48 bytes: name, HMAC, AES) of a context that has no hook. */
export function setTicketKey(context: SecureContext, key: Buffer): void {
  (context.context as NativeContext).setTicketKeys?.(key);
}

/** What OpenSSL has against the peer's certificate so far; an error too where there is none. Null: nothing. */
export function verifyErrorOf(socket: TLSSocket): { readonly code: string; readonly message: string } | null {
  const error = (socket as unknown as NativeSocket)._handle?.verifyError?.();
  return error ? { code: error.code ?? '', message: plainReason(error.message) } : null;
}

/** From now on errors are told as `error`. Without it a server's socket keeps them to itself, for tls.Server to tell. */
export function tellErrors(socket: TLSSocket): void {
  (socket as unknown as NativeSocket)._releaseControl?.();
}

/** OpenSSL's words, without the advice that some versions of Node add to them: it is about Node's own options. */
export function plainReason(message: string): string {
  return message.split('; ', 1)[0] ?? message;
}
