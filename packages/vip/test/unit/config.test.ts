import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { makeDirectory } from '../../../proxy/test/kit/directory.ts';
import { type LoadedVip, loadVipConfig } from '../../src/config/load.ts';
import { loadVipPlace } from '../../src/config/place.ts';

const examples = fileURLToPath(new URL('../../../../deploy/vip/', import.meta.url));

const least = `address: 10.0.0.100/24
interface: eth0
self: 10.0.0.1:7946
peer: 10.0.0.2:7946
secret: 0123456789abcdef
`;

function variable(name: string): string {
  return `$\{${name}}`;
}

async function load(text: string, env: NodeJS.ProcessEnv = {}): Promise<LoadedVip> {
  await using directory = await makeDirectory('vip-config');
  return loadVipConfig(directory.write('vip.yaml', text), env);
}

/** Without the path of the folder. */
async function problems(text: string): Promise<string[]> {
  const loaded = await load(text);
  return loaded.ok ? [] : loaded.problems.map(problem => problem.replace(/^.*vip\.yaml/, 'vip.yaml'));
}

describe('vip.yaml', () => {
  it('needs five keys, and has safe times', async () => {
    const loaded = await load(least);
    expect(loaded).toMatchObject({
      ok: true,
      config: {
        name: 'limpet',
        addresses: [{ address: '10.0.0.100', prefix: 24, family: 4 }],
        addressBy: 'ip',
        redis: null,
        isRealtime: false,
        terms: {
          index: 0,
          priority: 100,
          preempt: false,
          intervalMs: 200,
          deadMs: 600,
          leaseMs: 1000,
          hasRedis: false,
        },
      },
    });
  });

  it('is fast where it is told to be', async () => {
    const loaded = await load(`${least}fast: true\n`);
    const terms = { intervalMs: 20, deadMs: 60, leaseMs: 250 };
    expect(loaded).toMatchObject({ ok: true, config: { isRealtime: true, terms } });
  });

  it('gives the two hosts different indexes', async () => {
    const other = least.replace('0.1:', '0.X:').replace('0.2:', '0.1:').replace('0.X:', '0.2:');
    expect(await load(other)).toMatchObject({ ok: true, config: { terms: { index: 1 } } });
  });

  it('reads Redis in the words of limpet.yaml', async () => {
    const redis =
      'redis: { sentinels: ["10.0.0.5", "[fd00::5]:27000"], master: mymaster, password: "$' +
      '{PASSWORD}", tls: true }\n';
    const loaded = await load(least + redis, { PASSWORD: 'wordpass' });
    expect(loaded).toMatchObject({
      ok: true,
      config: {
        redis: {
          prefix: 'limpet',
          timeoutMs: 100,
          target: {
            kind: 'sentinel',
            sentinels: [
              { host: '10.0.0.5', port: 26379 },
              { host: 'fd00::5', port: 27000 },
            ],
            login: { username: null, password: 'wordpass' },
            tls: { verify: 'required' },
          },
        },
      },
    });
  });

  it.each([
    ['adress: 10.0.0.100/24\n', 'vip.yaml:6:1: `adress`: this key is not known here'],
    ['priority: 255\n', 'vip.yaml:6:1: `priority`: this is too high\n    Write 254 at most.'],
    ['priority: 1.5\n', '`priority`: this is not a whole number\n    Write a whole number.'],
    ['priority: high\n', '`priority`: this is not a number\n    Write a number.'],
    ['prempt: true\n', '`prempt`: this key is not known here\n    Did you mean `preempt`? Known here: name, address, '],
    ['redis: { tls: { cafile: x } }\n', '`redis.tls.cafile`: this key is not known here\n    Known here: ca, cert, '],
    ['hooks: { on-active: x }\n', '`hooks.on-active`: this key is not known here\n    Did you mean `on_active`?'],
    ['hooks: x\n', '`hooks`: this is not a mapping: keys, and a value for each'],
    ['redis: []\n', '`redis`: this is not a mapping'],
    ['address_by: arp\n', '`address_by`: this word is not possible here\n    Write one of: ip, hook.'],
    ['track_file: ""\n', '`track_file`: this is too short\n    Write 1 character at least.'],
    ['redis: { url: "http://x" }\n', 'vip.yaml:6:10: `redis.url`: redis.url cannot be used: scheme http:'],
    ['redis: { cluster: ["a:1"], url: "redis://a" }\n', '`redis.cluster`: one of url and cluster is enough'],
    ['redis: { master: m }\n', 'vip.yaml:6:1: `redis`: sentinels and master belong together'],
    ['interval: 20\n', 'vip.yaml:6:1: `interval`: this is not a duration that is possible here'],
    ['dead_after: 300ms\n', 'vip.yaml:6:1: `dead_after`: one lost heartbeat would be enough'],
    ['lease: 300ms\n', 'vip.yaml:6:1: `lease`: it is shorter than dead_after'],
    ['address_by: hook\n', 'vip.yaml:6:1: `address_by`: nothing would move the address'],
    ['secret_file: no\n', '`secret_file`: secret says it already'],
    ['name: "a b"\n', 'vip.yaml:6:1: `name`: this is not a word that is possible here'],
    ['name: [\n', 'vip.yaml:7:1: '],
  ])('%j is wrong, and says where and why', async (line, said) => {
    expect((await problems(least + line)).join('\n')).toContain(said);
  });

  it.each([
    ['10.0.0.100/24', '10.0.0.100', '`address`: this is not an address with a prefix length'],
    ['10.0.0.100/24', '[10.0.0.100/24, 10.0.0.2/24]', '`address.1`: a host of the pair has this address'],
    ['10.0.0.100/24', '[10.0.0.100/24, 10.0.0.100/32]', '`address.1`: this address is written twice'],
    ['peer: 10.0.0.2:7946', 'peer: 10.0.0.1:7946', '`peer`: this is the same as self'],
    ['peer: 10.0.0.2:7946', 'peer: lb2:7946', '`peer`: this is not an address and a port'],
    ['peer: 10.0.0.2:7946', 'peer: "[fd00::2]:7946"', '`peer`: self is of the other IP family'],
    ['interface: eth0\n', '', '`interface`: this key is missing'],
    ['0123456789abcdef', 'short', '`secret`: a secret of at least 16 characters is needed'],
  ])('%j as %j is wrong', async (before, after, said) => {
    expect((await problems(least.replace(before, after))).join('\n')).toContain(said);
  });

  it('takes a secret only from a file that not everybody may read', async () => {
    await using directory = await makeDirectory('vip-secret');
    const secret = directory.write('secret', 'fedcba9876543210\n');
    const path = directory.write('vip.yaml', least.replace('secret: 0123456789abcdef', 'secret_file: secret'));
    chmodSync(secret, 0o644);
    expect(loadVipConfig(path)).toMatchObject({
      ok: false,
      problems: [expect.stringContaining('everybody may read it')],
    });
    chmodSync(secret, 0o640);
    expect(loadVipConfig(path)).toMatchObject({ ok: true, config: { secret: 'fedcba9876543210' } });
  });

  it.each([
    ['', 0o644, '`secret`'],
    ['', 0o604, '`secret`'],
    ['redis: { password: hush-hush }\n', 0o644, '`secret`, `redis.password`'],
    ['redis: { url: "redis://u:hush-hush@h/0" }\n', 0o644, '`secret`, `redis.url`'],
    ['', 0o640, null],
  ])('warns of secrets in a file that everybody may read: with %j and %o', async (line, mode, keys) => {
    await using directory = await makeDirectory('vip-mode');
    const path = directory.write('vip.yaml', least + line);
    chmodSync(path, mode);
    const said = `${path}: warning: everybody may read this file, and ${keys} in it is secret\n    chmod 0640 ${path}`;
    expect(loadVipConfig(path)).toMatchObject({ ok: true, warnings: keys === null ? [] : [said] });
  });

  it('does not warn of what is in the environment, or in another file', async () => {
    const written = variable('WORD');
    const redis = `redis: { url: "redis://u:${written}@h/0", password: "${written}" }\n`;
    const text = least.replace('0123456789abcdef', written) + redis;
    expect(await load(text, { WORD: '0123456789abcdef' })).toMatchObject({ ok: true, warnings: [] });
  });

  it('never repeats a secret in a problem', async () => {
    const text = `${least}redis: { url: "redis://u:hush-hush@h:x/0", password: [hush-hush] }\npriority: hush-hush\n`;
    const said = await problems(text.replace('0123456789abcdef', 'hush-hush'));
    expect(said.length).toBeGreaterThan(0);
    expect(said.join('\n')).not.toContain('hush');
  });

  it.each(readdirSync(examples).filter(name => name.endsWith('.yaml')))('deploy/vip/%s loads', async name => {
    await using directory = await makeDirectory('vip-example');
    const secret = directory.write('secret', 'fedcba9876543210\n');
    chmodSync(secret, 0o600);
    const loaded = loadVipConfig(join(examples, name), { VIP_SECRET_FILE: secret });
    expect(loaded.ok ? [] : loaded.problems).toEqual([]);
  });
});

describe('what cleaning up needs of vip.yaml', () => {
  const place = {
    name: 'limpet',
    addresses: [{ address: '10.0.0.100', prefix: 24, family: 4 }],
    device: 'eth0',
    addressBy: 'ip',
    notifyFifo: null,
    priority: 100,
  };

  async function read(text: string): Promise<ReturnType<typeof loadVipPlace>> {
    await using directory = await makeDirectory('vip-place');
    return loadVipPlace(directory.write('vip.yaml', text), { WHERE: '10.0.0.100/24' });
  }

  it('is what the program itself reads', async () => {
    const { place: found, problems: none } = await read(`${least}name: other\nnotify_fifo: /fifo\npriority: 120\n`);
    expect(found).toEqual({ ...place, name: 'other', notifyFifo: '/fifo', priority: 120 });
    expect(none).toEqual([]);
  });

  it.each([
    ['an unknown key', `${least}adress: 1\n`],
    ['no secret, and no peer', 'address: 10.0.0.100/24\ninterface: eth0\n'],
    ['values that are wrong', `${least}name: "a b"\npriority: 999\naddress_by: 7\nnotify_fifo: [1]\n`],
    ['a variable that is not set', least.replace('0123456789abcdef', variable('NOT_SET'))],
    ['no YAML at its end', `${least}redis: { url: [\n`],
    [
      'the address in a variable',
      least.replace('10.0.0.100/24', `"${variable('WHERE')}"`).replace('secret', 'secrets'),
    ],
  ])('is read of a file with %s, which is told', async (_, text) => {
    const { place: found, problems: told } = await read(text);
    expect(found).toEqual(place);
    expect(told.length).toBeGreaterThan(0);
  });

  it.each(['', '[', 'address: 10.0.0.100/24\n', 'address: nowhere\ninterface: eth0\n'])('is not in %j', async text => {
    const { place: found, problems: told } = await read(text);
    expect(found).toBeNull();
    expect(told.length).toBeGreaterThan(0);
  });
});
