/** The built program, against a real kernel, a real Redis, and brokers that are there or not. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { makeDirectory } from '../../../proxy/test/kit/directory.ts';
import { startProcess } from '../../../proxy/test/kit/process.ts';
import { startRedis } from '../../../proxy/test/kit/redis.ts';
import { RedisCluster } from '../../../state/test/redis_cluster.ts';
import { RedisSentinels } from '../../../state/test/redis_sentinel.ts';
import { openHouse } from './house.ts';
import { BIN, type Ended, limpet, linesOf } from './program.ts';

interface Told {
  readonly config_path: string | null;
  readonly proxy: string | null;
  readonly counts: Readonly<Record<string, number>>;
  readonly findings: readonly {
    readonly check: string;
    readonly level: string;
    readonly what: string;
    readonly remedies: string[];
  }[];
}

function told({ stdout, stderr }: Ended): Told {
  if (stdout.length === 0) throw new Error(`it said nothing but ${stderr.join('\n')}`);
  return JSON.parse(stdout.join('\n')) as Told;
}

/** `problem: what`, of one subject. */
function of(check: string, seen: Told): string[] {
  return seen.findings.filter(one => one.check === check).map(({ level, what }) => `${level}: ${what}`);
}

function yaml(redis: string, servers = 'b1: 127.0.0.1:9'): string {
  const state = redis === '' ? '' : `state: { store: redis, redis: { ${redis} } }\n`;
  return `global: { workers: 2, maxconn: 60000 }\n${state}frontends:\n  mqtt: { bind: "127.0.0.1:1", default_backend: b }\nbackends:\n  b:\n    servers: { ${servers} }\n`;
}

/** The rule of Limpet's user, as the page says it to operators. */
function ruleOfThePage(password: string): string[] {
  const page = readFileSync(new URL('../../../../docs/operations.md', import.meta.url), 'utf8');
  const [, rule = ''] = /^user limpet (.*)$/m.exec(page) ?? [];
  return rule.replace('>PASSWORD', `>${password}`).split(' ');
}

/** Runs the doctor with a configuration, behind other words: `prlimit …`. */
async function doctor(
  text: string,
  ...before: readonly string[]
): Promise<Told & { readonly code: number | null; readonly all: string }> {
  await using directory = await makeDirectory('doctor');
  const file = directory.write('limpet.yaml', text);
  const [program = process.execPath, ...args] = [...before, process.execPath, BIN, 'doctor', '-c', file, '--json'];
  await using run = startProcess(program, args);
  const { code } = await run.waitForExit();
  const ended = { code, stdout: linesOf(run, 'stdout'), stderr: linesOf(run, 'stderr') };
  return { ...told(ended), code, all: [...ended.stdout, ...ended.stderr].join('\n') };
}

describe('limpet doctor', () => {
  it('judges the real limits of its shell and of its network', async () => {
    const shell = ['prlimit', '--nofile=1024:4096', 'unshare', '-n', 'sh', '-c'];
    const set =
      'sysctl -qw net.ipv4.ip_local_port_range="40000 49999" net.ipv4.ip_local_reserved_ports=45000-45099 net.core.somaxconn=128; exec "$@"';
    const seen = await doctor(yaml('', 'b1: 127.0.0.1:9, b2: 127.0.0.2:9'), ...shell, set, 'sh');
    expect(of('open files', seen)[0]).toBe(
      'warning: this shell may open 4,096 files, a Limpet that it starts 4,096 files a process, with 2 workers enough for 3,872 sessions of 60,000 (global.maxconn)',
    );
    expect(of('ports to brokers', seen)[0]).toMatch(
      /^problem: b\/b1 can have 9,900 connections from here \(port range 40000 to 49999\), global\.maxconn needs 30,000, and 1 other too$/,
    );
    expect(of('backlog', seen)[0]).toMatch(/^warning: 128 clients can wait/);
    expect(of('configuration', seen)).toEqual([expect.stringMatching(/^ok: /)]);
    expect(seen.code).toBe(1);
    expect(seen.counts.problem).toBe(seen.findings.filter(({ level }) => level === 'problem').length);
  });

  it('connects to each broker once', async () => {
    await using broker = await listening();
    const seen = await doctor(yaml('', `b1: 127.0.0.1:${broker.port}, b2: 127.0.0.1:9, b3: nowhere.invalid:1883`));
    expect(of('brokers', seen)).toEqual([
      'warning: b/b2 (127.0.0.1:9) cannot be connected to: nobody listens there',
      expect.stringMatching(
        /^warning: b\/b3 \(nowhere\.invalid:1883\) cannot be connected to: (?:the name|no name server|no answer)/,
      ),
    ]);
    expect(broker.connections()).toBe(1);
  });

  it('tells what is wrong with a configuration, and looks at the rest', async () => {
    const seen = await doctor(yaml('').replace('default_backend: b', 'default_backend: c'));
    expect(of('configuration', seen)).toEqual([
      expect.stringMatching(/^problem: .*limpet\.yaml:3:49: .* there is no backend "c"/),
    ]);
    expect(of('open files', seen).length).toBeGreaterThan(0);
    expect(seen.code).toBe(1);
  });

  it('finds the proxy that runs, and its configuration with it', async () => {
    await using house = await openHouse('user');
    const seen = told(await house.run('doctor', '--json'));
    expect(seen).toMatchObject({ proxy: 'lb1', config_path: '/etc/limpet.yaml' });
    expect(of('proxy', seen)[0]).toBe('ok: lb1 0.1.0 runs, active, up 1 min, pid 42');
    expect(of('proxy', seen)).toContain('warning: lb1 is alone at 10.0.0.100: nobody stands by');
  });

  it('ends with 2 where its command line is wrong', async () => {
    const { code, stdout } = await limpet('doctor', '--jsn');
    expect([code, stdout]).toEqual([2, []]);
  });
});

async function listening(): Promise<AsyncDisposable & { readonly port: number; connections(): number }> {
  let connections = 0;
  const server = createServer(socket => {
    connections += 1;
    socket.resume().on('error', () => {});
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = (): Promise<void> => new Promise(resolve => server.close(() => resolve()));
  return { port, connections: () => connections, [Symbol.asyncDispose]: close };
}

describe('limpet doctor and Redis', () => {
  it('measures it, and judges its memory and its policy; nothing of the doctor is left in it', async () => {
    await using redis = await startRedis({ args: ['--maxmemory', '8mb', '--maxmemory-policy', 'allkeys-lru'] });
    const seen = await doctor(yaml(`url: "${redis.url}"`));
    const found = of('Redis', seen);
    expect(found[0]).toMatch(/^ok: redis:\/\/127\.0\.0\.1:\d+\/0 is (?:Redis|Valkey) \d+\.\d+/);
    expect(found[1]).toMatch(
      /^\w+: .* answers PING in [\d.]+ ms at best, half [\d.]+ ms, 99 % [\d.]+ ms; a script [\d.]+ ms/,
    );
    expect(found).toContainEqual(expect.stringMatching(/^problem: .* has the policy allkeys-lru/));
    expect(found).toContainEqual(
      expect.stringMatching(/^warning: .* may use 8\.4 MB, and uses .* 102,400 stick entries need 20\.5 MB/),
    );
    expect(found).toContainEqual(expect.stringMatching(/: the user may do all that Limpet does$/));
    expect(of('clock', seen)).toContain('ok: that of Redis is the same');
    expect(await redis.cli(['dbsize'])).toBe('0');
  });

  it('P11: names what its user may not, and never its password', async () => {
    await using redis = await startRedis({ args: ['--requirepass', 'of-the-admin'] });
    const rule = [
      'acl',
      'setuser',
      'limpet',
      'on',
      '>s3cr3t-of-it',
      '~limpet:*',
      '+@all',
      '-scan',
      '-eval',
      '-info',
      '-config',
    ];
    await redis.cli(rule, 'of-the-admin');
    const url = redis.url.replace('redis://', 'redis://limpet:s3cr3t-of-it@');
    const seen = await doctor(yaml(`url: "${url}"`));
    expect(of('Redis', seen)).toEqual([
      expect.stringMatching(/^ok: .*its version may not be asked$/),
      expect.stringMatching(/ answers PING in /),
      expect.stringMatching(/^note: .*its memory may not be asked/),
      expect.stringMatching(/^problem: .*: the user may not SCAN, EVAL$/),
    ]);
    expect(seen.all).not.toContain('s3cr3t');
    const wrong = await doctor(yaml(`url: "${url.replace('s3cr3t-of-it', 'wr0ng-secret')}"`));
    expect(of('Redis', wrong)).toEqual([expect.stringMatching(/^problem: .*refuses the login \(WRONGPASS\)$/)]);
    expect(wrong.all).not.toContain('wr0ng');
  });

  it('is told that nobody is there', async () => {
    const seen = await doctor(yaml('url: "redis://127.0.0.1:9"'));
    expect(of('Redis', seen)).toEqual(['problem: redis://127.0.0.1:9/0: nobody listens there']);
  });

  it('goes through real sentinels to the master', async () => {
    await using group = await RedisSentinels.start();
    const text = (places: readonly string[], master: string): string =>
      yaml(`sentinels: [${places.map(one => `"${one}"`).join(', ')}], master: ${master}`);
    const seen = await doctor(text(group.places, 'mymaster'));
    const { place } = await group.master();
    expect(of('Sentinel', seen)).toEqual([`ok: 3 of 3 answer, and name ${place}`]);
    expect(of('Redis', seen)[0]).toMatch(new RegExp(`^ok: ${place} is `));
    const other = await doctor(text([...group.places.slice(0, 1), '127.0.0.1:9'], 'nomaster'));
    expect(of('Sentinel', other)).toEqual([
      'warning: 127.0.0.1:9: nobody listens there',
      expect.stringMatching(/^problem: .* knows no master named nomaster$/),
      expect.stringMatching(/^warning: 2 named/),
    ]);
  }, 60_000);

  it('looks at every master of a real cluster', async () => {
    await using cluster = await RedisCluster.start();
    const seen = await doctor(yaml(`cluster: ["127.0.0.1:9", ${cluster.places.map(one => `"${one}"`).join(', ')}]`));
    expect(of('Redis Cluster', seen)).toEqual(['ok: ok, 16,384 of 16,384 slots are served by 3 masters']);
    const found = of('Redis', seen);
    expect(found.filter(one => / answers PING in .*; a script /.test(one))).toHaveLength(3);
    expect(found.filter(one => one.endsWith('the user may do all that Limpet does'))).toHaveLength(3);
    // The user of docs/operations.md may ask for nothing that Limpet does not need.
    for (const server of cluster.servers) await server.admin.call('ACL', 'SETUSER', 'limpet', ...ruleOfThePage('pw'));
    const bare = await doctor(yaml(`cluster: ["${cluster.places[0]}"], username: limpet, password: pw`));
    expect(of('Redis Cluster', bare)).toEqual(['ok: 16,384 of 16,384 slots are served by 3 masters']);
    expect(of('Redis', bare).filter(one => one.endsWith('the user may do all that Limpet does'))).toHaveLength(3);
  }, 60_000);
});
