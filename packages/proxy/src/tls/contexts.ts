import type { SecureContext } from 'node:tls';
import type { TlsBindConfig } from '../config/resolved.ts';
import { LimpetError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Certificate } from './certificate.ts';
import { expiryNotice } from './expiry.ts';
import { FileWatch } from './file_watch.ts';
import { type KeptCertificates, keptOf, servedAgain } from './kept.ts';
import {
  type LoadedCertificate,
  loadCertificates,
  loadTrust,
  makeContext,
  type Served,
  type ServedSet,
  servedSet,
  type Trust,
} from './secure_contexts.ts';
import type { TicketKeys } from './tickets.ts';

/** What changes in two steps (certificate, then key) is no problem before this. */
const PATIENCE_MS = 1000;
const EXPIRY_EVERY_MS = 3_600_000;

/** The certificates of a bind, as they are on disk now. */
export interface TlsContexts {
  readonly config: TlsBindConfig;
  /** The context for a client that asks for this name (lower case). Null: with `strict_sni`, nobody of that name is here. */
  choose(sni: string | null): SecureContext | null;
  /** What is served now, for a process that cannot read it from disk. Null: nothing was ever loaded. */
  kept(): KeptCertificates | null;
  /**
   * Reads all files anew, and changes nothing. What it answers puts them into use, where they are others, and says so.
   * @throws LimpetError TLS_*: what is wrong with the first that cannot be used
   */
  renew(): Promise<() => boolean>;
  /** The same with what another process has read and found good. */
  adopt(kept: KeptCertificates): Promise<() => boolean>;
  close(): void;
}

/**
 * Loads the certificates of a bind and keeps them as they are on disk: new connections see a change within two seconds,
 * open ones are not touched. What cannot be used keeps what was there before, and says so once. `kept` is what was there
 * before for a process that has just started.
 * @throws LimpetError TLS_*: a file that cannot be used, at the start and without `kept`
 */
export async function createTlsContexts(
  config: TlsBindConfig,
  tickets: TicketKeys,
  log: Log,
  kept: KeptCertificates | null = null,
): Promise<TlsContexts> {
  const contexts = new WatchedContexts(config, tickets, log);
  try {
    await contexts.start(kept);
  } catch (error) {
    contexts.close();
    throw error;
  }
  return contexts;
}

class WatchedContexts implements TlsContexts {
  readonly config: TlsBindConfig;
  readonly #tickets: TicketKeys;
  readonly #log: Log;
  readonly #watch: FileWatch;
  readonly #expiry: NodeJS.Timeout;
  /** path and end of a certificate → when something was said of it. */
  readonly #told = new Map<string, number>();
  #set: ServedSet | null = null;
  #problems: readonly string[] = [];
  #retry: NodeJS.Timeout | null = null;

  constructor(config: TlsBindConfig, tickets: TicketKeys, log: Log) {
    this.config = config;
    this.#tickets = tickets;
    this.#log = log;
    this.#watch = new FileWatch(
      () => this.#paths(),
      () => this.#reload(false),
    );
    this.#expiry = setInterval(() => this.#tellExpiry(), EXPIRY_EVERY_MS);
    this.#expiry.unref();
  }

  async start(kept: KeptCertificates | null): Promise<void> {
    // Watched before it is read: what changes in between is read again.
    await this.#watch.start();
    try {
      this.#set = await this.#load();
    } catch (error) {
      if (kept === null) throw error;
      this.#set = servedAgain(kept, this.config, this.#tickets);
      // One bad file does not keep the good ones from being as they are on disk.
      await this.#reload(false);
    }
    this.#tellExpiry();
  }

  /** All of it, or nothing. */
  async #load(): Promise<ServedSet> {
    const trust = await loadTrust(this.config);
    const loaded = await loadCertificates(this.config);
    const all = loaded.map(({ result }) => {
      if (result instanceof LimpetError) throw result;
      return { certificate: result, context: makeContext(result, this.config, trust, this.#tickets) };
    });
    if (all.length === 0) throw nothingToServe(this.config.certs);
    return servedSet(trust, all);
  }

  async renew(): Promise<() => boolean> {
    const before = this.#set;
    const trust = await loadTrust(this.config);
    const loaded = await loadCertificates(this.config);
    const problems: LimpetError[] = [];
    const all = this.#renew(loaded, before, trust, problems);
    if (all.length === 0) problems.push(nothingToServe(this.config.certs));
    const [problem] = problems;
    if (problem !== undefined) throw problem;
    return () => this.#swap(trust, all);
  }

  async adopt({ trust, certificates }: KeptCertificates): Promise<() => boolean> {
    const problems: LimpetError[] = [];
    const loaded = certificates.map(certificate => ({ path: certificate.path, result: certificate }));
    const all = this.#renew(loaded, this.#set, trust, problems);
    const [problem] = problems;
    if (problem !== undefined) throw problem;
    return () => this.#swap(trust, all);
  }

  kept(): KeptCertificates | null {
    return this.#set === null ? null : keptOf(this.#set);
  }

  choose(sni: string | null): SecureContext | null {
    const named = sni === null ? null : (this.#set?.byName.find(sni) ?? null);
    if (named !== null) return named.context;
    return this.config.strictSni ? null : (this.#set?.all[0]?.context ?? null);
  }

  close(): void {
    this.#watch.close();
    clearInterval(this.#expiry);
    if (this.#retry !== null) clearTimeout(this.#retry);
  }

  #paths(): readonly string[] {
    const { certs, key, clientCa, crl } = this.config;
    const served = this.#set?.all.map(({ certificate }) => certificate.path) ?? [];
    return [...new Set([...certs, key, clientCa, crl, ...served].filter(path => path !== null))];
  }

  async #reload(isRetry: boolean): Promise<void> {
    try {
      await this.#reloadNow(isRetry);
    } catch (error) {
      this.#tellProblems([asProblem(error)], isRetry);
    }
  }

  async #reloadNow(isRetry: boolean): Promise<void> {
    const before = this.#set;
    if (before === null) return;
    const problems: LimpetError[] = [];
    const trust = await loadTrust(this.config).catch((error: unknown) => {
      problems.push(asProblem(error));
      return before.trust;
    });
    const all = this.#renew(await loadCertificates(this.config), before, trust, problems);
    if (all.length === 0) problems.push(nothingToServe(this.config.certs));
    else this.#swap(trust, all);
    this.#tellProblems(problems, isRetry);
  }

  /** Each certificate anew where it changed; where it cannot be, the one before. */
  #renew(
    loaded: readonly LoadedCertificate[],
    before: ServedSet | null,
    trust: Trust,
    problems: LimpetError[],
  ): readonly Served[] {
    const hasSameTrust = trust.sessionIdContext === before?.trust.sessionIdContext;
    const old = new Map(before?.all.map(served => [served.certificate.path, served]));
    return loaded.flatMap(({ path, result }) => {
      const known = old.get(path);
      if (result instanceof LimpetError) problems.push(result);
      const certificate = result instanceof LimpetError ? known?.certificate : result;
      if (certificate === undefined) return [];
      if (known !== undefined && hasSameTrust && isSame(known.certificate, certificate)) return [known];
      try {
        return [{ certificate, context: makeContext(certificate, this.config, trust, this.#tickets) }];
      } catch (error) {
        problems.push(asProblem(error));
        return known === undefined ? [] : [known];
      }
    });
  }

  /** Whether anything is different. */
  #swap(trust: Trust, all: readonly Served[]): boolean {
    if (this.#set !== null && !isDifferent(this.#set.all, all)) return false;
    this.#replace(servedSet(trust, all));
    return true;
  }

  #replace(set: ServedSet): void {
    this.#set = set;
    const files = set.all.map(({ certificate }) => certificate.path);
    const ends = set.all.map(({ certificate }) => certificate.validToMs);
    const fields = { certs: files.length, first: files[0], ends: new Date(Math.min(...ends)).toISOString() };
    this.#log.info('tls_certs_loaded', fields, 'TLS certificates have changed and are in use');
    this.#tellExpiry();
  }

  #tellProblems(problems: readonly LimpetError[], isRetry: boolean): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    if (problems.length === 0) {
      this.#problems = [];
      return;
    }
    if (!isRetry) {
      this.#retry = setTimeout(() => void this.#reload(true), PATIENCE_MS);
      this.#retry.unref();
      return;
    }
    const known = new Set(this.#problems);
    this.#problems = problems.map(({ message }) => message);
    for (const { code, message, remedy } of problems) {
      if (known.has(message)) continue;
      this.#log.error('tls_cert_kept', { code, remedy }, `${message}; what was loaded before stays in use`);
    }
  }

  #tellExpiry(): void {
    const nowMs = Date.now();
    for (const { certificate } of this.#set?.all ?? []) {
      const { path, validToMs } = certificate;
      const key = `${path} ${validToMs}`;
      const notice = expiryNotice(path, validToMs, nowMs, this.#told.get(key) ?? null);
      if (notice === null) continue;
      this.#told.set(key, nowMs);
      this.#log[notice.level](notice.event, { cert: path, days: notice.days }, notice.message);
    }
  }
}

function isSame(one: Certificate, other: Certificate): boolean {
  return one.certPem === other.certPem && one.keyPem === other.keyPem;
}

function isDifferent(before: readonly Served[], after: readonly Served[]): boolean {
  return before.length !== after.length || before.some((served, index) => served !== after[index]);
}

function asProblem(error: unknown): LimpetError {
  if (error instanceof LimpetError) return error;
  return new LimpetError('TLS_LOAD_FAILED', String(error), 'Look at the files by hand.');
}

function nothingToServe(certs: readonly string[]): LimpetError {
  const remedy = 'Put a PEM file into it that holds certificate, chain and key.';
  return new LimpetError('TLS_CERT_EMPTY', `no certificate with a key in ${certs.join(', ')}`, remedy);
}
