import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FAMILIES } from '../../../src/admin/metrics/exposition.ts';
import { primaryMetrics } from '../../../src/admin/metrics/primary_families.ts';
import { alerts, DEPLOY, dashboard, queries, RULES_TESTS } from '../../kit/monitoring.ts';

/** Name of a series → its labels. */
async function known(): Promise<ReadonlyMap<string, readonly string[]>> {
  const ours = FAMILIES.flatMap(({ name, type, labels }) => {
    if (type !== 'histogram') return [[name, labels] as const];
    return [
      [`${name}_bucket`, [...labels, 'le']] as const,
      ...['sum', 'count'].map(end => [`${name}_${end}`, labels] as const),
    ];
  });
  const primary = (await primaryMetrics()).map(({ name }) => [name, []] as const);
  return new Map<string, readonly string[]>([...ours, ...primary, ['ALERTS', ['alertname', 'alertstate']], ['up', []]]);
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own, for the data source that was chosen.
const CHOSEN = '${datasource}';

const SELECTOR = /\b(limpet_[a-z0-9_]+|up|ALERTS)(?:\{([^}]*)\})?/g;

/** Series and labels of a query that do not exist. */
function strangers(promql: string, series: ReadonlyMap<string, readonly string[]>): readonly string[] {
  return [...promql.matchAll(SELECTOR)].flatMap(([, name = '', matchers = '']) => {
    const labels = series.get(name);
    if (labels === undefined) return [name];
    const asked = [...matchers.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label);
    return asked.filter(one => ![...labels, 'job', 'instance'].includes(one)).map(one => `${name}{${one}}`);
  });
}

test.each([
  ['rate(limpet_frontend_sessions_total{frontend="a"}[5m]) > 0', []],
  ['limpet_frontend_session_total', ['limpet_frontend_session_total']],
  ['sum(limpet_server_up{job="x",frontend=~"a"})', ['limpet_server_up{frontend}']],
  ['limpet_backend_dial_seconds', ['limpet_backend_dial_seconds']],
] as const)('what is strange in %s', async (promql, strange) => {
  expect(strangers(promql, await known())).toEqual(strange);
});

describe('alerts', () => {
  test.each(alerts().map(one => [one.alert, one] as const))('%s', async (name, { expr, labels, annotations }) => {
    expect(name).toMatch(/^Limpet[A-Z]/);
    expect(strangers(expr, await known())).toEqual([]);
    expect(['critical', 'warning', 'info']).toContain(labels.severity);
    expect(annotations.summary).toMatch(/\S/);
    expect(annotations.description).toMatch(/\.$/);
  });

  test('the page for operators names each, and no other', () => {
    const page = readFileSync(`${DEPLOY}../docs/operations.md`, 'utf8');
    const named = [...page.matchAll(/`(Limpet[A-Z]\w+)`/g)].map(([, name]) => name);
    expect(named.toSorted()).toEqual(
      alerts()
        .map(({ alert }) => alert)
        .toSorted(),
    );
  });

  test('each has a name of its own, and is made to fire by a test', () => {
    const names = alerts().map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
    const text = RULES_TESTS.map(file => readFileSync(file, 'utf8')).join('');
    const tested = [...text.matchAll(/alertname="(\w+)"/g)].map(([, name]) => name);
    expect([...new Set(tested)].sort()).toEqual(names.toSorted());
  });
});

describe('dashboard', () => {
  const board = dashboard();

  test.each(queries(board))('%s: %s', async (_title, promql) => {
    expect(promql).not.toContain('$');
    expect(strangers(promql, await known())).toEqual([]);
  });

  test('every panel asks the chosen data source, says what it shows, and has a number of its own', () => {
    const shown = board.panels.filter(({ type }) => type !== 'row');
    for (const { title, description, datasource, targets } of shown) {
      expect.soft(description, title).toMatch(/\.$/);
      expect.soft(datasource?.uid, title).toBe(CHOSEN);
      expect.soft(targets?.length, title).toBeGreaterThan(0);
      for (const target of targets ?? []) expect.soft(target.datasource.uid, title).toBe(CHOSEN);
    }
    expect(new Set(board.panels.map(({ id }) => id)).size).toBe(board.panels.length);
  });

  test('no panel lies on another, and none is wider than the page', () => {
    const taken = new Set<string>();
    for (const { title, gridPos } of board.panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.has(`${x} ${y}`), title).toBe(false);
          taken.add(`${x} ${y}`);
        }
      }
    }
  });

  test('its variables are those that the queries use', async () => {
    const names = board.templating.list.map(({ name }) => name);
    const used = [...JSON.stringify(board).matchAll(/\$\{?([a-z]+)\b/g)].map(([, name]) => name);
    expect(names.filter(name => !used.includes(name))).toEqual([]);
    expect(used.filter(name => name !== undefined && !names.includes(name))).toEqual([]);
    for (const { query } of board.templating.list) {
      const asked = typeof query === 'string' ? query : query.query;
      expect(strangers(asked, await known())).toEqual([]);
    }
  });
});
