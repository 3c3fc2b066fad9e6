import { isUtf8 } from 'node:buffer';

/** Close codes that Limpet sends itself (RFC 6455, 7.4.1). */
export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  unsupportedData: 1003,
  invalidPayload: 1007,
  tooBig: 1009,
} as const;

/**
 * What a Close frame's payload says (RFC 6455, 5.5.1 and 7.4). `code` is null where there is none. The reason is for
 * people, and theirs to write: nobody here reads it.
 */
export type CloseReading =
  | { readonly kind: 'close'; readonly code: number | null }
  | { readonly kind: 'bad'; readonly code: 1002 | 1007; readonly detail: string };

export function readClose(payload: Buffer): CloseReading {
  if (payload.length === 0) return { kind: 'close', code: null };
  if (payload.length === 1) return { kind: 'bad', code: CLOSE.protocolError, detail: 'a close code of one byte' };
  const code = payload.readUInt16BE(0);
  if (!maySend(code)) return { kind: 'bad', code: CLOSE.protocolError, detail: `close code ${code}` };
  if (!isUtf8(payload.subarray(2))) {
    return { kind: 'bad', code: CLOSE.invalidPayload, detail: 'a close reason that is not UTF-8' };
  }
  return { kind: 'close', code };
}

/** 1004 to 1006 and 1015 never go over the wire; 1012 to 1014 are registered with IANA; 3000 and above are free. */
function maySend(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
}
