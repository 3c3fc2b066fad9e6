import type { ClientCertFacts } from '../stages.ts';
import { type Alert, alertOf } from './alert.ts';

/** A client's certificate, as far as it matters here: of Node's own object. */
export interface PresentedCert {
  readonly subject?: { readonly CN?: string | readonly string[] };
  /** As OpenSSL prints them: `Oct 18 09:30:00 2026 GMT`. */
  readonly valid_from?: string;
  readonly valid_to?: string;
}

export type ClientCertVerdict =
  | { readonly kind: 'none' }
  | { readonly kind: 'good'; readonly facts: ClientCertFacts }
  | { readonly kind: 'bad'; readonly alert: Alert; readonly detail: string };

/** C0, DEL and C1: they would end up in a PROXY header, and brokers close the connection for them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/**
 * What a client's certificate is worth. `fault` is OpenSSL's opinion of it. The times are looked at here as well: a resumed
 * session brings a certificate that was good when the session began.
 */
export function judgeClientCert(
  presented: PresentedCert | null,
  fault: { readonly code: string; readonly message: string } | null,
  now: Date,
): ClientCertVerdict {
  if (presented === null) return { kind: 'none' };
  if (fault !== null) return { kind: 'bad', alert: alertOf(fault.code), detail: fault.message };
  if (Date.parse(presented.valid_to ?? '') < now.getTime()) {
    return { kind: 'bad', alert: 'certificate_expired', detail: 'certificate has expired' };
  }
  const cn = commonName(presented);
  if (cn !== null && CONTROL.test(cn)) {
    return { kind: 'bad', alert: 'bad_certificate', detail: 'control character in the common name' };
  }
  return { kind: 'good', facts: { cn, verified: true } };
}

/** Where there are several, the first, as in HAProxy's `send-proxy-v2-ssl-cn`. */
function commonName(presented: PresentedCert): string | null {
  const names = presented.subject?.CN;
  const first = typeof names === 'string' ? names : names?.[0];
  return first === undefined || first === '' ? null : first;
}
