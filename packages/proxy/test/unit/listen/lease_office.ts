/** The primary's leases and some workers' admissions with the lines between them, on which messages take their time. */
import { Admission } from '../../../src/listen/admission.ts';
import { Leases, leaseBlock } from '../../../src/listen/leases.ts';

type Message = () => void;

/** One worker: its listener takes a client when there is room, and lets the others wait in the kernel's backlog. */
class Desk {
  readonly id: number;
  readonly admission: Admission;
  readonly most: number;
  /** Clients in the backlog. */
  waiting = 0;
  readonly toPrimary: Message[] = [];
  readonly toWorker: Message[] = [];

  constructor(id: number, leases: Leases, block: number, most: number) {
    this.id = id;
    this.most = most;
    this.admission = new Admission(
      {
        lease: count => this.toPrimary.push(() => leases.ask(id, count)),
        unlease: count => this.toPrimary.push(() => leases.giveBack(id, count)),
      },
      { block, most, over: 0 },
    );
    this.admission.onRoom(() => {
      while (this.waiting > 0 && this.admission.enter()) this.waiting -= 1;
    });
    this.admission.start();
  }

  arrive(): void {
    if (this.waiting > 0 || !this.admission.enter()) this.waiting += 1;
  }

  leave(): void {
    if (this.admission.used > 0) this.admission.leave();
  }
}

export class LeaseOffice {
  readonly #leases: Leases;
  readonly #block: number;
  readonly #most: readonly number[];
  readonly desks: Desk[] = [];
  #ids = 0;
  messages = 0;

  /** `most`: what each worker has descriptors for. */
  constructor(maxconn: number, most: readonly number[]) {
    this.#block = leaseBlock(maxconn, most.length);
    this.#most = most;
    this.#leases = new Leases(maxconn, {
      grant: (worker, count) => this.#tell(worker, desk => desk.admission.granted(count)),
      recall: () => {
        for (const { id } of this.desks) this.#tell(id, desk => desk.admission.recall());
      },
    });
    most.forEach((_, slot) => {
      this.#hire(slot);
    });
  }

  get used(): number {
    return this.desks.reduce((sum, { admission }) => sum + admission.used, 0);
  }

  /** Clients that wait at a worker that could take them. */
  get waiting(): number {
    return this.desks.reduce((sum, desk) => sum + (desk.admission.used < desk.most ? desk.waiting : 0), 0);
  }

  setLimit(maxconn: number): void {
    this.#leases.setLimit(maxconn);
  }

  /** One message arrives, on any line. */
  deliver(which: number): boolean {
    const lines = this.desks
      .flatMap(({ toPrimary, toWorker }) => [toPrimary, toWorker])
      .filter(line => line.length > 0);
    const message = lines[which % lines.length]?.shift();
    message?.();
    if (message !== undefined) this.messages += 1;
    return message !== undefined;
  }

  /** All messages arrive, and those that they cause; false: there is no end of them. */
  settle(): boolean {
    for (let count = 0; count < 100_000; count += 1) if (!this.deliver(count * 7)) return true;
    return false;
  }

  /** The worker dies with its clients and all that was on its way; another one takes its slot. */
  die(slot: number): void {
    const dead = this.desks[slot];
    if (dead === undefined) return;
    this.#hire(slot);
    this.#leases.workerGone(dead.id);
  }

  #hire(slot: number): void {
    this.#ids += 1;
    const most = this.#most[slot] ?? Number.POSITIVE_INFINITY;
    this.desks[slot] = new Desk(this.#ids, this.#leases, this.#block, most);
  }

  #tell(id: number, message: (desk: Desk) => void): void {
    const desk = this.desks.find(one => one.id === id);
    desk?.toWorker.push(() => message(desk));
  }
}
