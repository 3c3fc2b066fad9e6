import { setImmediate } from 'node:timers/promises';
import { type MetricValueWithName, Registry } from 'prom-client';
import type { Snapshot } from '../snapshot.ts';
import { type Family, labelText, type Sample } from './family.ts';
import { primaryMetrics } from './primary_families.ts';
import { PROXY_FAMILIES } from './proxy_families.ts';
import { SERVER_FAMILIES } from './server_families.ts';

export type MetricsFormat = 'prometheus' | 'openmetrics';

/** Everything that /metrics tells of the proxy; beside it the primary process itself (primaryMetrics). */
export const FAMILIES: readonly Family[] = [...PROXY_FAMILIES, ...SERVER_FAMILIES];

/** Whether somebody prefers OpenMetrics (Accept), as Prometheus does where it may. */
export function wantsOpenMetrics(accept: string | undefined): boolean {
  return /\bapplication\/openmetrics-text\b(?!\s*;[^,]*\bq=0(?:\.0+)?(?:\s|,|;|$))/i.test(accept ?? '');
}

/** So long one turn of the event loop may last: it is the primary's, which serves clients. */
const TURN_MS = 3;

/**
 * The snapshot as text. With hundreds of servers it is made in several turns of the event loop, of the one snapshot.
 * Written here and not by prom-client: that took 45 ms for 200 servers, most of it in escaping each label anew.
 */
export async function metricsText(
  snapshot: Snapshot,
  format: MetricsFormat,
): Promise<{ readonly type: string; readonly text: string }> {
  const isOpen = format === 'openmetrics';
  const parts: string[] = [];
  let startMs = performance.now();
  for (const { name, type, help, samples } of FAMILIES) {
    parts.push(textOf({ name, type, help }, samples(snapshot), isOpen));
    if (performance.now() - startMs > TURN_MS) {
      await setImmediate();
      startMs = performance.now();
    }
  }
  parts.push(await primaryText(isOpen));
  if (isOpen) parts.push('# EOF\n');
  const type = isOpen ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE;
  return { type, text: parts.join('') };
}

type Described = Pick<Family, 'name' | 'help'> & { readonly type: string };

function textOf({ name, type, help }: Described, samples: readonly Sample[], isOpen: boolean): string {
  // OpenMetrics describes a counter without the `_total` that its values have.
  const described = isOpen && type === 'counter' ? name.replace(/_total$/, '') : name;
  const end = isOpen && type === 'counter' && described === name ? '_total' : '';
  const safe = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  // An array that is joined here: one long text of all would be put together at the end, in one turn.
  const lines = [`# HELP ${described} ${safe}\n# TYPE ${described} ${type}\n`];
  for (const { labels, value, suffix } of samples) {
    const braced = labels === '' ? '' : `{${labels}}`;
    lines.push(`${name}${suffix}${end}${braced} ${numberText(value)}\n`);
  }
  return lines.join('');
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}

/** What prom-client measures of this process. */
async function primaryText(isOpen: boolean): Promise<string> {
  const metrics = await primaryMetrics();
  return metrics
    .map(({ name, type, help, values }) => {
      const samples = (values as readonly MetricValueWithName<string>[]).map(
        ({ labels, value, metricName = name }) => ({
          labels: labelText(Object.fromEntries(Object.entries(labels).map(([label, said]) => [label, String(said)]))),
          value,
          suffix: metricName.slice(name.length),
        }),
      );
      return textOf({ name, type: String(type), help }, samples, isOpen);
    })
    .join('');
}
