// The stream of snapshots and events, and what is said when it breaks.

/**
 * @import { PageView } from '../src/admin/page/page_view.ts'
 * @typedef {{ id: number, atMs: number, level: 'info' | 'warn' | 'error', event: string, message: string }} AdminEvent
 * @typedef {object} Listener
 * @property {(view: PageView) => void} onView
 * @property {(event: AdminEvent) => void} onEvent
 * @property {(live: boolean) => void} onState
 */

const firstRetryMs = 1_000;
const longestRetryMs = 15_000;
/** Silence is called so after so many of the usual intervals, and never before the shortest. */
const silentIntervals = 3;
const shortestSilenceMs = 8_000;
const unknownIntervalMs = 10_000;

/** Follows the stream for ever: EventSource itself gives up where the answer is an error. */
export class Stream {
  #source = /** @type {EventSource | null} */ (null);
  #retryMs = firstRetryMs;
  #lastAt = 0;
  #intervalMs = unknownIntervalMs;
  #timer = 0;
  #listener;
  #url;

  /**
   * @param {URL} url
   * @param {Listener} listener
   */
  constructor(url, listener) {
    this.#url = url;
    this.#listener = listener;
    this.#open();
  }

  #open() {
    this.#source?.close();
    const source = new EventSource(this.#url);
    this.#source = source;
    source.addEventListener('snapshot', ({ data }) => this.#onSnapshot(JSON.parse(data)));
    source.addEventListener('event', ({ data }) => this.#listener.onEvent(JSON.parse(data)));
    source.addEventListener('error', () => this.#onBroken());
    this.#watch(Math.max(shortestSilenceMs, this.#intervalMs * silentIntervals));
  }

  /** @param {PageView} view */
  #onSnapshot(view) {
    const now = performance.now();
    if (this.#lastAt > 0) this.#intervalMs = Math.min(60_000, now - this.#lastAt);
    this.#lastAt = now;
    this.#retryMs = firstRetryMs;
    this.#listener.onState(true);
    this.#listener.onView(view);
    this.#watch(Math.max(shortestSilenceMs, this.#intervalMs * silentIntervals));
  }

  #onBroken() {
    this.#listener.onState(false);
    this.#lastAt = 0;
    this.#source?.close();
    this.#watch(this.#retryMs);
    this.#retryMs = Math.min(longestRetryMs, this.#retryMs * 2);
  }

  /** Connects anew when nothing has come for so long. @param {number} ms */
  #watch(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#listener.onState(false);
      this.#lastAt = 0;
      this.#open();
    }, ms);
  }
}
