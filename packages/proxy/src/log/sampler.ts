/** How floods are thinned out: up to `above` lines a second all are written, of the rest one in `keep`. */
export interface SampleLimits {
  readonly above: number;
  readonly keep: number;
}

/** What to do with a line. `leftOut` tells of the seconds before, once. */
export interface Verdict {
  /** 0: leave it out; 1: write it; more: write it, it stands for so many. */
  readonly weight: number;
  readonly leftOut: number;
}

interface Count {
  second: number;
  lines: number;
  leftOut: number;
}

/** Counts the lines of each event, second by second. Events are words of the program, never a client's. */
export class Sampler {
  readonly #limits: SampleLimits;
  readonly #counts = new Map<string, Count>();

  constructor(limits: SampleLimits) {
    this.#limits = limits;
  }

  /** @param nowMs of a clock that only goes forward */
  judge(event: string, nowMs: number): Verdict {
    const { above, keep } = this.#limits;
    const second = Math.floor(nowMs / 1000);
    const count = this.#counts.get(event) ?? { second, lines: 0, leftOut: 0 };
    this.#counts.set(event, count);
    let leftOut = 0;
    if (count.second !== second) {
      leftOut = count.leftOut;
      Object.assign(count, { second, lines: 0, leftOut: 0 });
    }
    count.lines += 1;
    const beyond = count.lines - above;
    if (beyond <= 0) return { weight: 1, leftOut };
    if (Math.ceil(beyond) % keep === 0) return { weight: keep, leftOut };
    count.leftOut += 1;
    return { weight: 0, leftOut };
  }
}
