import { createServer, type Server } from 'node:net';
import type { VipPlace } from '../config/place.ts';

/** That no other instance runs here. It ends with the process, however that ends. */
export interface InstanceLock {
  unlock(): void;
}

/**
 * Claims the name and the addresses of an instance on this host: abstract unix sockets, which belong to the network
 * namespace, as the addresses do. Null: another instance has one of them, and nothing is claimed.
 */
export async function lockInstance({
  name,
  addresses,
}: Pick<VipPlace, 'name' | 'addresses'>): Promise<InstanceLock | null> {
  const servers: Server[] = [];
  const unlock = (): void => {
    for (const server of servers.splice(0)) server.close();
  };
  for (const key of [name, ...addresses.map(({ address }) => `address:${address}`)]) {
    const server = await claim(`\0limpet-vip:${key}`);
    if (server === null) {
      unlock();
      return null;
    }
    servers.push(server);
  }
  return { unlock };
}

/** @throws the system's error, where it is another one than that the name is taken */
function claim(path: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    // Nobody has anything to say here.
    const server = createServer(socket => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen({ path }, () => resolve(server.unref()));
  });
}
