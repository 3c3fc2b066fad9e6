/**
 * All faces of a proxy that runs, asked for what they say now.
 */
import type { PageView } from '../../src/admin/page/page_view.ts';
import { until } from './condition.ts';
import type { Limpet } from './limpet.ts';
import { askRuntime } from './runtime_api.ts';
import { readStats, type StatRow } from './stat_csv.ts';

/** A scope as `/api/v1` tells it. */
export interface ApiScope {
  readonly sessions: number;
  readonly sessions_max: number;
  readonly rate: number;
  readonly rate_max: number;
  readonly counts: Readonly<Record<string, number>>;
}

export interface ApiServer extends ApiScope {
  readonly name: string;
  readonly conns: number;
  readonly connect: { readonly count: number; readonly sum_ms: number };
  readonly connack: { readonly count: number; readonly sum_ms: number };
}

interface ApiFacts {
  readonly info: ApiScope;
  readonly frontends: readonly (ApiScope & {
    readonly name: string;
    readonly binds: readonly (ApiScope & { readonly label: string; readonly address: string; readonly port: number })[];
  })[];
  readonly backends: readonly (ApiServer & { readonly servers: readonly ApiServer[] })[];
  readonly workers: readonly (ApiScope & { readonly name: string; readonly pid: number })[];
}

/** The statistics in each of their shapes, all by `pxname/svname` and without empty cells. */
interface StatShapes {
  readonly runtimeCsv: Map<string, StatRow>;
  readonly runtimeTyped: Map<string, StatRow>;
  readonly runtimeJson: Map<string, StatRow>;
  readonly httpCsv: Map<string, StatRow>;
  readonly httpJson: Map<string, StatRow>;
}

/** `name{label="value"}` → value, of the families of this proxy. */
type Metrics = ReadonlyMap<string, number>;

export interface Faces {
  readonly api: ApiFacts;
  /** The same over the runtime API. */
  readonly runtimeBackends: ApiFacts['backends'];
  readonly stats: StatShapes;
  readonly info: Readonly<Record<'text' | 'typed' | 'json', StatRow>>;
  /** `show activity`: name → a number for each worker, the sum first. */
  readonly activity: Readonly<Record<string, readonly number[]>>;
  readonly metrics: Metrics;
  readonly page: PageView;
}

/** The address that a face was told to listen at. */
export function faceAddress(limpet: Limpet, face: 'runtime_api' | 'stats', place = 0): string {
  const told = limpet.events(({ event, face: its }) => event === 'admin_listening' && its === face);
  const address = told[place]?.address;
  if (address === undefined) throw new Error(`there is no ${face} ${place}`);
  return String(address);
}

/** Asks them all, one after the other. */
export async function askFaces(limpet: Limpet): Promise<Faces> {
  const http = (path: string): Promise<Response> => fetch(`http://${faceAddress(limpet, 'stats')}${path}`);
  const page = async (path: string): Promise<string> => (await http(path)).text();
  const runtime = (command: string): Promise<string> => askRuntime(faceAddress(limpet, 'runtime_api'), command);
  return {
    api: await askApi(limpet),
    runtimeBackends: answerOf(await runtime('api GET /backends')).backends,
    stats: {
      runtimeCsv: withoutEmpty(readStats(await runtime('show stat'))),
      runtimeTyped: typedStats(await runtime('show stat typed')),
      runtimeJson: jsonStats(await runtime('show stat json')),
      httpCsv: withoutEmpty(readStats(await page('/stats;csv'))),
      httpJson: jsonStats(await page('/stats;json')),
    },
    info: {
      text: namedLines(await runtime('show info'), /^([^:]+): (.*)$/),
      typed: namedLines(await runtime('show info typed'), /^\d+\.([^.]+)\.1:\w+:\w+:(.*)$/),
      json: jsonFields(JSON.parse(await runtime('show info json'))),
    },
    activity: activityOf(await runtime('show activity')),
    metrics: readMetrics(await page('/metrics')),
    page: await firstSnapshot(await http('/stats/events')),
  };
}

async function askApi(limpet: Limpet): Promise<ApiFacts> {
  const get = async (path: string) =>
    (await fetch(`http://${faceAddress(limpet, 'stats')}/api/v1${path}`)).json() as Promise<never>;
  return {
    info: await get('/info'),
    ...((await get('/frontends')) as Pick<ApiFacts, 'frontends'>),
    ...((await get('/backends')) as Pick<ApiFacts, 'backends'>),
    ...((await get('/workers')) as Pick<ApiFacts, 'workers'>),
  };
}

/** The time, and what a process does even while nobody is there. */
const ALWAYS_NEW = /^at_ms$|^loop_delay/;

/** What is to be known of at least: a worker tells what it has counted some eight times a second, where it gets its turn. */
export interface Known {
  readonly sessions: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Resolves with faces between whose first and last nothing has changed, not even a rate, as soon as that is known. */
export async function settledFaces(limpet: Limpet, known: Known): Promise<Faces> {
  const expected = JSON.stringify(known);
  let before = '';
  return await until(
    async () => {
      const { sessions, counts } = (await askApi(limpet)).info;
      before = JSON.stringify({ sessions, bytesIn: counts.bytes_in, bytesOut: counts.bytes_out });
      if (before !== expected) return null;
      const faces = await askFaces(limpet);
      return stillText(await askApi(limpet)) === stillText(faces.api) && faces;
    },
    { what: `${expected}, and rest`, timeoutMs: 20_000, seen: () => before },
  );
}

function stillText(api: ApiFacts): string {
  return JSON.stringify(api, (key, value) => (ALWAYS_NEW.test(key) ? 0 : value));
}

/** The JSON behind the status. */
function answerOf(text: string): ApiFacts {
  if (!text.startsWith('200\n')) throw new Error(`api answered ${text.slice(0, 200)}`);
  return JSON.parse(text.slice(4)) as ApiFacts;
}

function withoutEmpty(stats: Map<string, StatRow>): Map<string, StatRow> {
  const filled = ([column, cell]: [string, string]): boolean => cell !== '' && column !== '-';
  return new Map([...stats].map(([name, row]) => [name, Object.fromEntries(Object.entries(row).filter(filled))]));
}

/** `S.3.1.4.scur.1:MGP:u32:0`. */
function typedStats(text: string): Map<string, StatRow> {
  const rows = new Map<string, Record<string, string>>();
  for (const line of text.split('\n')) {
    const [, row, column, cell] = /^([FBS]\.\d+\.\d+)\.\d+\.([^.]+)\.1:\w+:\w+:(.*)$/.exec(line) ?? [];
    if (row === undefined || column === undefined || cell === undefined) continue;
    const known = rows.get(row) ?? {};
    known[column] = cell;
    rows.set(row, known);
  }
  return byName([...rows.values()]);
}

interface JsonField {
  readonly field: { readonly name: string };
  readonly value: { readonly value: string | number };
}

function jsonStats(text: string): Map<string, StatRow> {
  return byName((JSON.parse(text) as JsonField[][]).map(jsonFields));
}

function jsonFields(fields: readonly JsonField[]): StatRow {
  return Object.fromEntries(fields.map(({ field, value }) => [field.name, String(value.value)]));
}

function byName(rows: readonly StatRow[]): Map<string, StatRow> {
  return withoutEmpty(new Map(rows.map(row => [`${row.pxname}/${row.svname}`, row])));
}

function namedLines(text: string, line: RegExp): StatRow {
  const found = text.split('\n').flatMap(one => {
    const [, name, value] = line.exec(one) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(found);
}

/** `sessions: 5 [ 2 3 ]`. */
function activityOf(text: string): Faces['activity'] {
  const found = text.split('\n').flatMap(line => {
    const [, name, sum, each] = /^(\w+): (\d+) \[ ([\d ]+) \]$/.exec(line) ?? [];
    return name === undefined || each === undefined ? [] : [[name, [sum, ...each.split(' ')].map(Number)] as const];
  });
  return Object.fromEntries(found);
}

function readMetrics(text: string): Metrics {
  const samples = text.split('\n').flatMap(line => {
    const [, name, value] = /^(limpet_(?!primary)\w+(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, Number(value)] as const];
  });
  return new Map(samples);
}

/** What the page is told first; then it hangs up. */
async function firstSnapshot(response: Response): Promise<PageView> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    const [, data] = /^event: snapshot\ndata: (.*)\n\n/.exec(text) ?? [];
    if (data !== undefined) return JSON.parse(data) as PageView;
  }
  throw new Error(`the stream ended: ${text.slice(0, 200)}`);
}
