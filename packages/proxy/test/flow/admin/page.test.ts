import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LimpetError } from '../../../src/errors.ts';
import { until } from '../../kit/condition.ts';
import { type Browser, PASSWORD, serve, startBrowser } from './page_browser.ts';
import { PageControl } from './page_control.ts';

const WIDTHS = [320, 360, 820, 1440];
const SCHEMES = ['light', 'dark'] as const;
const HOSTILE = '<img src=x onerror="document.title=1">';
const STRANGE = 'a\u0000b\u001b[31m\u202eevil\u200b\\';

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
});

/** Serious and critical faults, as `rule: element`. */
async function faults(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return await page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
    const bad = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    return bad.flatMap(({ id, nodes }) =>
      nodes.slice(0, 3).map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    );
  });
}

/** How far the page could be scrolled sideways. */
async function overflow(page: Page): Promise<number> {
  return await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}

async function find(page: Page, clientId: string): Promise<string> {
  await page.evaluate("document.getElementById('found-title')?.remove()");
  await page.keyboard.press('/');
  // Typed texts lose control characters: they are set as a script of the user would.
  await page.locator('#search-id').evaluate((input, value) => Object.assign(input, { value }), clientId);
  await page.keyboard.press('Enter');
  await page.locator('#found-title').waitFor();
  return (await page.locator('#found').textContent()) ?? '';
}

describe.each(WIDTHS)('at %i px', width => {
  test.each(SCHEMES)(
    'in %s: nothing sticks out, axe finds no serious fault, no complaint of the browser',
    async scheme => {
      const control = new PageControl(12);
      await control.drain({ backend: 'emqx', server: 'emqx2', rate: 200, until: 0, reason: 0x9c });
      control.happen('error', 'config_invalid', HOSTILE + STRANGE);
      await using site = await serve(control, 'admin');
      const { page, complaints } = await browser.open(site.url, {
        ...{ level: 'admin', colorScheme: scheme, viewport: { width, height: 900 }, reducedMotion: 'reduce' },
      });
      await page.locator('.live tbody.server').first().waitFor();
      await page.locator('#plots-details').evaluate(details => details.setAttribute('open', ''));
      await page.locator('.area path').first().waitFor();
      await find(page, HOSTILE);
      await page.getByRole('button', { name: 'emqx1', exact: true }).click();
      await page.locator('.history time').first().waitFor();
      await page.getByRole('button', { name: 'Drain emqx3' }).click();
      await page.locator('details.values summary').first().click();
      expect(await overflow(page)).toBe(0);
      expect(await faults(page)).toEqual([]);
      expect(complaints).toEqual([]);
      await page.context().close();
    },
  );
});

describe('the proxies that share the state', () => {
  test('are listed, with roles and addresses; one that is silent raises an alarm', async () => {
    await using site = await serve(new PageControl(0), null);
    const { page, complaints } = await browser.open(site.url);
    const rows = page.locator('#proxies tbody');
    await rows.nth(2).waitFor();
    expect(await rows.nth(0).textContent()).toMatch(
      /^lb1 \(this one\)10\.0\.0\.100, fd00::100ALIVEactive[\d,]+0\.4\.0/,
    );
    expect(await rows.nth(1).textContent()).toMatch(/^lb2.*NOT READYstandby00\.4\.0.*0 s ago$/);
    expect(await rows.nth(2).textContent()).toMatch(/^lb3<b>\\u\{202e\}SILENTactive–0\.4\.0–1 min 35 s ago$/);
    const alarm = page.locator('#alarms', {
      hasText: 'Proxy lb3<b>\\u{202e} (active) has been silent for 1 min 35 s.',
    });
    await alarm.waitFor();
    await page.locator('#alarms', { hasText: 'Proxy lb2 (standby) is not ready: it cannot take over.' }).waitFor();
    expect(await page.locator('#role').textContent()).toBe('active for 4 h 12 min');
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('are not shown where there is one without a virtual address', async () => {
    const control = new PageControl(0);
    control.isAlone = true;
    await using site = await serve(control, null);
    const { page } = await browser.open(site.url);
    await page.locator('.live tbody.server').first().waitFor();
    expect(await page.locator('#proxies-section').isVisible()).toBe(false);
    await page.context().close();
  });
});

describe('a client', () => {
  test('is found by its id, with where, since when and why', async () => {
    const control = new PageControl(0);
    await using site = await serve(control, 'operator');
    const { page } = await browser.open(site.url, { level: 'operator' });
    await page.locator('.live').waitFor();
    const told = await find(page, 'sensor/17?x');
    expect(control.asked).toEqual(['sensor/17?x']);
    for (const part of [
      'emqx/emqx1',
      'for 2 h 5 min',
      'could not be used, so it was moved here',
      '1 attempt at other brokers failed',
    ]) {
      expect(told).toContain(part);
    }
    for (const part of ['203.0.113.7:50122', 'lb1/2, session 90317', 'cooling: 25 min 12 s left'])
      expect(told).toContain(part);
    expect(await find(page, 'nobody')).toContain('not connected');
    await page.context().close();
  });

  test('with a hostile id is shown harmlessly', async () => {
    const control = new PageControl(0);
    await using site = await serve(control, 'admin');
    const { page, complaints } = await browser.open(site.url, { level: 'admin' });
    await page.locator('.live').waitFor();
    expect(await find(page, HOSTILE)).toContain(HOSTILE);
    expect(await page.locator('#found img').count()).toBe(0);
    const told = await find(page, STRANGE);
    expect(told).toContain('a\\u{00}b\\u{1b}[31m\\u{202e}evil\\u{200b}\\\\');
    expect(told).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(control.asked).toEqual([HOSTILE, STRANGE]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});

describe('an operator', () => {
  test('drains a broker by keys: asked in place, paced, paused, resumed, taken back', async () => {
    const control = new PageControl(0);
    await using site = await serve(control, 'operator');
    const { page } = await browser.open(site.url, { level: 'operator' });
    const opener = page.getByRole('button', { name: 'Drain emqx1' });
    await opener.focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    expect(await opener.evaluate(element => element === element.ownerDocument.activeElement)).toBe(true);
    expect(control.orders).toEqual([]);

    await page.keyboard.press('Enter');
    await page.getByLabel('Pace').fill('250');
    await page.keyboard.press('Enter');
    await page.getByRole('progressbar', { name: 'Drain emqx/emqx1' }).waitFor();
    expect(control.orders).toEqual(['drain emqx/emqx1 rate=250 until=0']);
    control.advance();
    await page.getByText('250 of 1,00').waitFor();
    await page.getByRole('button', { name: 'Pause: Drain emqx/emqx1' }).click();
    await page.getByRole('button', { name: 'Resume: Drain emqx/emqx1' }).click();
    await page.getByRole('button', { name: 'Take back: Drain emqx/emqx1' }).click();
    await page.getByRole('button', { name: 'Yes, take back' }).click();
    await page.getByText('Taken back at').waitFor();
    expect(control.orders.slice(1)).toEqual(['task 7 paused', 'task 7 running', 'task 7 cancelled']);
    await page.context().close();
  });

  test('is told why an order was refused', async () => {
    const control = new PageControl(0);
    control.refusal = new LimpetError(
      'BAD_VALUE',
      'emqx3 is the last usable broker',
      'Set another one to ready first.',
    );
    await using site = await serve(control, 'operator');
    const { page } = await browser.open(site.url, { level: 'operator' });
    await page.getByRole('button', { name: 'Maint emqx3' }).click();
    await page.getByRole('form', { name: 'Maint emqx3?' }).getByRole('button', { name: 'Maint emqx3' }).click();
    const text = await page.getByText('emqx3 is the last usable broker').textContent();
    expect(text).toContain('Set another one to ready first.');
    expect(control.orders).toEqual([]);
    await page.context().close();
  });
});

test('opened by an address with a name and a password it works as any other', async () => {
  const control = new PageControl(0);
  await using site = await serve(control, 'operator');
  const { page, complaints } = await browser.open(site.url.replace('//', `//operator:${PASSWORD}@`));
  await page.locator('.live').waitFor();
  await page.locator('#plots-details').evaluate(details => details.setAttribute('open', ''));
  await page.locator('.area path').first().waitFor();
  expect(await find(page, 'sensor/17')).toContain('for 2 h 5 min');
  await page.getByRole('button', { name: 'Maint emqx3' }).click();
  await page.getByRole('form', { name: 'Maint emqx3?' }).getByRole('button', { name: 'Maint emqx3' }).click();
  await until(() => control.orders.length > 0, { what: 'the order' });
  expect(control.orders).toEqual(['emqx/emqx3 maint']);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test('an event of ours keeps its lines; no other text does', async () => {
  const control = new PageControl(0);
  await using site = await serve(control, 'admin');
  const { page } = await browser.open(site.url, { level: 'admin' });
  await page.locator('.live').waitFor();
  control.happen('error', 'reload_failed', 'limpet.yaml:3:1: wrong\nlimpet.yaml:9:1: wrong too');
  control.happen('info', 'admin', 'table set emqx a\nb');
  const failed = page.locator('#events li', { hasText: 'reload_failed' }).locator('.message');
  await failed.waitFor();
  expect(await failed.textContent()).toContain('wrong\nlimpet.yaml:9:1: wrong too');
  expect(await failed.evaluate(text => text.ownerDocument.defaultView?.getComputedStyle(text).whiteSpace)).toBe(
    'pre-line',
  );
  const set = page.locator('#events li', { hasText: 'table set' }).locator('.message');
  await set.waitFor();
  expect(await set.textContent()).toContain('a\\u{0a}b');
  await page.context().close();
});

test('a sample that stands alone is a point, and no two ticks of an axis are alike', async () => {
  const control = new PageControl(0);
  const history = control.history();
  const alone = history.connackP99Ms.map((_, at) => (at === 100 ? 40 : null));
  const ends = { client_closed: history.atMs.map((_, at) => (at === 50 ? 1 : 0)) };
  control.history = () => ({ ...history, connackP50Ms: alone, connackP99Ms: alone, ends });
  await using site = await serve(control, null);
  const { page } = await browser.open(site.url);
  const plot = (title: string) => page.locator('.plot', { hasText: title });
  await plot('CONNACK latency').locator('circle').first().waitFor();
  expect(await plot('CONNACK latency').locator('circle').count()).toBe(2);
  const ticks = await plot('Ends of sessions').locator('.tick.y').allTextContents();
  expect(ticks).toEqual(['0', '0.05', '0.10']);
  await page.context().close();
});

test('is served under a policy that allows nothing from elsewhere and nothing inline', async () => {
  await using site = await serve(new PageControl(0), null);
  const policy = (await fetch(site.url)).headers.get('content-security-policy');
  const parts = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
  ];
  expect(policy?.split(/; */)).toEqual(expect.arrayContaining(parts));
  expect(policy).not.toContain('unsafe');
});

test.each([null, 'user'] as const)(
  'level %s sees no button and no search, and a line that says how to get them',
  async level => {
    await using site = await serve(new PageControl(0), level);
    const { page } = await browser.open(site.url, level === null ? {} : { level });
    await page.getByText('You may look, not operate').waitFor();
    expect(await page.getByRole('button', { name: /Drain|Maint|Ready|Rebalance|Find/ }).count()).toBe(0);
    await page.context().close();
  },
);

test('with 200 brokers an update takes less than a frame, and writes only what has changed', async () => {
  const control = new PageControl(200);
  await using site = await serve(control, 'admin');
  const { page } = await browser.open(site.url, { level: 'admin' });
  await page.locator('.live').waitFor();
  const row = page.locator('tbody[data-key=edge-200]');
  const before = await row.elementHandle();
  // One that is DOWN stays as it is; the other one's sessions change.
  await page.evaluate(`globalThis.writes = {};
    for (const key of ['edge-006', 'edge-001']) {
      const count = changes => { writes[key] = (writes[key] ?? 0) + changes.length; };
      const all = { subtree: true, childList: true, characterData: true, attributes: true };
      new MutationObserver(count).observe(document.querySelector('tbody[data-key=' + key + ']'), all);
    }`);
  const took: number[] = [];
  for (let round = 0; round < 4; round += 1) {
    const since = await page.evaluate(() => performance.getEntriesByName('update').at(-1)?.startTime ?? 0);
    control.advance();
    const later = await until(
      () =>
        page.evaluate(
          start => performance.getEntriesByName('update').find(({ startTime }) => startTime > start)?.duration,
          since,
        ),
      { what: 'the next update' },
    );
    took.push(later);
  }
  // Told, not asserted: what holds it quick is that nothing is written but what has changed.
  console.log(`200 brokers: updates took ${took.map(ms => ms.toFixed(1)).join(', ')} ms`);
  expect(await before?.evaluate(element => element.isConnected)).toBe(true);
  const writes = await page.evaluate('writes');
  expect(writes).toEqual({ 'edge-001': expect.any(Number) });

  await page.getByRole('button', { name: /^DOWN/ }).click();
  await expect.poll(() => page.locator('tbody.server[data-key^=edge]:visible').count()).toBe(3);
  await page.context().close();
});

test('the focus stays where it is while brokers come and go', async () => {
  const control = new PageControl(12);
  await using site = await serve(control, 'admin');
  const { page } = await browser.open(site.url, { level: 'admin' });
  const row = page.getByRole('button', { name: 'edge-007', exact: true });
  await row.focus();
  control.gone.add('edge-001');
  await page.locator('tbody[data-key=edge-001]').waitFor({ state: 'detached' });
  control.gone.clear();
  await page.locator('tbody[data-key=edge-001]').waitFor();
  expect(await row.evaluate(element => element === element.ownerDocument.activeElement)).toBe(true);
  expect(await page.locator('tbody.server').nth(3).getAttribute('data-key')).toBe('edge-001');
  await page.context().close();
});

test('says that the connection is lost, and comes back by itself', async () => {
  const control = new PageControl(0);
  const site = await serve(control, null);
  const { page } = await browser.open(site.url);
  await page.locator('.live').waitFor();
  await site.close();
  await page.getByText('Connection lost, trying again').waitFor();
  expect(await page.locator('body').getAttribute('class')).toBe('stale');
  await using again = await serve(control, null, Number(new URL(site.url).port));
  await page.locator('body.live').waitFor();
  expect(await page.locator('#lost').isHidden()).toBe(true);
  expect(again.url).toBe(site.url);
  await page.context().close();
});

test('the theme is kept', async () => {
  await using site = await serve(new PageControl(0), null);
  const { page } = await browser.open(site.url, { colorScheme: 'light' });
  const ground = (): Promise<string> => page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
  const light = await ground();
  await page.getByText('Dark', { exact: true }).click();
  const dark = await ground();
  await page.reload();
  expect([await ground(), dark === light]).toEqual([dark, false]);
  await page.context().close();
});
