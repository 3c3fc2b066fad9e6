/**
 * A server that reads PROXY headers with the program's own reader, on either relay, and what it made of each connection.
 */
import type { Endpoint } from '../../../src/endpoint.ts';
import { acceptProxy, type ProxyAccepted } from '../../../src/gate/accept_proxy.ts';
import { CidrSet } from '../../../src/gate/cidr.ts';
import type { ProxyLink } from '../../../src/gate/proxy_header.ts';
import type { Accepted } from '../../../src/listen/accepted.ts';
import { until } from '../../kit/condition.ts';
import { TestMover } from '../../kit/mover.ts';
import type { RelayKind } from '../../kit/relay_kind.ts';

export interface Arrival {
  readonly client: Accepted;
  /** Made at once, as sessions do; null: the receiver opens none. */
  readonly endpoint: Endpoint | null;
  readonly own: ProxyLink;
  readonly accepted: ProxyAccepted;
}

export interface ReceiverOptions {
  /** Default all of 127.0.0.0/8. */
  readonly trusted?: readonly string[];
  /** Default 5 s. */
  readonly timeoutMs?: number;
  /** False: the test reads the client's socket itself. Default true. */
  readonly opens?: boolean;
  /** Waited for before the first byte of a connection is read. */
  readonly before?: (client: Accepted) => Promise<unknown>;
}

/** Disposing of it drops every connection. */
export async function startReceiver(kind: RelayKind, options: ReceiverOptions = {}): Promise<Receiver> {
  const receiver = new Receiver(kind, options);
  await receiver.listen();
  return receiver;
}

export class Receiver implements AsyncDisposable {
  /** In the order in which they were decided. */
  readonly arrivals: Arrival[] = [];
  port = 0;
  readonly #mover: TestMover;
  readonly #clients = new Set<Accepted>();
  readonly #options: ReceiverOptions;

  constructor(kind: RelayKind, options: ReceiverOptions) {
    this.#mover = new TestMover(kind);
    this.#options = options;
  }

  async listen(): Promise<void> {
    const accepted = (client: Accepted): boolean => {
      void this.#accept(client);
      return true;
    };
    this.port = (await this.#mover.listen({ accepted })).port;
  }

  /** The n-th connection that was decided, counted from 1. */
  async arrival(count = 1): Promise<Arrival> {
    return await until(() => this.arrivals[count - 1], { what: `the end of ${count} PROXY headers` });
  }

  async #accept(client: Accepted): Promise<void> {
    this.#clients.add(client);
    const { trusted = ['127.0.0.0/8'], timeoutMs = 5000, before } = this.#options;
    const own = { source: client.source ?? { address: '', port: 0 }, destination: client.destination };
    await before?.(client);
    const options = { trusted: new CidrSet(trusted), timeoutMs, wheel: this.#mover.wheel };
    const accepted = await acceptProxy(client.header(), own, options);
    const isOpen = accepted.kind === 'accepted' && this.#options.opens !== false;
    this.arrivals.push({ client, endpoint: isOpen ? client.open(accepted.headerBytes) : null, own, accepted });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    this.#mover[Symbol.dispose]();
  }
}

/** What the next reader of an arrival gets, until it ends; and how many bytes are counted of it. */
export async function readAll({ endpoint }: Arrival): Promise<{ text: string; bytesIn: number }> {
  if (endpoint === null) throw new Error('there is no endpoint to read');
  const bytes = await allOf(endpoint);
  return { text: bytes.toString('latin1'), bytesIn: endpoint.bytesIn };
}

function allOf(endpoint: Endpoint): Promise<Buffer> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    endpoint.attach({
      bytes: chunk => chunks.push(chunk),
      drained() {},
      ended: () => resolve(Buffer.concat(chunks)),
      closed: code => reject(new Error(`closed (${code}) before its end`)),
    });
    endpoint.resume();
  });
}
