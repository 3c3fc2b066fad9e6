import { LimpetError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Judgement } from './data_path.ts';
import type { TrackFile } from './track_file.ts';

export interface ReadyWordPremises {
  readonly track: TrackFile;
  readonly log: Log;
  judge(): Judgement;
  /** It will be said that this proxy is not ready: what is to happen while the addresses are still here. Never rejects. */
  beforeLettingGo(): Promise<void>;
  /** isReady is another one now. */
  turned(): void;
}

/** How often it is looked whether the others have told what they see. */
const WAIT_MS = 50;

/** Keeps the track file as the primary finds this proxy to be; what the watchdog has found counts for more. */
export class ReadyWord {
  readonly #premises: ReadyWordPremises;
  #isReady = false;
  /** As it was last told. */
  #trouble: string | null = null;
  #fault: string | null = null;
  #isLettingGo = false;
  #isOver = false;
  #isBroken = false;
  #soon: NodeJS.Immediate | null = null;
  #waiting: NodeJS.Timeout | null = null;

  constructor(premises: ReadyWordPremises) {
    this.#premises = premises;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Something is other than before. It is looked at once, after all that this turn of the event loop still brings. */
  changed(): void {
    if (this.#isOver) return;
    this.#soon ??= setImmediate(() => {
      this.#soon = null;
      void this.#look();
    });
  }

  /** The watchdog has written `1`, and why; null: it has nothing against this proxy any more. */
  fault(fault: string | null): void {
    this.#fault = fault;
    // Told at once: of a freeze that is over its beginning and its end are heard together.
    if (fault !== null && !this.#isOver) {
      this.#turn(false);
      this.#tell(false, frozen(fault));
    }
    this.changed();
  }

  /** From now on it is not ready, whatever comes. Resolves when it has been said. */
  async giveUp(): Promise<void> {
    this.leave();
    await this.#letGo();
  }

  /** Another process has the file now: nothing is written any more. */
  leave(): void {
    this.#isOver = true;
    if (this.#soon !== null) clearImmediate(this.#soon);
    this.#wait(false);
  }

  /** Nobody writes this file any more: it says at once, and last, that nobody is ready. */
  abandon(): void {
    this.leave();
    this.#isLettingGo = false;
    this.#write(false);
  }

  async #look(): Promise<void> {
    if (this.#isOver) return;
    const { ready, trouble, isOpen }: Judgement =
      this.#fault === null ? this.#premises.judge() : { ready: false, trouble: frozen(this.#fault) };
    // One that has not said yet that it is ready has nothing to lose.
    const waits = isOpen === true && this.#isReady;
    this.#wait(waits);
    if (waits) return;
    this.#tell(ready, trouble);
    if (ready) {
      this.#turn(true);
      this.#write(true);
    } else if (this.#isReady) await this.#letGo();
    else this.#write(false);
  }

  #turn(isReady: boolean): void {
    if (isReady === this.#isReady) return;
    this.#isReady = isReady;
    this.#premises.turned();
  }

  #wait(on: boolean): void {
    if (this.#waiting !== null) clearTimeout(this.#waiting);
    this.#waiting = on ? setTimeout(() => this.changed(), WAIT_MS) : null;
  }

  async #letGo(): Promise<void> {
    this.#turn(false);
    this.#isLettingGo = true;
    // Frozen workers reset nobody, and the file says so already.
    if (this.#fault === null) await this.#premises.beforeLettingGo();
    this.#isLettingGo = false;
    if (!this.#isReady) this.#write(false);
  }

  #write(isReady: boolean): void {
    const { track, log } = this.#premises;
    if (this.#isLettingGo || track.says(isReady)) return;
    try {
      track.write(isReady);
      this.#isBroken = false;
    } catch (error) {
      if (!(error instanceof LimpetError)) throw error;
      const { message, code, remedy } = error;
      if (!this.#isBroken) log.error('track_file', { code, remedy }, message);
      this.#isBroken = true;
    }
  }

  #tell(ready: boolean, trouble: string): void {
    const { log } = this.#premises;
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    if (trouble === '') log.info('readiness', { ready }, 'ready to be the active proxy');
    else log.warn('readiness', { ready, trouble }, ready ? trouble : `not ready to be the active proxy: ${trouble}`);
  }
}

function frozen(fault: string): string {
  return `the watchdog found it frozen: ${fault}`;
}
