import type { Attempt } from '../dial/attempt.ts';
import type { AttemptCount } from '../dial/connector.ts';
import type { Connect } from '../stages.ts';
import type { Tally } from './tally.ts';

/** Counts what one session's attempts come to. */
export class AttemptTally implements AttemptCount {
  readonly #tally: Tally;
  readonly #backend: string;
  readonly #family: 3 | 5;

  /** `version`: null in mode tcp, where nobody sends a CONNACK. */
  constructor(tally: Tally, backend: string, version: Connect['version'] | null) {
    this.#tally = tally;
    this.#backend = backend;
    this.#family = version === 5 ? 5 : 3;
  }

  picked(server: string, from: string | null): void {
    const place = this.#tally.place(this.#backend, server);
    place.count('picked');
    if (from === null) return;
    place.count('retries');
    this.#tally.place(this.#backend, from).count('reroutes');
  }

  ended(server: string, attempt: Attempt): void {
    if (attempt.kind === 'cancelled') return;
    const place = this.#tally.place(this.#backend, server);
    if (attempt.kind !== 'answered') {
      place.count(`failed:${attempt.kind}`);
      return;
    }
    const { answer, times } = attempt;
    place.dialled(times.connectMs);
    if (answer.kind !== 'accepted' && answer.kind !== 'refused') return;
    place.acknowledged(times.connackMs);
    this.authenticated(server, answer.kind === 'accepted' ? 0 : answer.code);
  }

  authenticated(server: string, code: number): void {
    this.#tally.place(this.#backend, server).count(`connack:${this.#family}:${code}`);
  }
}
