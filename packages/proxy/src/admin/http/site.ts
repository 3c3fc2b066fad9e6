import type { StatsConfig } from '../../config/resolved.ts';
import type { Log } from '../../log.ts';
import type { Control } from '../control.ts';
import { statsCsv, statsJson } from '../csv/stat.ts';
import { metricsText, wantsOpenMetrics } from '../metrics/exposition.ts';
import { type PageAsset, pageAssets } from '../page/assets.ts';
import { type Exchange, refuse, send, sendJson } from './answer.ts';
import { serveApi, type Visitor } from './api_exchange.ts';
import { Authenticator, type Verdict } from './authenticator.ts';
import { EventStreams } from './event_streams.ts';
import { FailureLog } from './failure_log.ts';
import { availability } from './readiness.ts';
import { isOurHost } from './same_site.ts';
import { type Target, targetOf } from './target.ts';

const TEXT = 'text/plain; charset=utf-8';
const LOOKING: readonly string[] = ['GET', 'HEAD'];
const METHODS: readonly string[] = [...LOOKING, 'POST', 'PUT', 'DELETE'];

/** What is served over HTTP, whatever listens. */
export class Site {
  readonly #control: Control;
  readonly #log: Log;
  readonly #failureLog: FailureLog;
  readonly streams: EventStreams;
  #config: StatsConfig;
  #assets: ReadonlyMap<string, PageAsset>;
  #authenticator: Authenticator;

  constructor(config: StatsConfig, control: Control, log: Log) {
    this.#config = config;
    this.#control = control;
    this.#log = log;
    this.#failureLog = new FailureLog(log);
    this.#assets = pageAssets(config.uri);
    this.#authenticator = new Authenticator(config.users);
    this.streams = new EventStreams(control, config.refreshMs);
  }

  /** Requests from now on are served so. Where users have changed, live streams end. */
  reconfigure(config: StatsConfig): void {
    const before = this.#config;
    this.#config = config;
    if (config.uri !== before.uri) this.#assets = pageAssets(config.uri);
    this.streams.reconfigure(config.refreshMs);
    if (JSON.stringify(config.users) === JSON.stringify(before.users)) return;
    this.#authenticator = new Authenticator(config.users);
    this.streams.endAll();
  }

  /** Answers one request. Never rejects. */
  async serve(exchange: Exchange): Promise<void> {
    try {
      await this.#serve(exchange);
    } catch (error) {
      this.#log.error('stats_failed', { error: error instanceof Error ? error.message : String(error) });
      if (exchange.response.headersSent) exchange.response.destroy();
      else refuse(exchange, 500, 'INTERNAL', 'an unexpected error', 'The log says more.');
    }
  }

  async #serve(exchange: Exchange): Promise<void> {
    const { request } = exchange;
    const method = request.method ?? '';
    const { uri, hosts } = this.#config;
    const target = targetOf(request.url ?? '', uri);
    const methods = target.kind === 'api' ? METHODS : LOOKING;
    if (!methods.includes(method)) wrongMethod(exchange, methods);
    else if (!isOurHost(request.headers.host, hosts)) wrongHost(exchange);
    else if (target.kind === 'health') send(exchange, 200, TEXT, 'ok\n');
    else if (target.kind === 'readiness') await this.#readiness(exchange);
    else await this.#serveKnown(exchange, target);
  }

  /** To those only who may look. */
  async #serveKnown(exchange: Exchange, target: Target): Promise<void> {
    const { request } = exchange;
    const source = request.socket.remoteAddress ?? 'unknown';
    const verdict = await this.#authenticator.judge(request.headers.authorization, source);
    if (verdict.kind !== 'let_in') {
      this.#turnAway(exchange, verdict, source);
      return;
    }
    const by = verdict.name === null ? `http ${source}` : `http ${verdict.name}@${source}`;
    await this.#answer(exchange, target, { level: verdict.level, by });
  }

  async #answer(exchange: Exchange, target: Target, visitor: Visitor): Promise<void> {
    const snapshot = () => this.#control.snapshot();
    if (target.kind === 'page') this.#file(exchange, this.#config.uri);
    else if (target.kind === 'asset') this.#file(exchange, target.path);
    else if (target.kind === 'csv') send(exchange, 200, TEXT, statsCsv(snapshot()));
    else if (target.kind === 'json') send(exchange, 200, 'application/json', statsJson(snapshot()));
    else if (target.kind === 'metrics') await this.#metrics(exchange);
    else if (target.kind === 'events') this.#events(exchange, visitor);
    else if (target.kind === 'api') await serveApi(exchange, target, visitor, this.#control, this.#log);
    else if (target.kind === 'redirect') send(exchange, 302, TEXT, '', { Location: this.#config.uri });
    else notFound(exchange);
  }

  /** Whether it is ready is told to all, why it is not only to those who may look. */
  async #readiness(exchange: Exchange): Promise<void> {
    const { headers, socket } = exchange.request;
    const source = socket.remoteAddress ?? 'unknown';
    const verdict = await this.#authenticator.judge(headers.authorization, source);
    if (verdict.kind === 'wrong' || verdict.kind === 'too_many') this.#failureLog.failed(source);
    const { ready, reasons } = availability(this.#control.snapshot());
    sendJson(exchange, ready ? 200 : 503, verdict.kind === 'let_in' ? { ready, reasons } : { ready });
  }

  async #metrics(exchange: Exchange): Promise<void> {
    const isOpen = wantsOpenMetrics(exchange.request.headers.accept);
    const { type, text } = await metricsText(this.#control.snapshot(), isOpen ? 'openmetrics' : 'prometheus');
    send(exchange, 200, type, text, { Vary: 'Accept' });
  }

  #events(exchange: Exchange, { level }: Visitor): void {
    if (exchange.request.method === 'HEAD') send(exchange, 200, 'text/event-stream; charset=utf-8', '');
    else if (!this.streams.open(exchange, level)) {
      const remedy = 'Close other pages, or ask /api/v1.';
      refuse(exchange, 503, 'TOO_MANY_STREAMS', 'too many pages are open from there', remedy, { 'Retry-After': '30' });
    }
  }

  #file(exchange: Exchange, path: string): void {
    const asset = this.#assets.get(path);
    if (asset === undefined) {
      notFound(exchange);
      return;
    }
    // Kept, but asked for again each time: an upgrade shows at once.
    const headers = { ETag: asset.etag, 'Cache-Control': 'no-cache' };
    const known = exchange.request.headers['if-none-match']?.split(',').map(tag => tag.trim().replace(/^W\//, ''));
    if (known?.includes(asset.etag)) exchange.response.writeHead(304, headers).end();
    else send(exchange, 200, asset.type, asset.body, headers);
  }

  #turnAway(exchange: Exchange, verdict: Exclude<Verdict, { kind: 'let_in' }>, source: string): void {
    if (verdict.kind === 'wrong' || verdict.kind === 'too_many') this.#failureLog.failed(source);
    if (verdict.kind === 'too_many') {
      const retry = { 'Retry-After': String(verdict.retryAfterS) };
      refuse(exchange, 429, 'TOO_MANY_TRIES', 'too many wrong passwords', 'Wait, then try again.', retry);
    } else if (verdict.kind === 'busy') {
      refuse(exchange, 503, 'BUSY', 'too many log in at once', 'Try again.', { 'Retry-After': '1' });
    } else {
      const what = verdict.kind === 'wrong' ? 'wrong user name or password' : 'this needs a user name and a password';
      const ask = { 'WWW-Authenticate': 'Basic realm="Limpet", charset="UTF-8"' };
      refuse(exchange, 401, 'UNAUTHORIZED', what, 'Use one of `global.stats.users`.', ask);
    }
  }
}

function wrongHost(exchange: Exchange): void {
  const remedy = 'Ask by address or as localhost, or add the name to `global.stats.hosts`.';
  refuse(exchange, 421, 'WRONG_HOST', 'this is not served under that name', remedy);
}

function wrongMethod(exchange: Exchange, allowed: readonly string[]): void {
  const message = `${exchange.request.method} is not understood here`;
  const allow = allowed.join(', ');
  refuse(exchange, 405, 'WRONG_METHOD', message, `Use ${allow}.`, { Allow: allow });
}

function notFound(exchange: Exchange): void {
  refuse(exchange, 404, 'NO_SUCH_PATH', 'there is nothing at this path', 'See docs/api.md for what there is.');
}
