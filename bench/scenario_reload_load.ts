/**
 * A process of its own (`fork`): devices that hold their connections, publish at a steady rate and come back when they are
 * sent away; and visitors, a new one at a steady pace, that only want a CONNACK. Ends with the process that started it.
 */
import { connect, type Socket } from 'node:net';
import { generate } from 'mqtt-packet';

export interface LivingLoad {
  readonly port: number;
  readonly devices: number;
  /** Messages a second of all devices together. */
  readonly messagesPerS: number;
  readonly visitEveryMs: number;
}

/** Times are milliseconds since the epoch, oldest first. */
export interface LivingReport {
  readonly messages: number;
  /** When each visitor's CONNACK came. */
  readonly connacksMs: readonly number[];
  /** What visitors got in its place. */
  readonly failures: readonly string[];
  /** When a device's connection ended, which none of them ever does by itself. */
  readonly endingsMs: readonly number[];
  /** How long each of those was away. */
  readonly awayMs: readonly number[];
  /** Devices that are not there at the end. */
  readonly missing: number;
}

/** `ready`: all devices are there and publish. `stop`: nobody publishes nor visits any more; the report follows. */
export type LivingOrder = { readonly start: LivingLoad } | { readonly stop: true };
export type LivingWord = { readonly ready: true } | { readonly report: LivingReport };

const patienceMs = 5_000;
/** A device's own pause before it comes back: those that are sent away together do not come back together. */
const pauseMs = 100;
const publishTickMs = 2;
const visitorIds = 2_000;
const publish = generate({
  cmd: 'publish',
  topic: 'bench/t',
  payload: Buffer.alloc(64, 'x'),
  qos: 0,
  dup: false,
  retain: false,
});
const disconnect = Buffer.of(0xe0, 0);
const acceptedConnack = Buffer.of(0x20, 2, 0, 0);

const nowMs = (): number => performance.timeOrigin + performance.now();
const connacksMs: number[] = [];
const failures: string[] = [];
const endingsMs: number[] = [];
const awayMs: number[] = [];
const open = new Map<number, Socket>();
let messages = 0;
let isOver = false;

process.on('disconnect', () => process.exit());
process.on('message', (order: LivingOrder) => {
  if ('start' in order) void live(order.start);
  else void stop();
});

async function live(load: LivingLoad): Promise<void> {
  for (let number = 0; number < load.devices; number += 1) await come(load.port, number);
  keepPace(load.messagesPerS, number => {
    const socket = open.get(number % load.devices);
    if (socket === undefined) return;
    socket.write(publish);
    messages += 1;
  });
  keepPace(1000 / load.visitEveryMs, number => visit(load.port, number));
  tell({ ready: true });
}

/** What was sent is with the proxy before the report goes out; visitors that are under way are waited for. */
async function stop(): Promise<void> {
  isOver = true;
  const endMs = nowMs() + patienceMs;
  while (pending > 0 && nowMs() < endMs) await new Promise(resolve => setTimeout(resolve, publishTickMs));
  tell({ report: { messages, connacksMs, failures, endingsMs, awayMs, missing: missing() } });
}

let pending = 0;
let devices = 0;
const missing = (): number => devices - open.size;

/** A device's connection, and the next one when it has ended. Resolves at its first CONNACK. */
function come(port: number, number: number): Promise<void> {
  devices = Math.max(devices, number + 1);
  return new Promise((resolve, reject) => {
    const first = ask(port, `device-${number}`, outcome => {
      if (outcome === 'accepted') {
        open.set(number, first);
        resolve();
      } else reject(new Error(`device ${number}: ${outcome}`));
    });
    first.once('close', () => leave(port, number));
  });
}

function leave(port: number, number: number): void {
  open.delete(number);
  if (isOver) return;
  endingsMs.push(nowMs());
  comeBack(port, number, nowMs());
}

function comeBack(port: number, number: number, sinceMs: number): void {
  setTimeout(() => {
    let isBack = false;
    const socket = ask(port, `device-${number}`, outcome => {
      if (outcome !== 'accepted') return;
      isBack = true;
      awayMs.push(nowMs() - sinceMs);
      open.set(number, socket);
    });
    socket.once('close', () => (isBack ? leave(port, number) : comeBack(port, number, sinceMs)));
  }, Math.random() * pauseMs);
}

function visit(port: number, number: number): void {
  pending += 1;
  const socket = ask(port, `visitor-${number % visitorIds}`, outcome => {
    pending -= 1;
    if (outcome === 'accepted') connacksMs.push(nowMs());
    else failures.push(outcome);
    socket.end(disconnect);
  });
}

/** Connects; `answered` hears once: `accepted`, or what came in its place. */
function ask(port: number, clientId: string, answered: (outcome: string) => void): Socket {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  let outcome: string | null = null;
  const settle = (word: string): void => {
    if (outcome !== null) return;
    outcome = word;
    clearTimeout(late);
    answered(word);
  };
  const late = setTimeout(() => {
    settle('late');
    socket.destroy();
  }, patienceMs);
  socket.write(generate({ cmd: 'connect', clientId, clean: true, keepalive: 60 }));
  socket.on('data', bytes =>
    settle(bytes.equals(acceptedConnack) ? 'accepted' : `refused (${bytes.toString('hex', 0, 8)})`),
  );
  socket.on('error', (error: NodeJS.ErrnoException) => settle(error.code ?? error.message));
  socket.on('close', () => settle('closed'));
  return socket;
}

/** By the clock, so that a late turn is made up for and the pace holds. */
function keepPace(perS: number, action: (number: number) => void): void {
  const startMs = performance.now();
  let number = 0;
  const turn = (): void => {
    if (isOver) return;
    const due = ((performance.now() - startMs) / 1000) * perS;
    while (number <= due) action(number++);
    setTimeout(turn, publishTickMs);
  };
  turn();
}

function tell(word: LivingWord): void {
  process.send?.(word);
}
