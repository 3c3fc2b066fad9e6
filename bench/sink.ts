/**
 * The brokers of the benchmark, as light as they can be: a child process (`fork`) that accepts every CONNECT, answers
 * what must be answered, and swallows the rest. Its CPU is not counted. It ends with the process that started it.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { PacketWalker } from './packet_walker.ts';

/** What the sink has seen so far. */
export interface SinkCounts {
  /** Connections that are open now. */
  readonly open: number;
  readonly publishes: number;
}
export type SinkMessage = { readonly ports: readonly number[] } | { readonly counts: SinkCounts };
/** The parent's side: how many brokers to open, then questions. */
export type SinkRequest = { readonly listen: number } | { readonly count: true };

const connect = 1;
const publish = 3;
const pingreq = 12;
const connack = Buffer.of(0x20, 2, 0, 0);
const pingresp = Buffer.of(0xd0, 0);
const counts = { open: 0, publishes: 0 };

process.on('disconnect', () => process.exit());
process.on('message', (request: SinkRequest) => {
  if ('count' in request) tell({ counts });
  else void listen(request.listen).then(ports => tell({ ports }));
});

function tell(message: SinkMessage): void {
  process.send?.(message);
}

async function listen(brokers: number): Promise<number[]> {
  return Promise.all(Array.from({ length: brokers }, () => listening(createServer({ noDelay: true }, serve))));
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

/** MQTT 3.1.1, clean sessions, QoS 0: what the load speaks. Whoever sends FIN gets FIN. */
function serve(socket: Socket): void {
  counts.open += 1;
  const walker = new PacketWalker(type => {
    if (type === publish) counts.publishes += 1;
    else if (type === connect) socket.write(connack);
    else if (type === pingreq) socket.write(pingresp);
  });
  socket.on('data', bytes => walker.walk(bytes));
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    counts.open -= 1;
  });
}
