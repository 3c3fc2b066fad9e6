/**
 * Clients with a Will that come back when they are sent away, as devices do. A polite one says DISCONNECT when it is told
 * to leave; the others close without a word.
 */
import { connect, type Socket } from 'node:net';
import { generate } from 'mqtt-packet';
import { until } from './condition.ts';

export interface HomingOptions {
  readonly port: number;
  readonly clientId: string;
  readonly version: 4 | 5;
  readonly isPolite: boolean;
  /** How long it is away. */
  readonly awayMs: number;
}

const disconnect = Buffer.from([0xe0, 0]);
const connackLength = { 4: 4, 5: 5 } as const;

export class HomingClient implements Disposable {
  readonly options: HomingOptions;
  /** It has its CONNACK and no end since. */
  isIn = false;
  /** `Date.now()` and reason of each time that it was told to leave; null: closed without a word. */
  readonly told: { readonly atMs: number; readonly reason: number | null }[] = [];
  #socket: Socket | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(options: HomingOptions) {
    this.options = options;
    this.#connect();
  }

  #connect(): void {
    const { port, clientId, version } = this.options;
    const socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true });
    this.#socket = socket;
    const will = { topic: `will/${clientId}`, payload: Buffer.from('gone'), qos: 0 as const, retain: false };
    const protocol = { protocolId: 'MQTT' as const, protocolVersion: version };
    socket.on('connect', () => {
      socket.write(generate({ cmd: 'connect', clientId, clean: true, keepalive: 0, will, ...protocol }));
    });
    let got = Buffer.alloc(0);
    socket.on('data', chunk => {
      got = Buffer.concat([got, chunk]);
      this.isIn ||= got.length >= connackLength[version];
    });
    socket.on('end', () => {
      if (this.isIn) this.#leave(socket, got);
      socket.end();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isIn = false;
      if (!this.#isOver) this.#timer = setTimeout(() => this.#connect(), this.options.awayMs);
    });
  }

  #leave(socket: Socket, got: Buffer): void {
    const isTold = got.at(-4) === 0xe0 && got.length > connackLength[this.options.version];
    this.told.push({ atMs: Date.now(), reason: isTold ? (got.at(-2) ?? null) : null });
    if (this.options.isPolite) socket.write(disconnect);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
  }
}

/** Three thousand connect, or come back, within that on a busy machine. */
const ALL_IN_MS = 60_000;

/** `device-0`, `device-1`, …: every second one MQTT 5.0, and of both versions every tenth one polite. */
export class HomingCrowd implements Disposable {
  readonly all: readonly HomingClient[];

  constructor(port: number, count: number) {
    this.all = Array.from({ length: count }, (_, i) => {
      const isPolite = Math.floor(i / 2) % 10 === 0;
      const version = i % 2 === 0 ? 4 : 5;
      return new HomingClient({ port, clientId: `device-${i}`, version, isPolite, awayMs: 20 + (i % 200) });
    });
  }

  /** How often anybody was told to leave. */
  get told(): number {
    return this.all.reduce((sum, one) => sum + one.told.length, 0);
  }

  /** The topics of the Wills of those who left without a DISCONNECT of their own, once for each time; sorted. */
  willTopics(): string[] {
    const rude = this.all.filter(({ options }) => !options.isPolite);
    return rude.flatMap(({ told, options }) => told.map(() => `will/${options.clientId}`)).sort();
  }

  async allIn(): Promise<void> {
    const isIn = (): boolean => this.all.every(one => one.isIn);
    await until(isIn, { what: `${this.all.length} clients that are in`, timeoutMs: ALL_IN_MS });
  }

  [Symbol.dispose](): void {
    for (const one of this.all) one[Symbol.dispose]();
  }
}
