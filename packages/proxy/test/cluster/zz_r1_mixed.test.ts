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
  say(await cmd('old1', 'server', 'drain', 'mqtt/b1'));
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
  say('homes before', JSON.stringify(await brokers.shares([])));
  const tally = () => new Map(['b1', 'b2', 'b3'].map(b => [b, brokers.connections(b).reduce((m, c) => m.set(c.clientId, (m.get(c.clientId) ?? 0) + 1), new Map<string, number>())]));
  const roundOf = (a: any, b: any) => new Map(names.map(id => [id, ['b1', 'b2', 'b3'].filter(x => (b.get(x).get(id) ?? 0) > (a.get(x).get(id) ?? 0)).join('+')]));
  const mark = brokers.homes();
  const t5 = tally();
  crowd = new Crowd(await inLanes(crowd.clients as any[], async c => { await c.leave(); return come(c.clientId); }));
  await brokers.shares([0, 1, 2, 3, 4, 5].flatMap(() => names));
  const t6 = tally();
  const r6 = roundOf(t5, t6);
  const home = new Map([...mark].map(([id, l]) => [id, l[0]]));
  say('after drain b2: refused', crowd.refused.length, 'on b2', [...r6.values()].filter(x => x === 'b2').length, 'had been on b2', [...home.values()].filter(x => x === 'b2').length, 'moved', [...r6].filter(([id, x]) => x !== home.get(id)).length, 'odd', [...r6.values()].filter(x => x.length !== 2).length);
  say('drained new server: sessions', await cmd('new1', 'status'));
  say('table show old', (await cmd('old1', 'table', 'show', 'mqtt')).split('\n').slice(0, 4).join('\n'));
  say('table show new', (await cmd('new1', 'table', 'show', 'mqtt')).split('\n').slice(0, 4).join('\n'));
  for (const l of [older, newer]) say('warn/error', l.events(e => ['warn', 'error', 'fatal'].includes(String(e.level))));
  say('stderr-like old', older.process.lines.filter(l => !l.text.startsWith('{')).map(l => l.text));
  say('degraded', newer.events(e => e.event === 'connect' && e.degraded === true).length, older.events(e => e.event === 'connect' && e.degraded === true).length);
  for (const k of (await redis.cli(['--raw', 'keys', '*'])).split('\n').filter(k => !/dev-[1-9]/.test(k))) say('DUMP', k, await redis.cli(['type', k]), await redis.cli(['get', k]).catch(String), await redis.cli(['pttl', k]));
  await newer.process.kill('SIGKILL');
  ports[1] = ports[0] ?? 0;
  const back = new Crowd(await inLanes(names, come));
  await brokers.shares([0, 1, 2, 3, 4, 5, 6].flatMap(() => names));
  const r7 = roundOf(t6, tally());
  const wandered = [...r7].filter(([id, x]) => x !== r6.get(id)).length;
  say('new killed: refused at old', back.refused.length, 'not at the same broker', wandered);
  await back.leave();
  await crowd.leave();
  // the old one dies; then the new is alone
  writeFileSync('/tmp/r1/mixed.txt', out.join('\n'));
  expect(strays(homes)).toEqual([]);
}, 120_000);
