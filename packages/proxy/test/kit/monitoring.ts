/** What deploy/ has for Prometheus and Grafana, as tests look at it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const DEPLOY: string = fileURLToPath(new URL('../../../../deploy/', import.meta.url));
export const RULES: string = `${DEPLOY}prometheus/limpet.rules.yml`;
/** The rules' own tests; those of `slow` are about hours. */
export const RULES_TESTS: readonly string[] = ['test', 'slow.test'].map(
  name => `${DEPLOY}prometheus/limpet.${name}.yml`,
);

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export function alerts(): readonly Alert[] {
  const { groups } = parse(readFileSync(RULES, 'utf8')) as { groups: readonly { rules: readonly Alert[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly query: string | { readonly query: string };
}

export interface Dashboard {
  readonly uid: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
}

export function dashboard(): Dashboard {
  return JSON.parse(readFileSync(`${DEPLOY}grafana/limpet.json`, 'utf8')) as Dashboard;
}

/** Each query of the dashboard as Grafana sends it where everything is chosen: title, and PromQL. */
export function queries({ panels, annotations }: Dashboard): readonly (readonly [title: string, promql: string])[] {
  const asked = panels.flatMap(({ title, targets }) => (targets ?? []).map(({ expr }) => [title, expr] as const));
  const marked = annotations.list.map(({ expr }) => ['annotations', expr] as const);
  return [...asked, ...marked].map(([title, expr]) => [title, filledIn(expr)] as const);
}

function filledIn(expr: string): string {
  return expr.replaceAll('$__rate_interval', '10s').replaceAll(/"\$[a-z]+"/g, '".*"');
}
