import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import { collectDefaultMetrics, Registry } from 'prom-client';

/** Gauges that are named as if they were counters, and told by kind beside. */
const MISNAMED = ['active_handles', 'active_requests', 'active_resources'].map(
  name => `limpet_primary_nodejs_${name}_total`,
);

let registry: Registry | null = null;

/**
 * The primary process itself: CPU, memory, event loop, garbage collection. Measured from the first call on, for as long as
 * the process lives.
 */
export function primaryMetrics(): Promise<MetricObjectWithValues<MetricValue<string>>[]> {
  if (registry === null) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry, prefix: 'limpet_primary_' });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
  }
  return registry.getMetricsAsJSON();
}
