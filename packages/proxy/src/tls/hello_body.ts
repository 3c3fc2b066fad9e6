import { isIP } from 'node:net';
import { ByteReader } from './byte_reader.ts';

/** What a ClientHello says before a single key is computed. */
export interface ClientHello {
  /** The server name that is asked for, in lower case, without a dot at its end; null: none. */
  readonly sni: string | null;
  /** The protocols that are offered (ALPN). */
  readonly alpn: readonly string[];
}

/** RFC 6066, 3 and RFC 7301, 3.1. */
const SERVER_NAME = 0;
const HOST_NAME = 0;
const ALPN = 16;
/** RFC 8446, 4.1.2: version and random. */
const FIXED = 2 + 32;
/** RFC 1035, 2.3.4; RFC 1123, 2.1; and the underscore that internal names have. */
const HOST = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

const CUT = 'the ClientHello is malformed';

/**
 * Reads the body of a ClientHello (RFC 8446, 4.1.2; the same in TLS 1.2). Unknown and GREASE values are passed over (RFC
 * 8701); what is in the other fields is OpenSSL's to judge. Text: what is wrong with it, in no word of the client.
 */
export function readHelloBody(body: Buffer): ClientHello | string {
  const reader = new ByteReader(body);
  reader.skip(FIXED);
  // Session id, cipher suites, compression methods.
  reader.vector(1);
  reader.vector(2);
  reader.vector(1);
  // RFC 5246, 7.4.1.2: a hello may end here, without extensions.
  const extensions = reader.isAtEnd ? new ByteReader(Buffer.alloc(0)) : new ByteReader(reader.vector(2));
  if (!reader.isWhole || !reader.isAtEnd) return CUT;
  return readExtensions(extensions);
}

function readExtensions(reader: ByteReader): ClientHello | string {
  const seen = new Set<number>();
  let sni: string | null = null;
  let alpn: readonly string[] = [];
  while (!reader.isAtEnd) {
    const type = reader.uint(2);
    const data = reader.vector(2);
    if (!reader.isWhole) return CUT;
    // RFC 8446, 4.2: two different readers could each see another one.
    if (seen.has(type)) return 'the ClientHello has an extension twice';
    seen.add(type);
    if (type === SERVER_NAME) {
      const name = readServerName(data);
      if (name.fault !== null) return name.fault;
      sni = name.host;
    } else if (type === ALPN) {
      const protocols = readProtocols(data);
      if (protocols === null) return CUT;
      alpn = protocols;
    }
  }
  return { sni, alpn };
}

/** RFC 6066, 3: a list of names, of each type one at most; there is no type but host names. */
function readServerName(data: Buffer): { readonly host: string | null; readonly fault: string | null } {
  const outer = new ByteReader(data);
  const list = new ByteReader(outer.vector(2));
  const types = new Set<number>();
  let host: string | null = null;
  if (!outer.isWhole || !outer.isAtEnd || list.isAtEnd) return { host, fault: CUT };
  while (!list.isAtEnd) {
    const type = list.uint(1);
    const name = list.vector(2);
    if (!list.isWhole) return { host, fault: CUT };
    if (types.has(type)) return { host, fault: 'the ClientHello has two server names' };
    types.add(type);
    if (type !== HOST_NAME) continue;
    host = name.toString('latin1').toLowerCase().replace(/\.$/, '');
    // Literal addresses are not permitted as names, yet some clients send them: they name no host.
    if (isIP(host) !== 0) host = null;
    else if (!HOST.test(host)) return { host, fault: 'the server name is no host name' };
  }
  return { host, fault: null };
}

/** RFC 7301, 3.1: a list of names that are not empty. Null: malformed. */
function readProtocols(data: Buffer): readonly string[] | null {
  const outer = new ByteReader(data);
  const list = new ByteReader(outer.vector(2));
  const names: string[] = [];
  if (!outer.isWhole || !outer.isAtEnd || list.isAtEnd) return null;
  while (!list.isAtEnd) {
    const name = list.vector(1);
    if (!list.isWhole || name.length === 0) return null;
    names.push(name.toString('latin1'));
  }
  return names;
}
