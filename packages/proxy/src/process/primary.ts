import type { ReloadReport } from '../admin/control.ts';
import type { Config } from '../config/resolved.ts';
import type { Listening } from './bindings.ts';
import type { FaceAddress } from './faces.ts';
import { Parts } from './parts.ts';
import type { RunningProxy } from './running_proxy.ts';
import { Predecessor } from './upgrade/predecessor.ts';

/** What workers may need to write their last lines after their last session. */
const CLOSE_GRACE_MS = 3000;
/** What the primary may need to end its own parts. */
const LAST_WORDS_MS = 2000;

/**
 * Starts the proxy: binds, checks, workers. Resolves when every worker serves. Where a running proxy has started this
 * process to replace it, takes over from that one.
 * @param warned what the caller has told of the configuration (`formatProblem`): reloads do not tell it again
 * @throws LimpetError BIND_*, RELAY_UNAVAILABLE, CPU_MAP_UNAVAILABLE, CPU_MAP_FAILED, WORKER_CANNOT_START, UPGRADE_FAILED, and what workers report
 */
export async function startProxy(config: Config, warned: readonly string[] = []): Promise<RunningProxy> {
  const primary = new Primary(config, warned, Predecessor.find());
  await primary.start();
  return primary;
}

/** The order of things: what begins before what, and what ends after what. */
class Primary implements RunningProxy {
  readonly finished: Promise<number>;
  readonly #parts: Parts;
  #finish: (code: number) => void = () => {};
  #stopping: Promise<void> | null = null;
  #ending: Promise<void> | null = null;

  constructor(config: Config, warned: readonly string[], predecessor: Predecessor | null) {
    this.finished = new Promise(resolve => {
      this.#finish = resolve;
    });
    this.#parts = new Parts(config, warned, predecessor, {
      isStopping: () => this.#stopping !== null,
      isEnding: () => this.#ending !== null,
      replaced: pid => this.#replaced(pid),
    });
  }

  get binds(): readonly Listening[] {
    return this.#parts.bindings.listening;
  }

  get faces(): readonly FaceAddress[] {
    return this.#parts.operations.listening;
  }

  async start(): Promise<void> {
    const parts = this.#parts;
    const { upgrades, certificates, bindings, store, servers, tickets, configurator, peers, pair, notifier } = parts;
    try {
      parts.chooseRelay();
      await pair.begin();
      await upgrades.inherit();
      (await certificates.prepare(parts.config, false)).commit();
      (await bindings.prepare(parts.config)).commit();
      await store.start();
      await Promise.all([servers.start(), tickets.reconfigure(parts.config)]);
      for (const { name } of parts.config.backends) parts.serversChanged(name);
      const serving = this.#startServing();
      // Operators may be there before the last worker is.
      configurator.waitFor(serving);
      await serving;
      pair.serve();
    } catch (error) {
      await upgrades.fail(error);
      await this.#end(1);
      throw error;
    }
    peers.start();
    parts.announce(this.faces);
    notifier.ready();
  }

  reload(): Promise<ReloadReport> {
    return this.#parts.configurator.reload();
  }

  upgrade(): Promise<void> {
    return this.#parts.upgrades.start();
  }

  stop(): Promise<void> {
    this.#parts.upgrades.abort();
    this.#stopping ??= this.#drain();
    return this.#stopping;
  }

  reopenLogs(): void {
    this.#parts.log.reopen();
    this.#parts.staff.sayAll(['reopen']);
  }

  kill(): void {
    const { upgrades, staff } = this.#parts;
    upgrades.abort();
    staff.killAll();
    void staff.stop();
    void this.#end(1);
  }

  /** Whoever supervises this process must know of the new one before this one ends, or would take that for the end. */
  #replaced(pid: number): void {
    const { notifier } = this.#parts;
    notifier.mainPid(pid);
    void notifier.close().then(() => this.stop());
  }

  async #startServing(): Promise<void> {
    const { upgrades, staff, operations } = this.#parts;
    const startWorkers = (): Promise<void> => staff.start();
    const startFaces = (): Promise<void> => operations.start();
    if (upgrades.isHeir) {
      await upgrades.takeOver(startWorkers, startFaces);
      return;
    }
    await startFaces();
    await startWorkers();
  }

  async #drain(): Promise<void> {
    const { config, log, upgrades, notifier, bindings, pair, staff } = this.#parts;
    const { hardStopAfterMs } = config.global;
    log.info('stopping', { hard_stop_after_ms: hardStopAfterMs });
    // Where another process is the service now, that one speaks.
    if (!upgrades.isReplaced) notifier.stopping(hardStopAfterMs + CLOSE_GRACE_MS + LAST_WORDS_MS);
    bindings.close();
    staff.sayAll(['drain']);
    void pair.stop();
    const gone = staff.stop();
    const close = setTimeout(() => staff.sayAll(['close']), hardStopAfterMs);
    const kill = setTimeout(() => staff.killAll(), hardStopAfterMs + CLOSE_GRACE_MS);
    await gone;
    clearTimeout(close);
    clearTimeout(kill);
    await upgrades.predecessorGone();
    await this.#end(0);
  }

  /** The first end counts; a second one waits for it. */
  #end(code: number): Promise<void> {
    this.#ending ??= this.#endOnce(code);
    return this.#ending;
  }

  async #endOnce(code: number): Promise<void> {
    const { certificates, bindings, tickets, staff, servers, operations, upgrades, pair, peers, store, notifier, log } =
      this.#parts;
    certificates.close();
    bindings.close();
    tickets.stop();
    staff.killAll();
    await Promise.all([servers.stop(), staff.stop(), operations.close(), pair.close()]);
    await upgrades.close();
    await peers.close();
    await store.close();
    await notifier.close();
    log.info('stopped', { code });
    await log.flush();
    this.#finish(code);
  }
}
