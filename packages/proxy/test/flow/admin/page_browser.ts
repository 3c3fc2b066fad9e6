import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { hashPassword } from '../../../src/admin/http/password.ts';
import { startStats } from '../../../src/admin/http/stats_server.ts';
import type { AdminLevel, StatsConfig } from '../../../src/config/resolved.ts';
import { SILENT } from '../../../src/log.ts';
import type { PageControl } from './page_control.ts';

/** Of every user of the site; its name is its level. */
export const PASSWORD = 'of-the-test';

export interface Site extends AsyncDisposable {
  readonly url: string;
  /** Restarts nothing: new streams are refused and live ones end, until the next call. */
  close(): Promise<void>;
}

/** The real HTTP side before these facts. `level` null: there are no users. */
export async function serve(control: PageControl, level: AdminLevel | null, port = 0): Promise<Site> {
  const users = level === null ? [] : [{ name: level, password: await hashPassword(PASSWORD), level }];
  const config: StatsConfig = {
    ...{
      label: `127.0.0.1:${port}`,
      host: '127.0.0.1',
      port,
      uri: '/stats',
      refreshMs: 1000,
      tls: null,
      users,
      hosts: [],
    },
  };
  const stats = await startStats(config, control, SILENT);
  const close = async (): Promise<void> => await stats.close();
  return { url: `http://${stats.listening}/stats`, close, [Symbol.asyncDispose]: close };
}

export interface Browser extends AsyncDisposable {
  /** A page of its own profile. What its scripts complain of is gathered in `complaints`. */
  open(url: string, options?: BrowserContextOptions & { readonly level?: AdminLevel }): Promise<Opened>;
}

export interface Opened {
  readonly page: Page;
  /** A test may take out what it has seen. */
  readonly complaints: string[];
}

/** The system's Chromium, driven. */
export async function startBrowser(): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-quic'],
  });
  return {
    async open(url, { level, ...options } = {}) {
      const credentials = level === undefined ? {} : { httpCredentials: { username: level, password: PASSWORD } };
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options, ...credentials });
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('pageerror', error => complaints.push(error.message));
      page.on('console', message => {
        if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
      });
      await page.goto(url);
      return { page, complaints };
    },
    [Symbol.asyncDispose]: async () => await browser.close(),
  };
}
