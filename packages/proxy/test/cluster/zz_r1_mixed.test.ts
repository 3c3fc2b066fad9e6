import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startBrokers, startCluster, strays } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { Crowd, ids } from '../kit/crowd.ts';
import { faceAddress } from '../kit/faces.ts';
import { arrive } from '../kit/light_client.ts';
import { runLimpet } from '../kit/limpet.ts';
import { startRedis } from '../kit/redis.ts';
import { proxiesOf } from '../kit/two_proxies.ts';

test('old and new', async () => {
  await using redis = await startRedis();
  await using brokers = await startBrokers(3);
  const config = (name: string) => ({
    workers: 2,
    redis,
    redisTimeout: '5s',
    backends: { mqtt: { balance: 'leastconn', servers: brokers.servers(), check: { inter: '1s' } } },
    global: { name, stats: { bind: '127.0.0.1:0' }, runtime_api: [`/tmp/r1/${name}.sock`] },
  });
  await using older = await startCluster(config('old1'), { before: ['/tmp/r1/old.sh'] });
  await using newer = await startCluster(config('new1'));
  const ports = [older.port('mqtt'), newer.port('mqtt')];
  const out: string[] = [];
  const say = (...x: unknown[]) => out.push(x.map(y => typeof y === 'string' ? y : JSON.stringify(y)).join(' '));
  const names = ids('dev', 500);
  const inLanes = async <J>(jobs: J[], run: (j: J) => Promise<any>) => {
    const res: any[] = []; const q = [...jobs.entries()].reverse();
    await Promise.all(Array.from({ length: 50 }, async () => { for (let n = q.pop(); n; n = q.pop()) res[n[0]] = await run(n[1]); }));
    return res;
  };
  const come = (clientId: string) => arrive(ports[Math.random() < 0.5 ? 0 : 1] ?? 0, { clientId });
  let crowd = new Crowd(await inLanes(names, come));
  say('refused round 0', crowd.refused.length);
  for (let r = 1; r <= 4; r++) {
    crowd = new Crowd(await inLanes(crowd.clients as any[], async c => { await c.leave(); return come(c.clientId); }));
    say('refused round', r, crowd.refused.length);
  }
  await brokers.shares([0, 1, 2, 3, 4].flatMap(() => names));
  const homes = brokers.homes();
  say('ids', homes.size, 'connects', [...homes.values()].reduce((a, b) => a + b.length, 0), 'strays', strays(homes).length);
  say('proxies of new', await proxiesOf(newer));
  say('HGETALL proxies', await redis.cli(['hgetall', 'limpet:proxies']));
  say('keys', (await redis.cli(['keys', 'limpet:[^s]*'])));
  say('admin by old');
  const cmd = async (name: string, ...command: string[]) => {
    await using p = runLimpet([...command, '--socket', `/tmp/r1/${name}.sock`], name === 'old1' ? { before: ['/tmp/r1/old.sh'] } : {});
    const { code } = await p.waitForExit(60_000);
    return `${code}: ${p.lines.map(({ text }) => text).join('\n')}`;
  };
  say('status new', await cmd('new1', 'status'));
  say('status old', await cmd('old1', 'status'));
  say(await cmd('old1', 'server', 'drain', 'mqtt/b1', '--now').catch(String));
  say(await cmd('old1', 'server', '--help'));
  const adminOf = async (l: typeof newer) => {
    const j: any = await (await fetch(`http://${faceAddress(l, 'stats')}/api/v1/backends`)).json();
    return JSON.stringify(j).match(/"admin":"[a-z_]+"/g)?.join(' ');
  };
  const t0 = Date.now();
  await until(async () => /drain/.test((await adminOf(newer)) ?? ''), { what: 'drain seen by new', timeoutMs: 5000 }).catch(e => say(String(e)));
  say('new sees drain of old after ms', Date.now() - t0, await adminOf(newer), await redis.cli(['hgetall', 'limpet:admin:mqtt']));
  say(await cmd('new1', 'server', 'ready', 'mqtt/b1'));
  say(await cmd('new1', 'server', 'drain', 'mqtt/b2'));
  const t1 = Date.now();
  await until(async () => /"drain"/.test((await adminOf(older)) ?? ''), { what: 'drain seen by old', timeoutMs: 5000 }).catch(e => say(String(e)));
  say('old sees drain of new after ms', Date.now() - t1, await adminOf(older), await redis.cli(['hgetall', 'limpet:admin:mqtt']));
  await new Promise(r => setTimeout(r, 3000));
  say('drained new server: sessions', await cmd('new1', 'status'));
  say('table show old', (await cmd('old1', 'table', 'show', 'mqtt')).split('\n').slice(0, 4).join('\n'));
  say('table show new', (await cmd('new1', 'table', 'show', 'mqtt')).split('\n').slice(0, 4).join('\n'));
  for (const l of [older, newer]) say('warn/error', l.events(e => ['warn', 'error', 'fatal'].includes(String(e.level))));
  say('stderr-like old', older.process.lines.filter(l => !l.text.startsWith('{')).map(l => l.text));
  say('degraded', newer.events(e => e.event === 'connect' && e.degraded === true).length, older.events(e => e.event === 'connect' && e.degraded === true).length);
  await crowd.leave();
  // the old one dies; then the new is alone
  writeFileSync('/tmp/r1/mixed.txt', out.join('\n'));
  expect(strays(homes)).toEqual([]);
}, 120_000);
