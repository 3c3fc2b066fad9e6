import type { TableCast, TableChannel } from '@limpet/state';
import type { GateAnswer } from '../../gate/gate_answer.ts';
import type { Lessor } from '../../listen/admission.ts';
import type { Desk } from '../../route/placement.ts';
import type { Placed, PlaceRequest } from '../../route/placer.ts';
import { Outbox, type ToPrimary } from '../wire.ts';

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

  place({ session, backend, key, source, exclude, want }: PlaceRequest): Promise<Placed> {
    return new Promise(resolve => {
      this.#outbox.ask(['place', this.#call(resolve), session, backend, key, source, exclude, want]);
    });
  }

  use(session: number, backend: string, server: string): void {
    this.mention(['use', session, backend, server]);
  }

  /** Mostly the session has just let go of its entry: then one message says both. */
  free(session: number): void {
    const { last } = this.#outbox;
    if (last?.[0] === 'unpin' && last[1] === session) {
      const [, , backend, key, server] = last;
      this.#outbox.replaceLast(['end', session, backend, key, server]);
    } else this.mention(['free', session]);
  }

  /** The way to `global.maxconn` (null), or to a frontend's own. */
  lessor(frontend: string | null): Lessor {
    return {
      lease: count => this.say(['lease', count, frontend]),
      unlease: count => this.mention(['unlease', count, frontend]),
    };
  }

  enter(session: number, frontend: string, source: string): Promise<GateAnswer> {
    return new Promise(resolve => this.say(['enter', this.#call(resolve), session, frontend, source]));
  }

  pace(session: number, frontend: string, source: string, backend: string): Promise<GateAnswer> {
    return new Promise(resolve => this.say(['pace', this.#call(resolve), session, frontend, source, backend]));
  }

  leave(session: number): void {
    this.mention(['leave', session]);
  }

  /** The line to the primary's own stick table of a backend. */
  table(backend: string): TableChannel {
    return {
      call: message => new Promise(resolve => this.say(['table', this.#call(resolve), backend, message])),
      cast: message => this.mention(castOf(backend, message)),
    };
  }

  answered(call: number, answer: unknown): void {
    this.#waiting.get(call)?.(answer);
    this.#waiting.delete(call);
  }

  /** The answer to place(). */
  placed(call: number, placed: Placed): void {
    this.answered(call, placed);
    this.#outbox.answered();
  }

  #call<Answer>(resolve: (answer: Answer) => void): number {
    this.#calls += 1;
    this.#waiting.set(this.#calls, resolve as (answer: unknown) => void);
    return this.#calls;
  }
}

/** Of the words that every session says the primary knows the owner. */
function castOf(backend: string, message: TableCast): ToPrimary {
  const [word, key, server, , epoch] = message;
  if (word === 'confirm') return ['pin', epoch, backend, key, server];
  if (word === 'release') return ['unpin', epoch, backend, key, server];
  return ['table', 0, backend, message];
}
