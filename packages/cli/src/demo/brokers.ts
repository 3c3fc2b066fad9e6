import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { Aedes, type AedesOptions } from 'aedes';
import mqemitter from 'mqemitter';

/** One of the demo's brokers: MQTT 3.1 and 3.1.1 on a port of loopback that the kernel chose. */
export interface DemoBroker {
  readonly name: string;
  readonly port: number;
}

/** The demo's brokers. Disposing closes their connections and ports. */
export interface DemoBrokers extends AsyncDisposable {
  readonly list: readonly DemoBroker[];
}

/** Told before the broker answers the client's CONNECT. */
export type OnLanded = (clientId: string, broker: string) => void;

/**
 * Starts `count` brokers that behave as one cluster: they share one message bus and one store, so a message published
 * on one reaches subscribers on all, a session is found on each, and an id that connects to a second broker is closed
 * on the first.
 */
export async function startBrokers(count: number, onLanded: OnLanded): Promise<DemoBrokers> {
  const mq = mqemitter();
  const nodes: Node[] = [];
  let persistence: unknown;
  for (let number = 1; number <= count; number += 1) {
    const name = `broker${number}`;
    const node = await startNode(
      name,
      { id: name, mq, ...(persistence === undefined ? {} : { persistence }) },
      onLanded,
    );
    persistence = storeOf(node.aedes);
    nodes.push(node);
  }
  return {
    list: nodes.map(({ name, port }) => ({ name, port })),
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map(closeNode));
    },
  };
}

interface Node extends DemoBroker {
  readonly aedes: Aedes;
  readonly server: Server;
}

async function startNode(name: string, options: AedesOptions, onLanded: OnLanded): Promise<Node> {
  const aedes = await Aedes.createBroker(options);
  aedes.on('client', client => onLanded(client.id, name));
  const server = createServer(socket => aedes.handle(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { name, port: (server.address() as AddressInfo).port, aedes, server };
}

/** The in-memory store that the first broker made for itself; the type declarations of aedes leave it out. */
function storeOf(aedes: Aedes): unknown {
  return (aedes as Aedes & { readonly persistence: unknown }).persistence;
}

async function closeNode(node: Node): Promise<void> {
  const closed = once(node.server, 'close');
  node.server.close();
  await new Promise<void>(resolve => node.aedes.close(resolve));
  await closed;
}
