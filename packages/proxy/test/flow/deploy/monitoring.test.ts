import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { Counts } from '../../../src/account/counters.ts';
import { metricsText } from '../../../src/admin/metrics/exposition.ts';
import type { Snapshot } from '../../../src/admin/snapshot.ts';
import { latencies, snapshotFacts } from '../../kit/admin_facts.ts';
import { until } from '../../kit/condition.ts';
import { makeDirectory } from '../../kit/directory.ts';
import { alerts, dashboard, queries, RULES, RULES_TESTS } from '../../kit/monitoring.ts';
import { startOnFreePort } from '../../kit/port.ts';
import { startProcess } from '../../kit/process.ts';

async function promtool(...args: readonly string[]): Promise<{ readonly code: number | null; readonly said: string }> {
  await using tool = startProcess('promtool', args);
  const { code } = await tool.waitForExit();
  return { code, said: tool.tail() };
}

test('promtool: the rules are right, and their own tests hold', async () => {
  expect(await promtool('check', 'rules', RULES)).toMatchObject({ code: 0 });
  expect(await promtool('test', 'rules', ...RULES_TESTS)).toMatchObject({ code: 0 });
});

test('promtool: every query of the dashboard is PromQL', async () => {
  await using folder = await makeDirectory('promql');
  const asRules = (exprs: readonly string[]): string =>
    stringify({ groups: [{ name: 'g', rules: exprs.map((expr, at) => ({ record: `q:${at}`, expr })) }] });
  const exprs = queries(dashboard()).map(([, promql]) => promql);
  const good = await promtool('check', 'rules', folder.write('good.yml', asRules(exprs)));
  expect(good, good.said).toMatchObject({ code: 0 });
  const bad = await promtool('check', 'rules', folder.write('bad.yml', asRules([...exprs, 'sum(rate(x))'])));
  expect(bad.code).not.toBe(0);
});

/** Everything has happened `count` times. */
function factsAt(count: number): Snapshot {
  const facts = snapshotFacts();
  const names = ['connections', 'connect:5.0', 'sessions', 'bytes_in', 'bytes_out', 'picked', 'reroutes', 'retries'];
  const families = ['refused:denied', 'end:client_closed', 'connack:5:0', 'failed:dial', 'stick:sticky', 'stick:moved'];
  const counts = Object.fromEntries([...names, ...families].map(name => [name, count])) as Counts;
  const latency = { connect: latencies(count), connack: latencies(count) };
  return {
    ...facts,
    frontends: facts.frontends.map(one => ({ ...one, counts, maxconn: 100 })),
    backends: facts.backends.map(one => ({
      ...{ ...one, ...latency, counts },
      servers: one.servers.map(server => ({ ...server, ...latency, counts, maxconn: 100 })),
    })),
    workers: facts.workers.map(one => ({ ...one, counts })),
  };
}

async function startMetrics(): Promise<AsyncDisposable & { readonly target: string }> {
  let scrapes = 0;
  const server = createServer((_request, response) => {
    scrapes += 1;
    void metricsText(factsAt(scrapes * 10), 'openmetrics').then(({ type, text }) => {
      response.setHeader('content-type', type).end(text);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  };
  return { target: `127.0.0.1:${(server.address() as AddressInfo).port}`, [Symbol.asyncDispose]: close };
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data: {
    readonly result: readonly unknown[];
    readonly groups: readonly { readonly rules: readonly { readonly name: string; readonly health: string }[] }[];
  };
}

test('a real Prometheus evaluates every alert, and has something to show in every panel', async () => {
  await using folder = await makeDirectory('prometheus');
  await using metrics = await startMetrics();
  const config = folder.write(
    'prometheus.yml',
    stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [RULES],
      scrape_configs: [{ job_name: 'limpet', static_configs: [{ targets: [metrics.target] }] }],
    }),
  );
  const args = [`--config.file=${config}`, `--storage.tsdb.path=${folder.file('data')}`];
  const { process: prometheus, port } = await startOnFreePort(
    free => startProcess('prometheus', [...args, `--web.listen-address=127.0.0.1:${free}`]),
    process => process.waitForLine(/Server is ready/),
  );
  await using _owned = prometheus;
  const ask = async (path: string): Promise<Answer> => {
    return (await (await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)).json()) as Answer;
  };
  const count = async (promql: string): Promise<number> => {
    const answer = await ask(`query?query=${encodeURIComponent(promql)}`);
    if (answer.status !== 'success') throw new Error(`${promql}: ${answer.error}`);
    return answer.data.result.length;
  };
  await until(async () => (await count('count_over_time(limpet_build_info[1m]) >= 4')) > 0, { what: 'four scrapes' });
  for (const [title, promql] of queries(dashboard()).filter(([of]) => of !== 'annotations')) {
    expect.soft(await count(promql), `${title}: ${promql}`).toBeGreaterThan(0);
  }
  const healths = async (): Promise<readonly string[]> => {
    const { groups } = (await ask('rules')).data;
    return groups.flatMap(({ rules }) => rules.map(({ name, health }) => `${name} ${health}`));
  };
  const isDone = async (): Promise<boolean> => (await healths()).every(one => !one.endsWith(' unknown'));
  await until(isDone, { what: 'an evaluation of every rule' });
  expect((await healths()).toSorted()).toEqual(
    alerts()
      .map(({ alert }) => `${alert} ok`)
      .toSorted(),
  );
});
