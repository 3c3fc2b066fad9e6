/**
 * A HAProxy and a Limpet that are configured alike, to be compared: frontend `mqtt` with two brokers behind it, `flaky`
 * whose first server is not there, and `closed`, where nobody may come in.
 */
import { Belongings } from './belongings.ts';
import { makeDirectory } from './directory.ts';
import { faceAddress } from './faces.ts';
import { startHaproxy } from './haproxy.ts';
import { startLimpet } from './limpet.ts';
import { type Mosquitto, startMosquitto } from './mosquitto.ts';
import { freePort } from './port.ts';
import { readStats, type StatRow } from './stat_csv.ts';

export type TwinFrontend = 'mqtt' | 'flaky' | 'closed';

export interface Twin extends AsyncDisposable {
  readonly brokers: { readonly b1: Mosquitto; readonly b2: Mosquitto };
  /** `127.0.0.1:PORT` of its servers → what it is, for each twin has ports of its own. */
  readonly places: ReadonlyMap<string, string>;
  port(frontend: TwinFrontend): number;
  /** What `show stat` says now, by `pxname/svname`. */
  stats(): Promise<Map<string, StatRow>>;
}

interface Twinned {
  readonly things: Belongings;
  readonly brokers: Twin['brokers'];
  /** Where nobody listens. */
  readonly deadPort: number;
}

const flakyRetries = 3;

export function startHaproxyTwin(): Promise<Twin> {
  return twin(async ({ things, brokers, deadPort }) => {
    const [flakyPort, closedPort] = [await freePort(), await freePort()];
    const configure = (port: number): string =>
      haproxyConfig(brokers, deadPort, { mqtt: port, flaky: flakyPort, closed: closedPort });
    const haproxy = things.own(await startHaproxy(configure));
    const ports = { mqtt: haproxy.port, flaky: flakyPort, closed: closedPort };
    return { port: name => ports[name], stats: async () => readStats(await haproxy.runtime('show stat')) };
  });
}

export function startLimpetTwin(): Promise<Twin> {
  return twin(async ({ things, brokers, deadPort }) => {
    const limpet = things.own(await startLimpet(limpetConfig(brokers, deadPort)));
    const stats = async (): Promise<string> => (await fetch(`http://${faceAddress(limpet, 'stats')}/stats;csv`)).text();
    return { port: name => limpet.port(name), stats: async () => readStats(await stats()) };
  });
}

/** Disposing of it ends the proxy and its brokers. */
async function twin(start: (twinned: Twinned) => Promise<Pick<Twin, 'port' | 'stats'>>): Promise<Twin> {
  await using things = new Belongings();
  const directory = things.own(await makeDirectory('twins'));
  // Whoever says a user name is refused, for nobody is in the file.
  const config = [`password_file ${directory.write('passwords', '')}`];
  const brokers = {
    b1: things.own(await startMosquitto({ config })),
    b2: things.own(await startMosquitto({ config })),
  };
  const deadPort = await freePort();
  const faces = await start({ things, brokers, deadPort });
  const ports = { b1: brokers.b1.port, b2: brokers.b2.port, dead: deadPort };
  const places = new Map(Object.entries(ports).map(([what, port]) => [`127.0.0.1:${port}`, what]));
  const owned = things.move();
  return { brokers, places, ...faces, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}

function haproxyConfig(
  { b1, b2 }: Twin['brokers'],
  deadPort: number,
  ports: Readonly<Record<TwinFrontend, number>>,
): string {
  return `defaults
  mode tcp
  maxconn 500
  option contstats
  option redispatch 1
  retries ${flakyRetries}
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend mqtt
  bind 127.0.0.1:${ports.mqtt}
  tcp-request inspect-delay 5s
  tcp-request content reject unless { req.payload(0,0),mqtt_is_valid }
  default_backend brokers
frontend flaky
  bind 127.0.0.1:${ports.flaky}
  tcp-request inspect-delay 5s
  tcp-request content reject unless { req.payload(0,0),mqtt_is_valid }
  default_backend flaky
frontend closed
  bind 127.0.0.1:${ports.closed}
  tcp-request connection reject
  default_backend brokers
backend brokers
  stick-table type string len 128 size 100k expire 30m
  stick on req.payload(0,0),mqtt_field_value(connect,client_identifier)
  default-server check inter 300ms fall 2 rise 1
  server b1 127.0.0.1:${b1.port} weight 10 maxconn 100
  server b2 127.0.0.1:${b2.port} weight 10
backend flaky
  server dead 127.0.0.1:${deadPort} weight 3
  server spare 127.0.0.1:${b1.port}`;
}

function limpetConfig({ b1, b2 }: Twin['brokers'], deadPort: number): object {
  const bind = '127.0.0.1:0';
  return {
    global: { name: 'lb', workers: 2, stats: { bind } },
    defaults: { retries: flakyRetries },
    frontends: {
      mqtt: { bind, maxconn: 500, default_backend: 'brokers' },
      flaky: { bind, maxconn: 500, default_backend: 'flaky' },
      closed: { bind, maxconn: 500, deny: ['127.0.0.0/8'], default_backend: 'brokers' },
    },
    backends: {
      brokers: {
        stick: { on: 'client_id', size: '100k', expire: '30m' },
        check: { type: 'tcp', inter: '300ms', fall: 2, rise: 1 },
        servers: {
          b1: { address: `127.0.0.1:${b1.port}`, weight: 10, maxconn: 100 },
          b2: { address: `127.0.0.1:${b2.port}`, weight: 10 },
        },
      },
      flaky: {
        stick: false,
        check: false,
        servers: { dead: { address: `127.0.0.1:${deadPort}`, weight: 3 }, spare: `127.0.0.1:${b1.port}` },
      },
    },
  };
}
