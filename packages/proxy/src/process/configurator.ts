import type { ReloadReport } from '../admin/control.ts';
import { bindsOf } from '../config/bind_key.ts';
import { diffConfig } from '../config/diff.ts';
import { withDisabled, withFrontendChanged } from '../config/edit.ts';
import { formatProblem, loadConfig } from '../config/load.ts';
import { inShort } from '../config/problem.ts';
import type { Config } from '../config/resolved.ts';
import { LimpetError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { StockChange } from '../tls/stock.ts';
import type { BindingsChange } from './bindings.ts';

/** A part that goes over to another configuration in two steps. */
export interface ReloadPart {
  /** Everything that can fail. Rejects with a LimpetError; then nothing has changed. */
  prepare(next: Config, before: Config): Promise<{ commit(): void; abort(): void }>;
}

/** What has been prepared for a configuration. */
export interface Prepared {
  readonly certificates: StockChange;
  readonly servers: StockChange;
  readonly bindings: BindingsChange;
}

export interface ConfiguratorPremises {
  readonly certificates: { prepare(next: Config, renew: boolean): Promise<StockChange> };
  readonly servers: { prepare(next: Config, renew: boolean): Promise<StockChange> };
  readonly bindings: { prepare(next: Config): Promise<BindingsChange> };
  /** Everybody uses it when this resolves. Answers whose TLS files were others, as `bindKey` and `backend/server`. */
  commit(next: Config, prepared: Prepared): Promise<readonly string[]>;
  isStopping(): boolean;
  /** A reload begins, and is over. */
  reloading(): void;
  reloaded(): void;
  readonly log: Log;
}

/** The last reload, for those who look at the proxy. */
export interface LastReload {
  readonly atMs: number;
  readonly ok: boolean;
  readonly summary: string;
}

/** Goes over to other configurations, one at a time: from the file, or as an operator has edited what is in use. */
export class Configurator {
  readonly #premises: ConfiguratorPremises;
  #config: Config;
  #fileConfig: Config;
  readonly #parts: ReloadPart[] = [];
  readonly #disabled = new Set<string>();
  #turn: Promise<unknown> = Promise.resolve();
  /** A reload that waits for its turn: it reads the file then, so whoever asks meanwhile gets the same. */
  #waiting: Promise<ReloadReport> | null = null;
  #reloads = 0;
  #lastReload: LastReload | null = null;
  /** What the file in use was warned of when it was last read: it is told once. */
  #warned: readonly string[];

  /** @param warned what the start has told of the file, as `formatProblem` makes it */
  constructor(config: Config, premises: ConfiguratorPremises, warned: readonly string[] = []) {
    this.#warned = warned;
    this.#config = config;
    this.#fileConfig = config;
    this.#premises = premises;
  }

  /** What is in use: the file's, with what operators have changed since, and what only a restart can change as it was. */
  get config(): Config {
    return this.#config;
  }

  /** As it was last read from the file, where it was good. */
  get fileConfig(): Config {
    return this.#fileConfig;
  }

  /** Frontends that an operator has disabled: they have no binds. */
  get disabled(): ReadonlySet<string> {
    return this.#disabled;
  }

  /** Reloads that were tried, and the last of them. */
  get reloads(): number {
    return this.#reloads;
  }

  get lastReload(): LastReload | null {
    return this.#lastReload;
  }

  /** Before anything is in use: these have been disabled in the process before this one. */
  startDisabled(frontends: readonly string[]): void {
    const names = new Set(this.#fileConfig.frontends.map(({ name }) => name));
    for (const frontend of frontends) if (names.has(frontend)) this.#disabled.add(frontend);
    this.#config = withDisabled(this.#fileConfig, this.#disabled);
  }

  /** Whatever is asked waits for this, which may fail: the start, in which nothing may change. */
  waitFor(work: Promise<unknown>): void {
    this.#turn = Promise.allSettled([this.#turn, work]);
  }

  /** One more that is to follow. */
  join(part: ReloadPart): void {
    this.#parts.push(part);
  }

  /**
   * Goes over to this configuration. Resolves when every worker uses it.
   * @throws LimpetError: nothing has changed; or RELOAD_LATE: all but the workers that are named use it
   */
  apply(next: Config): Promise<void> {
    return this.edit(() => next);
  }

  /** The same with what comes of the one in use, when it is its turn. */
  edit(change: (config: Config) => Config): Promise<void> {
    return this.#inTurn(async () => {
      await this.#take(change(this.#config), false);
    });
  }

  /** A disabled one accepts nobody, across reloads too, and its sessions live on. */
  setFrontendEnabled(frontend: string, enabled: boolean): Promise<void> {
    return this.#inTurn(async () => {
      const { binds = [] } = this.#fileConfig.frontends.find(({ name }) => name === frontend) ?? {};
      try {
        await this.#take(withFrontendChanged(this.#config, frontend, { binds: enabled ? binds : [] }), false);
      } catch (error) {
        // In use all the same: the next reload must not undo it.
        if (isLate(error)) this.#noteDisabled(frontend, !enabled);
        throw error;
      }
      this.#noteDisabled(frontend, !enabled);
    });
  }

  /**
   * Reads the file again and goes over to what it says; what operators have edited since is as in the file then. A file
   * that is wrong, a certificate that cannot be read or a port that cannot be bound change nothing. Never rejects.
   */
  reload(): Promise<ReloadReport> {
    this.#waiting ??= this.#inTurn(async () => {
      this.#waiting = null;
      const startMs = performance.now();
      this.#premises.reloading();
      try {
        const report = await this.#reloadNow();
        this.#tell(report, Math.round(performance.now() - startMs));
        return report;
      } finally {
        this.#premises.reloaded();
      }
    });
    return this.#waiting;
  }

  async #reloadNow(): Promise<ReloadReport> {
    const loaded = loadConfig(this.#config.path);
    if (!loaded.ok) return failed(loaded.problems.map(formatProblem));
    const warned = loaded.warnings.map(formatProblem);
    const warnings = warned.filter(warning => !this.#warned.includes(warning));
    this.#warned = warned;
    const { config: file } = loaded;
    const { changes, needsRestart, applicable } = diffConfig(this.#config, withDisabled(file, this.#disabled));
    try {
      const renewed = await this.#take(applicable, true);
      this.#fileConfig = file;
      return {
        ok: true,
        changes: [...changes, ...renewedLines(applicable, renewed)],
        needsRestart,
        warnings,
        problems: [],
      };
    } catch (error) {
      const { message, remedy } = error instanceof LimpetError ? error : unforeseen(error);
      if (!isLate(error)) return failed([`${message}; ${remedy}`], warnings);
      this.#fileConfig = file;
      return { ok: true, changes, needsRestart, warnings: [...warnings, `${message}; ${remedy}`], problems: [] };
    }
  }

  #noteDisabled(frontend: string, isDisabled: boolean): void {
    if (isDisabled) this.#disabled.add(frontend);
    else this.#disabled.delete(frontend);
  }

  /** Answers whose TLS files were others. */
  async #take(next: Config, renew: boolean): Promise<readonly string[]> {
    const { certificates, servers, bindings, isStopping } = this.#premises;
    // Before anything is bound: this process has closed its sockets, or its successor has them.
    if (isStopping()) throw stopping();
    const prepared: { abort(): void }[] = [];
    const keep = <Change extends { abort(): void }>(change: Change): Change => {
      prepared.push(change);
      return change;
    };
    try {
      const all = {
        certificates: keep(await certificates.prepare(next, renew)),
        servers: keep(await servers.prepare(next, renew)),
        bindings: keep(await bindings.prepare(next)),
      };
      const others = [];
      for (const part of this.#parts) others.push(keep(await part.prepare(next, this.#config)));
      if (isStopping()) throw stopping();
      this.#config = next;
      for (const other of others) other.commit();
      prepared.length = 0;
      return await this.#premises.commit(next, all);
    } catch (error) {
      for (const change of prepared) change.abort();
      throw error;
    }
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  #tell({ ok, changes, needsRestart, warnings, problems }: ReloadReport, ms: number): void {
    const { log } = this.#premises;
    const { path: config } = this.#config;
    const count = changes.length === 1 ? '1 change' : `${changes.length} changes`;
    const summary = ok ? count : inShort(problems, config);
    this.#reloads += 1;
    this.#lastReload = { atMs: Date.now(), ok, summary };
    for (const problem of problems) log.error('reload_failed', { config, ms }, problem);
    for (const warning of warnings) log.warn('reload_warning', { config }, warning);
    if (!ok) return;
    for (const change of changes) log.info('reload_change', {}, change);
    for (const line of needsRestart) log.warn('reload_warning', { config }, line);
    log.info(
      'reload',
      { config, changes: changes.length, needs_restart: needsRestart.length, ms },
      `reloaded: ${count}`,
    );
  }
}

function stopping(): LimpetError {
  const what = 'the proxy is stopping, or another process takes over just now';
  return new LimpetError('STOPPING', what, 'do it again when the process that comes next serves');
}

/** It is in use, and some worker has not said so in time. */
function isLate(error: unknown): boolean {
  return error instanceof LimpetError && error.code === 'RELOAD_LATE';
}

/** A reload that fails in a way that nobody thought of must not end the process, and all sessions with it. */
function unforeseen(error: unknown): LimpetError {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new LimpetError('RELOAD_FAILED', what, 'this is a bug of Limpet: please report it, and restart when you can');
}

function failed(problems: readonly string[], warnings: readonly string[] = []): ReloadReport {
  return { ok: false, changes: [], needsRestart: [], warnings, problems };
}

function renewedLines(config: Config, renewed: readonly string[]): string[] {
  const binds = bindsOf(config).filter(({ key }) => renewed.includes(key));
  const servers = config.backends.flatMap(({ name, servers: own }) => own.map(server => `${name}/${server.name}`));
  return [
    ...binds.map(({ frontend, bind }) => `frontend ${frontend}: bind ${bind.label}: certificates are others`),
    ...servers.filter(server => renewed.includes(server)).map(server => `server ${server}: TLS files are others`),
  ];
}
