/** Redis Cluster and Sentinel with TLS of an authority of their own, and a user who may no more than docs/operations.md says. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RedisCluster } from '../../../state/test/redis_cluster.ts';
import type { RedisProcess } from '../../../state/test/redis_process.ts';
import type { Security } from '../../../state/test/redis_secure.ts';
import { RedisSentinels } from '../../../state/test/redis_sentinel.ts';
import { makeAuthority } from '../kit/certificates.ts';
import { startBrokers } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { connectAll, ids } from '../kit/crowd.ts';
import { makeDirectory } from '../kit/directory.ts';
import { type Limpet, runLimpet, startLimpet } from '../kit/limpet.ts';
import { childrenOf } from '../kit/proc.ts';
import { leaks } from '../kit/secrets.ts';

const userPassword = 'p-user/7#é@x';
const sentinelPassword = 'p-sentinel-9';
const ticketSecret = 'tickets of both of them';
const adminPassword = 'of-the-servers-themselves';

/** The rule of a user, as the page says it to operators. */
function ruleOf(user: string, password: string): string {
  const page = readFileSync(new URL('../../../../docs/operations.md', import.meta.url), 'utf8');
  const line = page.split('\n').find(text => text.startsWith(`user ${user} `));
  if (line === undefined) throw new Error(`docs/operations.md has no rule of ${user}`);
  return line.slice('user '.length).replace('>PASSWORD', `>${password}`);
}

interface Scene extends AsyncDisposable {
  readonly servers: readonly RedisProcess[];
  /** `state.redis`, but for what both have. */
  readonly words: object;
}

async function clusterScene(security: Security): Promise<Scene> {
  const cluster = await RedisCluster.start({ security });
  const dispose = () => cluster[Symbol.asyncDispose]();
  return { servers: cluster.servers, words: { cluster: cluster.places }, [Symbol.asyncDispose]: dispose };
}

async function sentinelScene(security: Security): Promise<Scene> {
  const sentinels = await RedisSentinels.start(security, ruleOf('limpet-sentinel', sentinelPassword));
  const login = { sentinel_username: 'limpet-sentinel', sentinel_password: sentinelPassword };
  return {
    servers: sentinels.servers,
    words: { sentinels: sentinels.places, master: 'mymaster', ...login },
    [Symbol.asyncDispose]: () => sentinels[Symbol.asyncDispose](),
  };
}

/** Arguments of all threads of the proxy's processes. */
function commandLines(limpet: Limpet): string {
  const pids = [limpet.process.pid, ...childrenOf(limpet.process.pid)];
  const texts = pids.flatMap(pid =>
    readdirSync(`/proc/${pid}/task`).flatMap(task =>
      ['cmdline', 'comm'].map(name => readFileSync(`/proc/${pid}/task/${task}/${name}`, 'utf8')),
    ),
  );
  return texts.join('\n');
}

const scenes = [
  ['cluster', clusterScene],
  ['sentinel', sentinelScene],
] as const;

test.each(scenes)(
  'P11: %s with TLS and a user of few rights: all commands work, and no secret is shown',
  async (_, start) => {
    await using authority = await makeAuthority();
    const issued = await authority.issue({ cn: 'redis', names: ['IP:127.0.0.1'] });
    const user = ruleOf('limpet', userPassword);
    const security = { ca: authority.ca, cert: issued.cert, key: issued.key, password: adminPassword, user };
    await using scene = await start(security);
    await using brokers = await startBrokers(2);
    await using directory = await makeDirectory('socket');
    const socket = directory.file('limpet.sock');
    const config = {
      global: {
        ...{ name: 'lb', workers: 2, hard_stop_after: '2s', runtime_api: [socket] },
        tls: { ticket_secret: ticketSecret, ticket_rotate: '1s' },
      },
      state: {
        store: 'redis',
        redis: { ...scene.words, username: 'limpet', password: `\${REDIS_PASSWORD}`, tls: { ca: authority.ca } },
      },
      frontends: {
        mqtt: {
          bind: ['127.0.0.1:0', { address: '127.0.0.1:0', tls: { cert: issued.bundle } }],
          default_backend: 'mqtt',
        },
      },
      backends: { mqtt: { servers: brokers.servers() } },
    };
    const env = { REDIS_PASSWORD: userPassword };
    await using limpet = await startLimpet(config, { env });
    const clients = ids('device', 50);
    await using crowd = await connectAll(limpet.port('mqtt'), clients);
    expect(crowd.refused).toEqual([]);

    const told: string[] = [];
    const run = async (...args: readonly string[]): Promise<string> => {
      await using command = runLimpet([...args, '--socket', socket]);
      const exit = await command.waitForExit();
      const text = command.lines.map(line => line.text).join('\n');
      told.push(text);
      expect({ args, text, code: exit.code }).toMatchObject({ code: 0 });
      return text;
    };
    expect(await run('table', 'get', 'mqtt', 'device-7')).toMatch(/b[12]/);
    const shown = await run('table', 'show', 'mqtt');
    for (const id of clients) expect(shown).toContain(id);
    const exported = await run('table', 'export', 'mqtt');
    await run('table', 'set', 'mqtt', 'by-hand', 'b2');
    const file = directory.write('table.jsonl', `${exported}\n`);
    await run('table', 'import', 'mqtt', file);
    await run('server', 'drain', 'mqtt/b1');
    await until(
      async () => {
        const found = await Promise.all(
          scene.servers.map(({ admin }) => admin.hgetall('limpet:admin:mqtt').catch(() => ({}))),
        );
        return found.some(words => JSON.stringify(words).includes('drain'));
      },
      { what: 'the word in Redis' },
    );
    await run('server', 'ready', 'mqtt/b1');
    await run('status');
    await run('table', 'clear', 'mqtt', '--server', 'b2', '--yes');
    await until(
      async () => {
        const rings = await Promise.all(
          scene.servers.map(({ admin }) => admin.get('limpet:tls:tickets').catch(() => null)),
        );
        return rings.some(ring => ring !== null);
      },
      { what: 'the keys of tickets in Redis' },
    );
    await using check = runLimpet(['check', '-c', limpet.file], { env });
    await check.waitForExit();
    told.push(check.lines.map(line => line.text).join('\n'), commandLines(limpet));

    // No command was refused, to no part of the program.
    for (const { admin } of scene.servers) expect(await admin.call('ACL', 'LOG')).toEqual([]);
    expect(limpet.events(({ event }) => /^(?:redis_|tls_tickets_not)/.test(event ?? ''))).toEqual([]);
    const secrets = [userPassword, sentinelPassword, ticketSecret];
    expect(leaks(limpet, secrets)).toEqual([]);
    for (const secret of secrets) expect(told.join('\n')).not.toContain(secret);
  },
);
