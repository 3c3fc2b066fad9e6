/** What is told of an address that stays. `again`: the first try has failed. `slowly`: all that one lease has time for. */
type RemovalNews = 'again' | 'slowly';

export interface RemovalParts {
  /** Resolves with whether the address is gone. */
  remove(): Promise<boolean>;
  readonly leaseMs: number;
  /** After each try that has failed: another one follows. */
  failed(): void;
  /** It has just become worse. */
  worse(how: RemovalNews): void;
}

/** So many within one lease, then one a second for as long as it takes. */
const quickTries = 5;
const slowlyMs = 1_000;

/** Tries until the address is off this host: nobody else may take it before. */
export async function removeForGood({ remove, leaseMs, failed, worse }: RemovalParts): Promise<void> {
  for (let tried = 1; ; tried++) {
    if (await remove()) return;
    failed();
    if (tried === 1) worse('again');
    if (tried === quickTries) worse('slowly');
    const pauseMs = tried < quickTries ? leaseMs / quickTries : slowlyMs;
    await new Promise(resolve => setTimeout(resolve, pauseMs));
  }
}
