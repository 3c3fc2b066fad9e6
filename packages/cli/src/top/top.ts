import { LimpetError } from '@limpet/proxy';
import type { AdminClient } from '../admin/admin_client.ts';
import type { Overview } from '../admin/facts.ts';
import type { Paint } from '../output/paint.ts';
import { overview } from '../running_proxy.ts';
import { StopSignals } from '../signals.ts';
import { type Frame, topFrame } from './frame.ts';
import { type Key, pressed, START, type TopState } from './keys.ts';
import { Samples } from './samples.ts';
import { Screen } from './screen.ts';

const REFRESH_MS = 1_000;

/** Shows a running proxy until the user leaves. @throws LimpetError where it does not answer at the start */
export async function runTop(proxy: AdminClient, paint: Paint): Promise<void> {
  const first = await overview(proxy);
  using signals = new StopSignals(() => {});
  const top = new Top(proxy, first, paint);
  using _screen = top.open();
  await Promise.race([top.left, signals.first]);
  top.close();
}

class Top {
  /** The user wants to leave. */
  readonly left: Promise<void>;
  readonly #leave: () => void;
  readonly #proxy: AdminClient;
  readonly #paint: Paint;
  readonly #samples = new Samples();
  #seen: Overview;
  #trouble: { readonly why: string; readonly sinceMs: number } | null = null;
  #state: TopState = START;
  #screen: Screen | null = null;
  #frame: Frame | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(proxy: AdminClient, first: Overview, paint: Paint) {
    this.#proxy = proxy;
    this.#paint = paint;
    this.#seen = first;
    this.#samples.add(first);
    let leave = (): void => {};
    this.left = new Promise(resolve => {
      leave = resolve;
    });
    this.#leave = leave;
  }

  open(): Screen {
    const screen = new Screen(
      process.stdout,
      process.stdin,
      key => this.#onKey(key),
      () => this.#draw(),
    );
    this.#screen = screen;
    this.#draw();
    this.#later();
    return screen;
  }

  close(): void {
    this.#screen = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #later(): void {
    if (this.#screen !== null) this.#timer = setTimeout(() => void this.#refresh(), REFRESH_MS);
  }

  /** Never rejects. What comes while it is paused is not shown. */
  async #refresh(): Promise<void> {
    try {
      const seen = this.#state.isPaused ? null : await overview(this.#proxy);
      this.#trouble = null;
      if (seen !== null && !this.#state.isPaused) {
        this.#seen = seen;
        this.#samples.add(seen);
      }
    } catch (error) {
      const why = error instanceof LimpetError ? error.message : String(error);
      this.#trouble = { why, sinceMs: this.#trouble?.sinceMs ?? Date.now() };
    }
    this.#draw();
    this.#later();
  }

  #onKey(key: Key): void {
    if (this.#frame === null) return;
    const state = pressed(this.#state, key, this.#frame.shown);
    if (state === null) {
      this.#leave();
      return;
    }
    this.#state = state;
    this.#draw();
  }

  #draw(): void {
    const screen = this.#screen;
    if (screen === null) return;
    const nowMs = this.#state.isPaused ? this.#seen.info.at_ms : Date.now();
    const model = { seen: this.#seen, samples: this.#samples, state: this.#state, trouble: this.#trouble, nowMs };
    this.#frame = topFrame(model, screen.size, this.#paint);
    screen.draw(this.#frame.lines);
  }
}
