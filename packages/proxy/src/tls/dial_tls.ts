import { isIP, type Socket } from 'node:net';
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { TlsServerConfig } from '../config/resolved.ts';
import { errorCode, LimpetError } from '../errors.ts';
import type { Log } from '../log.ts';
import { parseAuthorities, parseCertificate } from './certificate.ts';
import { readText } from './certificate_files.ts';
import { FileWatch } from './file_watch.ts';
import type { KeptServerTls } from './kept.ts';
import { plainReason } from './node_internals.ts';
import { systemAuthorities } from './system_authorities.ts';

/** What became of TLS with a broker. When it failed the connection is closed. */
export type TlsConnected =
  | { readonly kind: 'open'; readonly socket: TLSSocket; readonly resumed: boolean }
  /** `bad_server_cert`: not from an authority that we know, expired, or for another name. */
  | { readonly kind: 'failed'; readonly reason: 'handshake_failed' | 'bad_server_cert'; readonly detail: string };

/** TLS with a broker under way. */
export interface TlsConnecting {
  readonly result: Promise<TlsConnected>;
  /** Ends it with a reset, as when its deadline is over. Does nothing when there is a result already. */
  cancel(): void;
}

/** TLS towards one server of a backend: its terms, and the session of the last connection, to be resumed. */
export interface BrokerTls {
  /**
   * Makes a TLS client's side of a socket that is connected, was made with `allowHalfOpen` and does not flow. The TLS
   * socket is open and paused. The deadline is the caller's.
   */
  connect(socket: Socket): TlsConnecting;
  /** The texts in use, for a process that cannot read them from disk. Null: nothing was ever loaded. */
  kept(): KeptServerTls | null;
  /**
   * Reads all files anew, and changes nothing. What it answers puts them into use, where they are others, and says so.
   * @throws LimpetError TLS_*
   */
  renew(): Promise<() => boolean>;
  /** The same with what another process has read and found good. */
  adopt(kept: KeptServerTls): Promise<() => boolean>;
  close(): void;
}

/**
 * Reads what a server's TLS needs, and reads it again when a file changes; one that cannot be used keeps what was there
 * before, and says so. `host` is the server's, as configured; `kept` is what was there before for a process that has just
 * started.
 * @throws LimpetError TLS_*: a file that cannot be used, at the start and without `kept`
 */
export async function createBrokerTls(
  config: TlsServerConfig,
  host: string,
  log: Log,
  kept: KeptServerTls | null = null,
): Promise<BrokerTls> {
  const tls = new WatchedBrokerTls(config, host, log);
  try {
    await tls.start(kept);
  } catch (error) {
    tls.close();
    throw error;
  }
  return tls;
}

class WatchedBrokerTls implements BrokerTls {
  readonly #config: TlsServerConfig;
  readonly #host: string;
  readonly #log: Log;
  readonly #watch: FileWatch;
  #context: SecureContext | null = null;
  #kept: KeptServerTls | null = null;
  #session: Buffer | null = null;

  constructor(config: TlsServerConfig, host: string, log: Log) {
    this.#config = config;
    this.#host = host;
    this.#log = log;
    const paths = [config.ca, config.cert, config.key].filter(path => path !== null);
    this.#watch = new FileWatch(
      () => paths,
      () => this.#reload(),
    );
  }

  async start(kept: KeptServerTls | null): Promise<void> {
    await this.#watch.start();
    try {
      await this.#load();
    } catch (error) {
      if (kept === null) throw error;
      await this.#use(kept);
    }
  }

  kept(): KeptServerTls | null {
    return this.#kept;
  }

  async renew(): Promise<() => boolean> {
    return await this.adopt(await readTexts(this.#config));
  }

  async adopt(texts: KeptServerTls): Promise<() => boolean> {
    const context = await makeContext(this.#config, texts);
    return () => {
      const isOther = !isDeepStrictEqual(texts, this.#kept);
      if (isOther) this.#swap(context, texts);
      return isOther;
    };
  }

  close(): void {
    this.#watch.close();
  }

  connect(socket: Socket): TlsConnecting {
    const { sni, verify } = this.#config;
    // RFC 6066, 3: an address is no server name.
    const servername = sni ?? (isIP(this.#host) === 0 ? this.#host : '');
    const context = this.#context;
    const upper = connect({
      socket,
      host: this.#host,
      servername,
      rejectUnauthorized: verify === 'required',
      ...(context === null ? {} : { secureContext: context }),
      ...(this.#session === null ? {} : { session: this.#session }),
    });
    upper.on('session', session => {
      // A late one, made under terms that hold no more, must not be resumed under the new ones.
      if (context === this.#context) this.#session = session;
    });
    return new Connecting(upper, socket, () => {
      // What cannot be resumed must not be offered again.
      this.#session = null;
    });
  }

  async #load(): Promise<void> {
    await this.#use(await readTexts(this.#config));
  }

  async #use(texts: KeptServerTls): Promise<void> {
    this.#swap(await makeContext(this.#config, texts), texts);
  }

  #swap(context: SecureContext, texts: KeptServerTls): void {
    this.#context = context;
    this.#kept = texts;
    this.#session = null;
  }

  async #reload(): Promise<void> {
    try {
      await this.#load();
    } catch (error) {
      const code = error instanceof LimpetError ? error.code : errorCode(error);
      const what = error instanceof Error ? error.message : String(error);
      this.#log.error('tls_cert_kept', { code }, `${what}; what was loaded before stays in use`);
    }
  }
}

class Connecting implements TlsConnecting {
  readonly result: Promise<TlsConnected>;
  readonly #upper: TLSSocket;
  readonly #transport: Socket;
  #settle: ((connected: TlsConnected) => void) | null = null;
  readonly #onFailure: () => void;

  constructor(upper: TLSSocket, transport: Socket, onFailure: () => void) {
    this.#upper = upper;
    this.#transport = transport;
    this.#onFailure = onFailure;
    this.result = new Promise(resolve => {
      this.#settle = resolve;
    });
    transport.on('error', () => {});
    upper.on('error', error => this.#failed(error));
    upper.once('close', () => this.#fail('handshake_failed', 'closed by the server'));
    // Out of OpenSSL's stack: whoever waits may well end the connection at once.
    upper.once('secureConnect', () => setImmediate(() => this.#open()));
  }

  cancel(): void {
    if (this.#settle === null) return;
    this.#fail('handshake_failed', 'too slow');
  }

  #open(): void {
    if (this.#upper.destroyed) return;
    this.#done({ kind: 'open', socket: this.#upper, resumed: this.#upper.isSessionReused() });
  }

  #failed(error: Error): void {
    const code = errorCode(error);
    const isCertificate = !this.#upper.authorized && this.#upper.authorizationError !== null;
    const reason = (error as Error & { reason?: string }).reason;
    // What Node says of a wrong name repeats the names of the certificate, which are the peer's words.
    const isOtherName = code === 'ERR_TLS_CERT_ALTNAME_INVALID';
    if (isCertificate)
      this.#fail('bad_server_cert', isOtherName ? 'certificate for another name' : plainReason(error.message));
    else this.#fail('handshake_failed', reason ?? code);
  }

  #fail(reason: 'handshake_failed' | 'bad_server_cert', detail: string): void {
    if (this.#settle === null) return;
    this.#onFailure();
    this.#done({ kind: 'failed', reason, detail });
    if (!this.#transport.destroyed) this.#transport.resetAndDestroy();
  }

  #done(connected: TlsConnected): void {
    const settle = this.#settle;
    this.#settle = null;
    settle?.(connected);
  }
}

async function readTexts({ ca, cert, key }: TlsServerConfig): Promise<KeptServerTls> {
  const read = async (path: string | null): Promise<string | null> => (path === null ? null : readText(path));
  return { ca: await read(ca), cert: await read(cert), key: await read(cert === null ? null : key) };
}

async function makeContext({ ca, cert, key, verify }: TlsServerConfig, texts: KeptServerTls): Promise<SecureContext> {
  const authorities = ca === null || texts.ca === null ? null : parseAuthorities(ca, texts.ca);
  const keyText = key === null || texts.key === null ? null : { path: key, text: texts.key };
  const own =
    cert === null || texts.cert === null ? null : parseCertificate({ path: cert, text: texts.cert, key: keyText });
  const trusted = verify === 'none' ? [] : (authorities ?? (await systemAuthorities()));
  try {
    return createSecureContext({
      ...(trusted === null ? {} : { ca: [...trusted] }),
      ...(own === null ? {} : { cert: own.certPem, key: own.keyPem }),
      minVersion: 'TLSv1.2',
    });
  } catch (error) {
    const what = `OpenSSL does not take ${cert ?? ca ?? 'the settings'} for a connection to a server: ${errorCode(error)}`;
    throw new LimpetError('TLS_CONTEXT_REFUSED', what, 'Check the size and kind of the key.');
  }
}
