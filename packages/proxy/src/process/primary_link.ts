import type { TableChannel } from '@limpet/state';
import type { GateAnswer } from '../gate/gate_answer.ts';
import type { Lessor } from '../listen/admission.ts';
import type { Desk } from '../route/placement.ts';
import type { Placed, PlaceRequest } from '../route/placer.ts';
import { Outbox, type ToPrimary } from './wire.ts';

/**
 * A worker's side of the line to the primary. Questions are numbered and their answers come back in any order; while
 * the primary lives every question is answered, and when it dies so does the worker.
 */
export class PrimaryLink implements Desk {
  readonly #outbox: Outbox<ToPrimary>;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #calls = 0;

  constructor(send: (batch: ToPrimary[]) => void) {
    this.#outbox = new Outbox(send);
  }

  say(message: ToPrimary): void {
    this.#outbox.say(message);
  }

  /** Nobody waits for this: it may go a few milliseconds later. */
  mention(message: ToPrimary): void {
    this.#outbox.mention(message);
  }

  /** Sends what has been said in this turn; before the process ends. */
  flush(): void {
    this.#outbox.flush();
  }

  place(request: PlaceRequest): Promise<Placed> {
    return this.#ask<Placed>(call => ['place', call, request]);
  }

  use(session: number, backend: string, server: string): void {
    this.mention(['use', session, backend, server]);
  }

  free(session: number): void {
    this.mention(['free', session]);
  }

  /** The way to `global.maxconn` (null), or to a frontend's own. */
  lessor(frontend: string | null): Lessor {
    return {
      lease: count => this.say(['lease', count, frontend]),
      unlease: count => this.mention(['unlease', count, frontend]),
    };
  }

  enter(session: number, frontend: string, source: string): Promise<GateAnswer> {
    return this.#ask(call => ['enter', call, session, frontend, source]);
  }

  pace(session: number, frontend: string, source: string, backend: string): Promise<GateAnswer> {
    return this.#ask(call => ['pace', call, session, frontend, source, backend]);
  }

  leave(session: number): void {
    this.mention(['leave', session]);
  }

  /** The line to the primary's own stick table of a backend. */
  table(backend: string): TableChannel {
    return {
      call: message => this.#ask(call => ['table', call, backend, message]),
      cast: message => this.mention(['table', 0, backend, message]),
    };
  }

  answered(call: number, answer: unknown): void {
    this.#waiting.get(call)?.(answer);
    this.#waiting.delete(call);
  }

  #ask<Answer>(message: (call: number) => ToPrimary): Promise<Answer> {
    this.#calls += 1;
    const call = this.#calls;
    return new Promise(resolve => {
      this.#waiting.set(call, resolve as (answer: unknown) => void);
      this.say(message(call));
    });
  }
}
