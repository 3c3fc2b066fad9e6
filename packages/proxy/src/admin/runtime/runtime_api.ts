import type { RuntimeApiConfig } from '../../config/resolved.ts';
import type { Log } from '../../log.ts';
import type { ApiHandler } from '../api/contract.ts';
import type { Control } from '../control.ts';
import { Door, type House } from './door.ts';

/** HAProxy's text commands on unix sockets and loopback TCP. Whoever started it closes it. */
export interface RuntimeApi {
  /** Paths and `host:port`, as they really are. */
  readonly listening: readonly string[];
  /**
   * Opens what is new, then releases what is gone: its clients are sent away. Sockets that stay keep their clients; a level
   * that is lower now is theirs too.
   * @throws LimpetError; then the same sockets listen as before
   */
  reconfigure(configs: readonly RuntimeApiConfig[]): Promise<void>;
  /** Sends all clients away. A socket file is removed if it is still ours. */
  close(): Promise<void>;
}

/** @throws LimpetError RUNTIME_API_IN_USE, RUNTIME_API_PATH, RUNTIME_API_OWNER; then nothing listens */
export async function startRuntimeApi(
  configs: readonly RuntimeApiConfig[],
  control: Control,
  api: ApiHandler,
  log: Log,
): Promise<RuntimeApi> {
  const doors = new Doors({ control, api, log });
  await doors.reconfigure(configs);
  return doors;
}

class Doors implements RuntimeApi {
  readonly #house: House;
  #doors: ReadonlyMap<string, Door> = new Map();
  /** Released by a reload; some still answer a command. */
  #released: readonly Door[] = [];

  constructor(house: House) {
    this.#house = house;
  }

  get listening(): readonly string[] {
    return [...this.#doors.values()].map(({ address }) => address);
  }

  async reconfigure(configs: readonly RuntimeApiConfig[]): Promise<void> {
    const wanted = keyed(configs);
    const opened = await this.#openNew(wanted);
    const before = this.#doors;
    try {
      for (const [key, config] of wanted) await before.get(key)?.change(config);
    } catch (error) {
      await Promise.all([...opened.values()].map(door => door.close()));
      throw error;
    }
    const entries = [...wanted.keys()].map(key => [key, opened.get(key) ?? before.get(key)] as const);
    this.#doors = new Map(entries.flatMap(([key, door]) => (door === undefined ? [] : [[key, door]])));
    const gone = [...before].flatMap(([key, door]) => (wanted.has(key) ? [] : [door]));
    await Promise.all(gone.map(door => door.release()));
    this.#released = [...this.#released, ...gone].filter(door => door.hasClients);
  }

  async close(): Promise<void> {
    const doors = [...this.#doors.values(), ...this.#released];
    this.#doors = new Map();
    this.#released = [];
    await Promise.all(doors.map(door => door.close()));
  }

  /** All of them, or none. */
  async #openNew(wanted: ReadonlyMap<string, RuntimeApiConfig>): Promise<ReadonlyMap<string, Door>> {
    const opened = new Map<string, Door>();
    try {
      for (const [key, config] of wanted) {
        if (!this.#doors.has(key)) opened.set(key, await Door.open(config, this.#house));
      }
    } catch (error) {
      await Promise.all([...opened.values()].map(door => door.close()));
      throw error;
    }
    return opened;
  }
}

/** What makes two configurations the same socket. Several of port 0 are told apart by their order. */
function keyed(configs: readonly RuntimeApiConfig[]): ReadonlyMap<string, RuntimeApiConfig> {
  const byKey = new Map<string, RuntimeApiConfig>();
  for (const config of configs) {
    const { listen } = config;
    const name = listen.kind === 'unix' ? listen.path : `${listen.host}:${listen.port}`;
    let key = name;
    for (let again = 1; byKey.has(key); again++) key = `${name}#${again}`;
    byKey.set(key, config);
  }
  return byKey;
}
