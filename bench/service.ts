/**
 * What a proxy is set up for, in words that all targets understand, and what must be there for that.
 */
import { Belongings } from '../packages/proxy/test/kit/belongings.ts';
import { makeAuthority } from '../packages/proxy/test/kit/certificates.ts';
import { startRedis } from '../packages/proxy/test/kit/redis.ts';

export interface Service {
  /** How clients come; TLS with a certificate for ECDSA P-256 or for RSA 2048. Brokers speak plain MQTT, or WebSocket. */
  readonly transport: 'tcp' | 'websocket' | 'tls-ec' | 'tls-rsa';
  /** Where Limpet's stick table is. HAProxy's is in its memory always. */
  readonly table: 'memory' | 'redis';
  /** Limpet's workers can be told to block their event loops. */
  readonly canBlock: boolean;
  /** Limpet's processes can be asked for what they keep, without garbage. */
  readonly canCollect: boolean;
}

/** The seeds' case: plain MQTT, the table in memory. */
export const plain: Service = { transport: 'tcp', table: 'memory', canBlock: false, canCollect: false };

/** PEM files. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
  /** Certificate and key in one, as HAProxy wants it. */
  readonly bundle: string;
}

/** What every target of a service is told, so that all do the same work. */
export interface Setup {
  /** Threads of HAProxy, workers of Limpet, processes of nginx. */
  readonly workers: number;
  /** Ports of the brokers on 127.0.0.1. */
  readonly brokers: readonly number[];
  readonly service: Service;
  readonly certificate: ServerCertificate | null;
  readonly redisUrl: string | null;
}

/** What a service needs besides the brokers. Disposing of it ends and removes it. */
export interface Provisions extends AsyncDisposable {
  readonly certificate: ServerCertificate | null;
  readonly redisUrl: string | null;
}

export async function provide(service: Service): Promise<Provisions> {
  const owned = new Belongings();
  try {
    return {
      certificate: await certificateFor(service, owned),
      redisUrl: service.table === 'redis' ? owned.own(await startRedis()).url : null,
      [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
    };
  } catch (error) {
    await owned[Symbol.asyncDispose]();
    throw error;
  }
}

async function certificateFor(service: Service, owned: Belongings): Promise<ServerCertificate | null> {
  if (!service.transport.startsWith('tls')) return null;
  const authority = owned.own(await makeAuthority());
  const key = service.transport === 'tls-rsa' ? 'rsa' : 'ec';
  return authority.issue({ cn: 'localhost', names: ['localhost', 'IP:127.0.0.1'], key });
}
