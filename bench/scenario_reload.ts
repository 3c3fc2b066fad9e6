/**
 * `reload`: a reload, and the drain of a server, while devices publish and new clients come.
 */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { longestGap } from '../lab/gap.ts';
import { until } from '../packages/proxy/test/kit/condition.ts';
import { askRuntime } from '../packages/proxy/test/kit/runtime_api.ts';
import { spreadOf } from './figures.ts';
import type { Measure } from './measure.ts';
import { LivingCrowd } from './scenario_reload_crowd.ts';
import type { LivingReport } from './scenario_reload_load.ts';
import { openAt } from './scenario_reload_sockets.ts';
import type { Run, Scenario } from './scenarios.ts';
import { plain } from './service.ts';
import type { Target } from './target.ts';

const run = promisify(execFile);
const cli = fileURLToPath(new URL('../packages/cli/dist/bin.js', import.meta.url));
const messagesPerS = 2_000;
const visitEveryMs = 5;
const drainPerS = 100;
/** So long Limpet has for its drain, on a machine that does much else. */
const drainMs = 20_000;
/** HAProxy's has no end; after so long that is seen. */
const endlessMs = { full: 10_000, smoke: 1_000 };
const pollMs = 20;
const arrivalMs = 10_000;
/** Before and behind a reload. */
const smokeWindowMs = 500;

export const reloadScenario: Scenario = {
  plans: [
    {
      title: 'reload under load',
      meaning: [
        `500 devices publish ${messagesPerS} messages a second, and a new client comes every ${visitEveryMs} ms; half way the`,
        'proxy is told to reload a changed file. The gap is the longest time without a CONNACK from then on.',
      ].join(' '),
      unit: 'reload',
      judged: 'gapMs',
      by: 'value',
      shown: ['quietGapMs', 'extraCpuMs', 'lostConnections', 'lostMessages'],
      notes: ['haproxy: a new process takes over; the old one lives until its last connection ends'],
      targets: ['haproxy', 'limpet', 'limpet-node'],
      service: plain,
      isFresh: true,
      measure: measureReload,
    },
    {
      title: `drain of one server of three, ${drainPerS}/s`,
      meaning: [
        'The same load; one server is drained, and clients that are sent away come back within 100 ms. The time is until the',
        `server has no connection left, ${endlessMs.full / 1000} s for HAProxy. What a client has sent and the proxy has not passed on when the`,
        'connection ends is lost (QoS 0).',
      ].join(' '),
      unit: 'drain',
      judged: 'ms',
      by: 'value',
      shown: ['left', 'moved', 'awayMs', 'gapMs', 'lostConnections', 'lostMessages'],
      notes: [
        'haproxy: `set server … state drain` only keeps new clients away; nobody is asked to leave, so it does not end',
        `limpet: \`limpet server drain emqx/emqx1 --rate ${drainPerS}/s\`; the time includes the start of that command`,
      ],
      targets: ['haproxy', 'limpet', 'limpet-node'],
      service: plain,
      isFresh: true,
      measure: measureDrain,
    },
  ],
};

async function measureReload({ target, brokers, seconds, isSmoke }: Run): Promise<Measure> {
  const before = (await brokers.counts()).publishes;
  await using crowd = await startCrowd(target, isSmoke);
  const windowMs = isSmoke ? smokeWindowMs : seconds * 1000;
  // Of a process that has just been started the first seconds are dear, whatever is done to it.
  if (!isSmoke) await delay(windowMs);
  const startMs = Date.now();
  const startCpuUs = target.cpuUs();
  await delay(windowMs);
  const reloadMs = Date.now();
  const reloadCpuUs = target.cpuUs();
  await reload(target);
  await delay(Math.max(0, reloadMs + windowMs - Date.now()));
  const endMs = Date.now();
  const quietCpuUs = (reloadCpuUs - startCpuUs) * ((endMs - reloadMs) / (reloadMs - startMs));
  const extraCpuMs = (target.cpuUs() - reloadCpuUs - quietCpuUs) / 1000;
  const report = await crowd.stop();
  const lostMessages = await missingMessages(report, async () => (await brokers.counts()).publishes - before);
  const lostConnections = report.endingsMs.length + report.failures.length;
  return {
    figures: {
      gapMs: longestGap(report.connacksMs, reloadMs, endMs).lengthMs,
      quietGapMs: longestGap(report.connacksMs, startMs, reloadMs).lengthMs,
      extraCpuMs,
      lostConnections,
      lostMessages,
    },
    lost: losses({ 'connections ended': report.endingsMs.length, messages: lostMessages }, report),
  };
}

async function measureDrain({ target, brokers, isSmoke }: Run): Promise<Measure> {
  const before = (await brokers.counts()).publishes;
  await using crowd = await startCrowd(target, isSmoke);
  const [drained = 0] = brokers.ports;
  const startMs = Date.now();
  await drain(target);
  const isLimpet = target.name.startsWith('limpet');
  const limitMs = Date.now() + (isLimpet ? drainMs : endlessMs[isSmoke ? 'smoke' : 'full']);
  while (openAt(drained) > 0 && Date.now() < limitMs) await delay(pollMs);
  const endMs = Date.now();
  const left = openAt(drained);
  const report = await crowd.stop();
  const lostMessages = await missingMessages(report, async () => (await brokers.counts()).publishes - before);
  return {
    figures: {
      ms: endMs - startMs,
      left,
      moved: report.endingsMs.length,
      ...(report.awayMs.length === 0 ? {} : { awayMs: spreadOf(report.awayMs).median }),
      gapMs: longestGap(report.connacksMs, startMs, endMs).lengthMs,
      lostConnections: report.missing + report.failures.length,
      lostMessages,
    },
    lost: losses(
      { 'devices that did not come back': report.missing, 'sessions that did not leave': isLimpet ? left : 0 },
      report,
    ),
  };
}

function startCrowd({ port }: Target, isSmoke: boolean): Promise<LivingCrowd> {
  return LivingCrowd.start({ port, devices: isSmoke ? 30 : 500, messagesPerS, visitEveryMs });
}

/**
 * The changed file says what is of no consequence here, so that both do the work of a reload and nothing else. Resolves
 * when the log tells of it.
 */
async function reload(target: Target): Promise<void> {
  const isLimpet = target.name.startsWith('limpet');
  const told = isLimpet ? /"event":"reload"/ : /New worker/;
  const before = target.logLines(told);
  if (isLimpet) {
    const file = target.directory.file('limpet.yaml');
    const configuration = JSON.parse(readFileSync(file, 'utf8')) as object;
    writeFileSync(file, JSON.stringify({ ...configuration, defaults: { timeout: { connect: '9s' } } }));
    target.process.signal('SIGHUP');
  } else {
    const file = target.directory.file('haproxy.cfg');
    writeFileSync(file, readFileSync(file, 'utf8').replace('timeout connect 10000', 'timeout connect 9000'));
    target.process.signal('SIGUSR2');
  }
  await until(() => target.logLines(told) > before, { what: `${target.name} to reload` });
}

/** Resolves when the order has been given. */
async function drain({ name, directory }: Target): Promise<void> {
  if (name.startsWith('limpet')) {
    const order = ['server', 'drain', 'emqx/emqx1', '--rate', `${drainPerS}/s`, '--no-wait'];
    await run(process.execPath, [cli, ...order, '--socket', directory.file('limpet.sock')]);
    return;
  }
  const answer = await askRuntime(directory.file('haproxy.sock'), 'set server mqtt_backend/emqx1 state drain');
  if (answer.trim() !== '') throw new Error(`HAProxy does not drain: ${answer}`);
}

/** Those that were sent and have not arrived, after a while at most. */
async function missingMessages(report: LivingReport, arrived: () => Promise<number>): Promise<number> {
  try {
    await until(async () => (await arrived()) >= report.messages, { what: 'all messages', timeoutMs: arrivalMs });
    return 0;
  } catch {
    return report.messages - (await arrived());
  }
}

function losses(counts: Readonly<Record<string, number>>, { failures }: LivingReport): string[] {
  const words = Object.entries(counts).flatMap(([what, count]) => (count === 0 ? [] : [`${count} × ${what}`]));
  return [
    ...words,
    ...[...new Set(failures)].map(why => `${failures.filter(word => word === why).length} × visitor ${why}`),
  ];
}
