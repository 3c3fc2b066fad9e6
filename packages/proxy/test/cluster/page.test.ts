/**
 * The stats page on the real program: real brokers, real clients, a real browser.
 */
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashPassword } from '../../src/admin/http/password.ts';
import { type Browser, startBrowser } from '../flow/admin/page_browser.ts';
import { accepts, startBroker } from '../kit/broker.ts';
import { type Brokers, startBrokers } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { ids } from '../kit/crowd.ts';
import { HomingClient } from '../kit/homing.ts';
import { type Limpet, startLimpet } from '../kit/limpet.ts';

const PASSWORD = 'of-the-test';
const CLIENTS = 300;
const PACE = 40;
const IMAGE = '<img src=x onerror=alert(1)>';
/** Mosquitto turns control characters away, as it may: this one goes to a broker that takes everything. */
const STRANGE = 'a\u0001b\u001b[31m\u202eevil\u200b\\';
const STRANGE_SHOWN = 'a\\u{01}b\\u{1b}[31m\\u{202e}evil\\u{200b}\\\\';
const SHAPES = [1440, 820, 360].flatMap(width => (['light', 'dark'] as const).map(scheme => ({ width, scheme })));

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
});

async function configured(brokers: Brokers, strangePort: number, bind: string): Promise<object> {
  const users = { admin: { password: await hashPassword(PASSWORD), level: 'admin' } };
  return {
    global: { name: 'lb1', workers: 2, stats: { bind, refresh: '1s', users } },
    frontends: {
      mqtt: { bind: '127.0.0.1:0', default_backend: 'brokers' },
      strange: { bind: '127.0.0.1:0', default_backend: 'any' },
    },
    backends: {
      brokers: { stick: { on: 'client_id', size: '100k', expire: '30m' }, servers: brokers.servers() },
      any: {
        check: false,
        stick: { on: 'client_id', size: '1k', expire: '30m' },
        servers: { s1: `127.0.0.1:${strangePort}` },
      },
    },
  };
}

async function statsOf(limpet: Limpet): Promise<string> {
  const event = await limpet.waitForEvent(
    one => one.event === 'admin_listening' && one.face === 'stats',
    'the address of the page',
  );
  return String(event.address);
}

class Devices implements Disposable {
  readonly all: readonly HomingClient[];

  constructor(clients: readonly (readonly [port: number, clientId: string])[]) {
    this.all = clients.map(
      ([port, clientId], i) =>
        new HomingClient({ port, clientId, version: i % 2 === 0 ? 4 : 5, isPolite: true, awayMs: 50 + (i % 100) }),
    );
  }

  async allIn(): Promise<void> {
    await until(() => this.all.every(({ isIn }) => isIn), { what: 'all clients that are in', timeoutMs: 30_000 });
  }

  [Symbol.dispose](): void {
    for (const one of this.all) one[Symbol.dispose]();
  }
}

async function find(page: Page, clientId: string): Promise<string> {
  await page.evaluate("document.getElementById('found-title')?.remove()");
  // Typed texts lose control characters: they are set as a script of the user would.
  await page.locator('#search-id').evaluate((input, value) => Object.assign(input, { value }), clientId);
  await page.getByRole('button', { name: 'Find' }).click();
  await page.locator('#found-title').waitFor();
  return (await page.locator('#found').textContent()) ?? '';
}

async function faults(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return await page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
    const bad = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    return bad.flatMap(({ id, nodes }) => nodes.slice(0, 3).map(({ html }) => `${id}: ${html}`));
  });
}

/** A number in the row of a broker, as the page shows it. */
async function sessionsOf(page: Page, server: string): Promise<number> {
  return Number(await page.locator(`tbody[data-key=${server}] td[data-label=Sessions]`).textContent());
}

async function stateOf(page: Page, server: string): Promise<string | null> {
  return await page.locator(`tbody[data-key=${server}] .state`).textContent();
}

async function drain(page: Page, server: string, pace: number): Promise<void> {
  await page.getByRole('button', { name: `Drain ${server}` }).click();
  await page.getByLabel('Pace').fill(String(pace));
  await page
    .getByRole('form', { name: `Drain ${server}?` })
    .getByRole('button', { name: `Drain ${server}` })
    .click();
  await page.getByRole('progressbar', { name: `Drain brokers/${server}` }).waitFor();
}

test('an operator finds a client, drains a broker, watches, takes back, and is told when the proxy goes', async () => {
  await using brokers = await startBrokers(3);
  await using strange = await startBroker(accepts());
  await using limpet = await startLimpet(await configured(brokers, strange.port, '127.0.0.1:0'));
  const stats = await statsOf(limpet);
  const url = `http://${stats}/stats`;
  const ports = [limpet.port('mqtt'), limpet.port('strange')] as const;
  using devices = new Devices([
    ...ids('sensor', CLIENTS - 1).map(id => [ports[0], id] as const),
    [ports[0], IMAGE],
    [ports[1], STRANGE],
  ]);
  await devices.allIn();
  expect((await fetch(url)).status).toBe(401);

  const { page, complaints } = await browser.open(url, { level: 'admin' });
  const dialogs: string[] = [];
  page.on('dialog', dialog => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  await until(async () => (await sessionsOf(page, 'b2')) === CLIENTS / 3, { what: '100 sessions of b2 on the page' });

  const found = await find(page, 'sensor-7');
  expect(found).toMatch(/On brokers\/b\d since [\d:]+, for .*balance algorithm chose this broker.*Stick entry/);
  expect(found).toContain('pinned: it stays while the client is connected');

  // Ids that would like to be more than text: in the search, its stick entry, and the events.
  expect(await find(page, IMAGE)).toContain(`Key${IMAGE}`);
  const told = await find(page, STRANGE);
  expect(told).toContain(`Client ${STRANGE_SHOWN}`);
  expect(told).toContain('Keysha256:');
  expect(told).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  const authorization = `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}`;
  const headers = { authorization, 'Content-Type': 'application/json', 'X-Limpet-Request': '1' };
  for (const [backend, id, server] of [
    ['brokers', IMAGE, 'b1'],
    ['any', STRANGE, 's1'],
  ] as const) {
    const below = `table/${backend}/${encodeURIComponent(id)}`;
    const init = { method: 'PUT', headers, body: JSON.stringify({ server }) };
    expect((await fetch(`http://${stats}/api/v1/${below}`, init)).status).toBe(200);
    await page.locator('#events').getByText(`PUT /${below}`).waitFor();
  }
  expect(await page.locator('body').textContent()).not.toMatch(/(?!\n)[\p{Cc}\u202e\u200b]/u);
  expect(await page.locator('img:not(.mark)').count()).toBe(0);

  await devices.allIn();
  const before = brokers.connections('b2').length;
  await drain(page, 'b2', PACE);
  const bar = page.getByRole('progressbar', { name: 'Drain brokers/b2' });
  const seen: number[] = [];
  const isDone = async (): Promise<boolean> => {
    seen.push(Number(await bar.getAttribute('aria-valuenow')));
    return await page.getByText('Done at').isVisible();
  };
  await until(isDone, { what: 'the end of the drain', timeoutMs: 30_000 });
  expect(seen.filter(value => value > 0 && value < 100).length).toBeGreaterThan(0);
  expect([...seen].sort((a, b) => a - b)).toEqual(seen);
  await devices.allIn();
  await until(async () => (await sessionsOf(page, 'b2')) === 0, { what: 'nobody on b2' });
  expect(await stateOf(page, 'b2')).toBe('DRAIN');
  expect(brokers.connections('b2').length).toBe(before);

  await drain(page, 'b3', 2);
  await page.getByRole('button', { name: 'Take back: Drain brokers/b3' }).click();
  await page.getByRole('button', { name: 'Yes, take back' }).click();
  await page.getByText('Taken back at').waitFor();
  await until(async () => (await stateOf(page, 'b3')) === 'UP', { what: 'b3 UP' });

  await page.getByRole('button', { name: 'Ready b2' }).click();
  await page.getByRole('form', { name: 'Ready b2?' }).getByRole('button', { name: 'Ready b2' }).click();
  await until(async () => (await stateOf(page, 'b2')) === 'UP', { what: 'b2 UP' });

  const lines = async (): Promise<string> =>
    await page.evaluate("[...document.querySelectorAll('.area path')].map(one => one.getAttribute('d')).join()");
  const drawn = await until(lines, { what: 'plots', timeoutMs: 30_000 });
  await until(async () => (await lines()) !== drawn, { what: 'plots that move', timeoutMs: 30_000 });

  await page.getByRole('button', { name: 'b2', exact: true }).click();
  for (const { width, scheme } of SHAPES) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    await page.evaluate('new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))');
    const where = `${width} ${scheme}`;
    expect(await faults(page), where).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), where).toBe(0);
    // An opened row is as wide as its table, which has no column that is not shown.
    await until(async () => (await emptySpace(page)) < 1, { what: `a table without empty columns at ${where}` });
  }
  expect({ complaints, dialogs }).toEqual({ complaints: [], dialogs: [] });

  const port = Number(stats.split(':').at(-1));
  await limpet.stop();
  await page.getByText('Connection lost, trying again').waitFor();
  complaints.splice(0);
  await using again = await startLimpet(await configured(brokers, strange.port, `127.0.0.1:${port}`));
  await page.locator('body.live').waitFor();
  expect(await page.locator('#lost').isHidden()).toBe(true);
  await until(
    async () => (await page.locator('#totals').textContent())?.includes(`pid ${again.process.pid}`) ?? false,
    {
      what: 'the new process on the page',
    },
  );

  // The browser would have complained of what the policy forbids.
  complaints.splice(0);
  await page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>')");
  await until(() => complaints.some(text => /Content Security Policy/.test(text)), { what: 'a complaint' });
  expect(dialogs).toEqual([]);
  await page.context().close();
});

/** Pixels between the last column of b1 that is shown and the right edge of its table. */
async function emptySpace(page: Page): Promise<number> {
  return await page
    .locator('tbody[data-key=b1] > tr')
    .first()
    .evaluate(row => {
      const shown = [...row.children].map(cell => cell.getBoundingClientRect().right);
      const table = row.closest('table')?.getBoundingClientRect().right ?? 0;
      // On cards, cells have an edge of the card beside them.
      return row.ownerDocument.documentElement.clientWidth <= 700 ? 0 : table - Math.max(...shown);
    });
}
