import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import type { TlsBindConfig } from '../config/resolved.ts';
import { errorCode } from '../errors.ts';
import type { ClientCertFacts, TlsFacts } from '../stages.ts';
import { type Alert, plainAlert, sealedAlert } from './alert.ts';
import { type ClientCertVerdict, judgeClientCert, type PresentedCert } from './client_cert.ts';
import { tellErrors, verifyErrorOf } from './node_internals.ts';

export type HandshakeEnd =
  | { readonly kind: 'open'; readonly socket: TLSSocket; readonly facts: TlsFacts }
  | {
      readonly kind: 'failed';
      readonly reason: 'handshake_failed' | 'no_client_cert' | 'bad_client_cert' | 'no_alpn' | 'closed';
      readonly detail: string;
    };

/** The log of keys that OpenSSL writes for Wireshark. Two of its lines tell when a client's certificate has been read. */
const TLS12_SECRET = 'CLIENT_RANDOM';
const TLS13_WRITE_SECRET = 'SERVER_TRAFFIC_SECRET_0';
const TLS13_READ_SECRET = 'CLIENT_TRAFFIC_SECRET_0';

/**
 * A server's side of one handshake, on a socket whose unread bytes begin with the ClientHello. When it fails, OpenSSL or this
 * has sent an alert if there was something to say; closing the socket is the caller's.
 *
 * A certificate is looked at when the key log says that OpenSSL has read it, before OpenSSL answers: only then can an
 * alert still be sent at the right place. In TLS 1.2 it goes unencrypted, for the server has not switched to its keys; in
 * TLS 1.3 as the first record under its application key.
 */
export class Handshake {
  readonly socket: TLSSocket;
  readonly #transport: Socket;
  readonly #config: TlsBindConfig;
  readonly #sni: string | null;
  readonly #onEnd: (end: HandshakeEnd) => void;
  #verdict: ClientCertVerdict | null = null;
  #writeSecret: Buffer | null = null;
  #isOver = false;

  /** `onEnd` is called once, out of OpenSSL's stack. */
  constructor(
    transport: Socket,
    context: SecureContext,
    config: TlsBindConfig,
    sni: string | null,
    onEnd: (end: HandshakeEnd) => void,
  ) {
    this.#transport = transport;
    this.#config = config;
    this.#sni = sni;
    this.#onEnd = onEnd;
    this.socket = new TLSSocket(transport, {
      isServer: true,
      secureContext: context,
      requestCert: config.verify !== 'none',
      rejectUnauthorized: config.verify === 'required',
      ...(config.alpn.length === 0 ? {} : { ALPNProtocols: [...config.alpn] }),
    });
    if (config.verify !== 'none') this.socket.on('keylog', line => this.#heard(line));
    this.socket.once('secure', () => setImmediate(() => this.#secured()));
    this.socket.once('error', error => this.#failed(error));
    this.socket.once('close', () => this.#end({ kind: 'failed', reason: 'closed', detail: 'closed by the client' }));
    // A FIN right behind the ClientHello was read before there was a TLS socket to hear it.
    transport.once('end', () => this.#end({ kind: 'failed', reason: 'closed', detail: 'closed by the client' }));
  }

  /** Hears nothing more. */
  cancel(): void {
    this.#isOver = true;
  }

  #heard(line: Buffer): void {
    const [label, , secret = ''] = line.toString('latin1').trimEnd().split(' ');
    if (label === TLS13_WRITE_SECRET) this.#writeSecret = Buffer.from(secret, 'hex');
    if (label === TLS12_SECRET) this.#check(plainAlert);
    if (label === TLS13_READ_SECRET) this.#check(alert => this.#sealed(alert));
  }

  #check(sealed: (alert: Alert) => Buffer | null): void {
    const verdict = this.#judge();
    if (verdict.kind !== 'bad' || this.#isOver) return;
    const record = sealed(verdict.alert);
    if (record !== null) this.#transport.write(record);
    setImmediate(() => this.#refuse(verdict.detail));
  }

  #sealed(alert: Alert): Buffer | null {
    return this.#writeSecret && sealedAlert(alert, this.socket.getCipher().standardName, this.#writeSecret);
  }

  #judge(): ClientCertVerdict {
    this.#verdict ??= judgeClientCert(presentedBy(this.socket), verifyErrorOf(this.socket), new Date());
    return this.#verdict;
  }

  #secured(): void {
    if (this.#isOver || this.socket.destroyed) return;
    const verdict: ClientCertVerdict = this.#config.verify === 'none' ? { kind: 'none' } : this.#judge();
    if (verdict.kind === 'bad') this.#refuse(verdict.detail);
    else if (verdict.kind === 'none' && this.#config.verify === 'required') this.#refuse('no certificate');
    else this.#open(verdict.kind === 'good' ? verdict.facts : null);
  }

  #open(clientCert: ClientCertFacts | null): void {
    const facts: TlsFacts = {
      version: this.socket.getProtocol() ?? '',
      cipher: this.socket.getCipher().name,
      sni: this.#sni,
      resumed: this.socket.isSessionReused(),
      clientCert,
    };
    tellErrors(this.socket);
    this.#end({ kind: 'open', socket: this.socket, facts });
  }

  #refuse(detail: string): void {
    this.#end({ kind: 'failed', reason: 'bad_client_cert', detail });
  }

  #failed(error: Error): void {
    const code = errorCode(error);
    const detail = (error as Error & { reason?: string }).reason ?? code;
    if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') {
      this.#end({ kind: 'failed', reason: 'no_client_cert', detail: 'no certificate' });
    } else if (code === 'ERR_SSL_NO_APPLICATION_PROTOCOL') {
      this.#end({ kind: 'failed', reason: 'no_alpn', detail: 'none of the protocols that it offers (ALPN)' });
    } else if (code === 'ECONNRESET') this.#end({ kind: 'failed', reason: 'closed', detail: code });
    else this.#end({ kind: 'failed', reason: 'handshake_failed', detail });
  }

  #end(end: HandshakeEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onEnd(end);
  }
}

/** Node answers an empty object, or null, where there is no certificate. */
function presentedBy(socket: TLSSocket): PresentedCert | null {
  const certificate: PresentedCert | null = socket.getPeerCertificate();
  return certificate?.valid_to === undefined ? null : certificate;
}
