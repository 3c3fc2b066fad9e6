/**
 * The configuration that most tests want: one frontend `mqtt` on a free port, one backend `brokers`, no health checks.
 */

export interface ConfigOptions {
  /** Ports of 127.0.0.1; the servers are b1, b2, … */
  readonly servers: readonly number[];
  /** Default 1. */
  readonly workers?: number;
  /** More keys of `global`, `defaults`, the frontend and the backend. */
  readonly global?: object;
  readonly defaults?: object;
  readonly frontend?: object;
  readonly backend?: object;
}

export function configFor(options: ConfigOptions): object {
  const servers = options.servers.map((port, index) => [`b${index + 1}`, `127.0.0.1:${port}`]);
  return {
    global: { name: 'lb1', workers: options.workers ?? 1, ...options.global },
    defaults: { ...options.defaults },
    frontends: { mqtt: { bind: '127.0.0.1:0', default_backend: 'brokers', ...options.frontend } },
    backends: { brokers: { check: false, servers: Object.fromEntries(servers), ...options.backend } },
  };
}
