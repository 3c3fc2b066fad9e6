import type { Address, TlsFacts } from '../stages.ts';

/** What a PROXY header told. */
export interface ProxyHeader {
  readonly version: 1 | 2;
  /**
   * Whom the connection is made for. Null: the connection's own addresses count (LOCAL, UNKNOWN, or a family or
   * transport that is not TCP over IP).
   */
  readonly link: ProxyLink | null;
  readonly facts: ProxyFacts;
}

export interface ProxyLink {
  readonly source: Address;
  readonly destination: Address;
}

/** TLVs of version 2. Texts have no control characters. */
export interface ProxyFacts {
  /** PP2_TYPE_AUTHORITY: the server name that the client asked for. */
  readonly authority: string | null;
  /** PP2_TYPE_UNIQUE_ID: as text where it is printable ASCII, else `hex:` and its bytes. */
  readonly uniqueId: string | null;
  /** PP2_TYPE_SSL; null: the client did not come over TLS, or nothing is said about it. */
  readonly ssl: ProxySsl | null;
}

/** Section 2.2.6. */
export interface ProxySsl {
  readonly version: string | null;
  readonly cipher: string | null;
  readonly cn: string | null;
  /** The client gave a certificate over this connection. */
  readonly certInConnection: boolean;
  /** The client gave a certificate at least once in this TLS session. */
  readonly certInSession: boolean;
  /** There is a certificate, and the sender has verified it. */
  readonly isVerified: boolean;
}

export const NO_FACTS: ProxyFacts = { authority: null, uniqueId: null, ssl: null };

/** What the sender of the header knows of the client's TLS, in the words of a handshake of our own; null: no TLS. */
export function tlsFactsOf({ authority, ssl }: ProxyFacts): TlsFacts | null {
  if (ssl === null) return null;
  const hasCert = ssl.certInConnection || ssl.certInSession;
  return {
    version: ssl.version ?? 'unknown',
    cipher: ssl.cipher ?? 'unknown',
    sni: authority,
    // A certificate of the session that was not given over this connection: only resumption does that.
    resumed: ssl.certInSession && !ssl.certInConnection,
    clientCert: hasCert ? { cn: ssl.cn, verified: ssl.isVerified } : null,
  };
}
