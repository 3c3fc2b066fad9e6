import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningProxy, startProxy } from '@limpet/proxy';
import { EXIT } from '../exit_code.ts';
import { StopSignals } from '../signals.ts';
import { Arrivals } from './arrivals.ts';
import { type DemoBrokers, startBrokers } from './brokers.ts';
import { DemoClients } from './clients.ts';
import { demoConfig, demoSocket } from './config.ts';
import { strays } from './landing.ts';
import { freePort } from './port.ts';
import { arrivalLine, type Faces, homecoming, introduction, landingTable, nextSteps } from './words.ts';

const BROKERS = 3;
/** Where the stats page is, if nobody else is there. */
const STATS_PORT = 8888;

export interface DemoOptions {
  /** Clients of its own that the demo connects; 0: none. */
  readonly clients: number;
  /** The wished port of the proxy; 0: any. */
  readonly port: number;
  /** All log lines of the proxy, not the warnings only. */
  readonly verbose: boolean;
}

interface Scene {
  readonly ids: readonly string[];
  readonly clients: DemoClients;
  readonly arrivals: Arrivals;
  readonly brokers: DemoBrokers;
  readonly port: number;
  readonly faces: Faces;
}

/**
 * Brokers, proxy and clients, until a signal ends them. The exit code: 0 after a signal, 1 when a client did not come
 * home, else the proxy's own. When it returns nothing of it is left running.
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  const ids = clientIds(options.clients);
  const arrivals = new Arrivals();
  const wished = await freePort(options.port);
  await using brokers = await startBrokers(BROKERS, tellArrivals(arrivals, new Set(ids)));
  using folder = demoFolder();
  const statsPort = options.port === 0 ? 0 : await freePort(STATS_PORT);
  const { verbose, clients: own } = options;
  const setting = { brokers: brokers.list, port: wished, statsPort, folder: folder.path, verbose, clients: own };
  const proxy = await startProxy(await demoConfig(setting));
  using signals = new StopSignals(() => proxy.kill());
  const port = proxy.binds[0]?.port ?? wished;
  const clients = new DemoClients(port);
  const over = Promise.race([signals.first.then(() => EXIT.ok), proxy.finished]);
  try {
    console.log(introduction(port, options.port, brokers.list));
    const allHome = await Promise.race([
      over.then(() => true),
      present({
        ids,
        clients,
        arrivals,
        brokers,
        port,
        faces: { page: pageOf(proxy), socket: demoSocket(folder.path) },
      }),
    ]);
    return allHome ? await over : EXIT.failed;
  } finally {
    // The clients leave first: a proxy that stops waits for its sessions.
    await clients.drop();
    await proxy.stop();
    await proxy.finished;
  }
}

/** Shows what there is to see, and says what to type next. False: a client did not come home. */
async function present(scene: Scene): Promise<boolean> {
  const lost = scene.ids.length === 0 ? 0 : await leaveAndReturn(scene);
  if (lost === 0) console.log(nextSteps(scene.port, scene.faces));
  return lost === 0;
}

/** All clients connect, leave, and connect again; answers how many did not come home. */
async function leaveAndReturn({ ids, clients, arrivals, brokers }: Scene): Promise<number> {
  const names = brokers.list.map(broker => broker.name);
  await clients.connect(ids);
  const first = arrivals.take(ids);
  console.log(`${landingTable(first, names)}\n`);
  await clients.disconnect();
  // In the opposite order: in the same one, round robin alone could bring everybody to the same place again.
  await clients.connect(ids.toReversed());
  const lost = strays(first, arrivals.take(ids));
  console.log(`All ${ids.length} left and connected again: ${homecoming(ids.length, lost)}`);
  return lost.length;
}

function tellArrivals(arrivals: Arrivals, own: ReadonlySet<string>): (id: string, broker: string) => void {
  return (id, broker) => {
    const arrival = arrivals.note(id, broker);
    if (arrival !== null && !own.has(id)) console.log(arrivalLine(arrival));
  };
}

/** `demo-01` … `demo-30`: of one width, so that they sort. */
function clientIds(count: number): string[] {
  const width = String(count).length;
  return Array.from({ length: count }, (_, index) => `demo-${String(index + 1).padStart(width, '0')}`);
}

function pageOf(proxy: RunningProxy): string {
  const stats = proxy.faces.find(({ face }) => face === 'stats');
  return `http://${stats?.address ?? ''}/stats`;
}

/** A folder of this user's, gone with the demo. */
function demoFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'limpet-demo-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
