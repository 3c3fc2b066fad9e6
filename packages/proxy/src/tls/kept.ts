import type { TlsBindConfig } from '../config/resolved.ts';
import type { Certificate } from './certificate.ts';
import { makeContext, type ServedSet, servedSet, type Trust } from './secure_contexts.ts';
import type { TicketKeys } from './tickets.ts';

/**
 * What a process serves at a bind, in a form that another one can be sent. A worker that starts while a file is broken
 * begins with what all the others kept. It holds private keys: it is only ever sent to a worker, never logged.
 */
export interface KeptCertificates {
  readonly trust: Trust;
  readonly certificates: readonly Certificate[];
}

/** The texts of the files of a server's TLS, as last loaded. Held as KeptCertificates are. */
export interface KeptServerTls {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

/** What a starting worker is given for files that it cannot use. */
export interface KeptTls {
  /** bindKey → what is served there; pairs, for a name may be any word. */
  readonly binds: readonly (readonly [bind: string, kept: KeptCertificates])[];
  /** `backend/server` → the texts. */
  readonly servers: readonly (readonly [server: string, kept: KeptServerTls])[];
}

export function keptOf({ trust, all }: ServedSet): KeptCertificates {
  return { trust, certificates: all.map(({ certificate }) => certificate) };
}

/** @throws LimpetError TLS_CONTEXT_REFUSED */
export function servedAgain(
  { trust, certificates }: KeptCertificates,
  config: TlsBindConfig,
  tickets: TicketKeys,
): ServedSet {
  const all = certificates.map(certificate => ({
    certificate,
    context: makeContext(certificate, config, trust, tickets),
  }));
  return servedSet(trust, all);
}
