import { MemoryTable, type StickTimes, serveTable, type TableCall, type TableCast } from '@limpet/state';
import { ErrorRing } from '../account/error_ring.ts';
import { Ledger } from '../account/ledger.ts';
import { serverScope } from '../account/scope_names.ts';
import type { Config, PaceConfig } from '../config/resolved.ts';
import { FrontendLeases } from '../gate/frontend_leases.ts';
import type { GateAnswer } from '../gate/gate_answer.ts';
import { Gatekeeper } from '../gate/gatekeeper.ts';
import { Leases } from '../listen/leases.ts';
import { type PlacedBackend, Placer } from '../route/placer.ts';
import type { ServerStatus } from '../route/scheduler.ts';
import { PlacedBackends } from './placed_backends.ts';
import type { ToPrimary, ToWorker } from './wire.ts';

/** The way to the workers. */
export interface WorkersLine {
  tell(worker: number, message: ToWorker): void;
  tellAll(message: ToWorker): void;
}

/** Who asks. */
export interface Caller {
  readonly id: number;
  say(message: ToWorker): void;
}

/** Where sessions are that this process does not have: in the process before this one, or in other proxies. */
export type Elsewhere = 'predecessor' | 'proxies';

/** Of a table that nothing stays in. */
const NO_TIMES: StickTimes = { pendingMs: 1, expireMs: 1 };

/** A worker's name in the stick table: `lb1/2`. */
export function workerName(config: Pick<Config, 'global'>, id: number): string {
  return `${config.global.name}/${id}`;
}

/**
 * Answers what workers ask for their sessions: which server is next, who may come in and when, what the primary's own
 * stick tables hold. Every truth that must be one is here, so nothing here waits for anything.
 */
export class FrontDesk {
  readonly #config: Pick<Config, 'global'>;
  readonly ledger: Ledger = new Ledger();
  readonly errors: ErrorRing = new ErrorRing();
  readonly #backends: PlacedBackends = new PlacedBackends({
    conns: (backend, server) => this.conns(backend, server),
    load: (backend, server) => this.load(backend, server),
  });
  readonly #elsewhere: Record<Elsewhere, ReadonlyMap<string, number>> = { predecessor: new Map(), proxies: new Map() };
  readonly #placer: Placer;
  /** worker → its name in the tables. */
  readonly #owners = new Map<number, string>();
  readonly #leases: Leases;
  readonly #frontendLeases: FrontendLeases;
  readonly #gatekeeper: Gatekeeper;

  constructor(config: Config, workers: WorkersLine) {
    this.#config = config;
    this.ledger.configure(config);
    this.#backends.reconfigure(config);
    this.#placer = new Placer(this.#backends.byName, this.ledger);
    this.#leases = new Leases(config.global.maxconn, {
      grant: (worker, count) => workers.tell(worker, ['lease', count, null]),
      recall: () => workers.tellAll(['recall', null]),
    });
    this.#frontendLeases = new FrontendLeases(config, {
      grant: (worker, frontend, count) => workers.tell(worker, ['lease', count, frontend]),
      recall: frontend => workers.tellAll(['recall', frontend]),
    });
    this.#gatekeeper = new Gatekeeper(config);
  }

  /** Goes over to another configuration, before any worker does. Who waits keeps waiting, and every count stays. */
  reconfigure(config: Config): void {
    this.ledger.configure(config);
    this.#backends.reconfigure(config);
    this.#leases.setLimit(config.global.maxconn);
    this.#frontendLeases.reconfigure(config);
    this.#gatekeeper.reconfigure(config);
  }

  /** Schedulers and tables, by backend. */
  get backends(): ReadonlyMap<string, PlacedBackend> {
    return this.#backends.byName;
  }

  /** `backend/server` → sessions that are there: the scheduler counts them too. Replaces what was said of there before. */
  setElsewhere(where: Elsewhere, conns: ReadonlyMap<string, number>): void {
    this.#elsewhere[where] = conns;
  }

  /** Sessions that are in the process before this one. */
  get predecessorSessions(): number {
    return [...this.#elsewhere.predecessor.values()].reduce((sum, conns) => sum + conns, 0);
  }

  /** Sessions of a server now, in this proxy: this process and the one before it. */
  conns(backend: string, server: string): number {
    return this.ledger.conns(backend, server) + this.#connsIn('predecessor', backend, server);
  }

  /** Sessions of a server now, in all proxies, as the scheduler counts them. */
  load(backend: string, server: string): number {
    return this.conns(backend, server) + this.#connsIn('proxies', backend, server);
  }

  /** `Gatekeeper.takeOver`: the pace of all CONNECTs after this proxy has become active. */
  takeOver(pace: PaceConfig | null): void {
    this.#gatekeeper.takeOver(pace);
  }

  /** CONNECTs that wait for that. */
  get waitingForTakeover(): number {
    return this.#gatekeeper.waitingForTakeover;
  }

  /** CONNECTs and connections that wait for their turn. */
  get waiting(): number {
    return this.#gatekeeper.waiting;
  }

  said(worker: Caller, message: ToPrimary): void {
    switch (message[0]) {
      case 'place':
        this.#place(worker, message);
        break;
      case 'pin':
      case 'unpin':
      case 'end':
        this.#pin(worker, message);
        break;
      case 'use':
        this.ledger.use(worker.id, message[1], message[2], message[3]);
        break;
      case 'free':
        this.ledger.free(worker.id, message[1]);
        break;
      case 'tally':
        this.ledger.tally(worker.id, message[1]);
        break;
      case 'bad_connect':
        this.errors.add(message[1]);
        break;
      case 'table':
        this.#table(worker, message[1], message[2], message[3]);
        break;
      case 'lease':
      case 'unlease':
        this.#lease(worker, message);
        break;
      case 'enter':
      case 'pace':
      case 'leave':
        this.#gate(worker, message);
        break;
      default:
    }
  }

  /** What checks and the resolver say of a backend's servers. */
  update(backend: string, statuses: readonly ServerStatus[]): void {
    this.#backends.update(backend, statuses);
  }

  /** Takes back all that a dead worker had; answers how many sessions. */
  workerGone({ id }: Pick<Caller, 'id'>): number {
    const sessions = this.ledger.workerGone(id);
    this.#leases.workerGone(id);
    this.#frontendLeases.workerGone(id);
    this.#gatekeeper.workerGone(id);
    this.#backends.ownerGone(this.#ownerOf({ id }));
    this.#owners.delete(id);
    return sessions;
  }

  #place(worker: Caller, message: Extract<ToPrimary, readonly ['place', ...unknown[]]>): void {
    const [, call, session, backend, key, source, exclude, want] = message;
    const asker = { id: worker.id, owner: this.#ownerOf(worker) };
    const placed = this.#placer.place(asker, { session, backend, key, source, exclude, want });
    if (placed.server === null) worker.say(['nobody', call, placed.why]);
    else worker.say(['placed', call, placed.server, placed.stick, placed.displaced]);
  }

  #pin(
    worker: Caller,
    [word, session, backend, key, server]: Extract<ToPrimary, readonly ['pin' | 'unpin' | 'end', ...unknown[]]>,
  ): void {
    if (word === 'end') this.ledger.free(worker.id, session);
    const pin = { key, server, by: { owner: this.#ownerOf(worker), epoch: session } };
    this.#backends.byName.get(backend)?.table?.[word === 'pin' ? 'confirm' : 'release'](pin);
  }

  /** Made once for each worker: the tables look it up at each word. */
  #ownerOf({ id }: Pick<Caller, 'id'>): string {
    const known = this.#owners.get(id);
    if (known !== undefined) return known;
    const owner = workerName(this.#config, id);
    this.#owners.set(id, owner);
    return owner;
  }

  #connsIn(where: Elsewhere, backend: string, server: string): number {
    return this.#elsewhere[where].get(serverScope(backend, server)) ?? 0;
  }

  #lease(
    worker: Caller,
    [word, count, frontend]: Extract<ToPrimary, readonly ['lease' | 'unlease', ...unknown[]]>,
  ): void {
    const isAsked = word === 'lease';
    if (frontend === null) this.#leases[isAsked ? 'ask' : 'giveBack'](worker.id, count);
    else this.#frontendLeases[isAsked ? 'ask' : 'giveBack'](worker.id, frontend, count);
  }

  #gate(worker: Caller, message: Extract<ToPrimary, readonly ['enter' | 'pace' | 'leave', ...unknown[]]>): void {
    if (message[0] === 'leave') {
      this.#gatekeeper.leave({ worker: worker.id, session: message[1] });
      return;
    }
    const [, call, session, frontend, source] = message;
    const tell = (answer: GateAnswer): void => worker.say(['answer', call, answer]);
    const visitor = { worker: worker.id, session };
    if (message[0] === 'enter') this.#gatekeeper.enter(visitor, { frontend, source }, tell);
    else this.#gatekeeper.connect(visitor, { frontend, source, backend: message[5] }, tell);
  }

  #table(worker: Caller, call: number, backend: string, message: TableCall | TableCast): void {
    // A backend may be gone, or its `stick`: whoever asks must have an answer all the same.
    const table = this.#backends.byName.get(backend)?.table ?? new MemoryTable({ size: 1, times: NO_TIMES });
    const reply = serveTable(table, message);
    if (call !== 0) worker.say(['answer', call, reply]);
  }
}
