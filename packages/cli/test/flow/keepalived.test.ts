import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Directory, makeDirectory } from '../../../proxy/test/kit/directory.ts';
import { startProcess } from '../../../proxy/test/kit/process.ts';
import { type Ended, limpet } from './program.ts';

let directory: Directory;
beforeEach(async () => {
  directory = await makeDirectory('keepalived');
});
afterEach(async () => {
  await directory[Symbol.asyncDispose]();
});

const V4 = ['--vip', '10.0.0.100/24'];
const V6 = ['--vip', 'fd00::100/64'];
const ETH0 = ['--interface', 'eth0'];
const HOSTS = ['--address', '10.0.0.1', '--peer', '10.0.0.2'];
const HOSTS6 = ['--address', 'fd00::1', '--peer', 'fd00::2'];
const ALONE = ['--multicast', '--priority', '240'];

/** What keepalived says of a file, on a host with eth0 and eth1. */
async function keepalivedTest(file: string): Promise<{ code: number | null; said: string }> {
  const script = `ip link add eth0 type veth peer name eth1; exec keepalived --config-test --use-file "$1"`;
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  await using tool = startProcess('unshare', ['--net', ...asRoot, 'sh', '-c', script, 'sh', file]);
  const { code } = await tool.waitForExit();
  return { code, said: tool.lines.map(({ text }) => text).join('\n') };
}

function written(...words: readonly string[]): Promise<Ended> {
  return limpet('keepalived', ...words);
}

describe('keepalived accepts', () => {
  const variants: [string, string[]][] = [
    ['one address', [...V4, ...ETH0, ...HOSTS]],
    ['several', [...V4, '--vip', '10.0.0.101/32', '--vip', '192.168.7.1/24', ...ETH0, ...HOSTS]],
    ['both families', [...V4, ...V6, ...ETH0, ...HOSTS]],
    ['IPv6', [...V6, ...ETH0, ...HOSTS6]],
    ['IPv6 with a link-local address, and IPv4', [...V4, ...V6, '--vip', 'fe80::64/64', ...ETH0, ...HOSTS6]],
    ['multicast', [...V4, ...V6, ...ETH0, ...HOSTS, '--multicast']],
    ['multicast without addresses', [...V4, ...ETH0, ...ALONE]],
    ['multicast of IPv6', [...V6, ...ETH0, ...ALONE]],
    ['--fast', [...V4, ...ETH0, ...HOSTS, '--fast', '--unicast']],
    ['a second', [...V4, ...ETH0, ...HOSTS, '--advert', '1s', '--priority', '254', '--router-id', '255']],
    ['the limits', [...V4, ...ETH0, ...HOSTS, '--advert', '40.95s', '--priority', '1', '--router-id', '1']],
    ['names of its own', [...V4, ...ETH0, ...HOSTS, '--name', 'a-b_c.1', '--track-interface', 'eth1']],
  ];
  it.each(variants)('%s', async (_, words) => {
    const file = directory.file('keepalived.conf');
    const paths = ['--track-file', directory.file('track'), '--notify-fifo', directory.file('fifo')];
    expect(await written(...words, ...paths, '--output', file)).toEqual({ code: 0, stdout: [], stderr: [] });
    expect(await keepalivedTest(file)).toEqual({ code: 0, said: '' });
  });

  it('not a word that it does not know', async () => {
    const file = directory.file('keepalived.conf');
    await written(...V4, ...ETH0, ...HOSTS, '-o', file);
    writeFileSync(file, readFileSync(file, 'utf8').replace('nopreempt', 'nopremption'));
    const { code, said } = await keepalivedTest(file);
    expect(code).not.toBe(0);
    expect(said).toContain('nopremption');
  });
});

describe('limpet keepalived', () => {
  it('writes to stdout', async () => {
    const { code, stdout } = await written(...V4, ...ETH0, ...HOSTS);
    expect(code).toBe(0);
    expect(stdout[0]).toBe('# keepalived.conf for the host 10.0.0.1 that shares 10.0.0.100/24.');
  });

  it('writes for both hosts, and each is what the host would write for itself', async () => {
    const words = [...V4, ...V6, ...ETH0, '--fast'];
    expect((await written(...words, ...HOSTS, '--output-dir', directory.file('pair'))).code).toBe(0);
    for (const [address, peer] of [
      ['10.0.0.1', '10.0.0.2'],
      ['10.0.0.2', '10.0.0.1'],
    ] as const) {
      const own = await written(...words, '--address', address, '--peer', peer);
      expect(readFileSync(directory.file(`pair/${address}/keepalived.conf`), 'utf8')).toBe(
        `${own.stdout.join('\n')}\n`,
      );
    }
  });

  it('takes addresses and files from the configuration', async () => {
    const vip = `vip: { address: [10.0.0.100, "fd00::100"], track_file: ${directory.file('t')} }`;
    const file = directory.write('limpet.yaml', configuration(vip));
    const { stdout, stderr } = await written('-c', file, ...ETH0, ...HOSTS);
    expect(stderr).toEqual([]);
    expect(stdout).toEqual(
      expect.arrayContaining([
        '# limpet-vip: 10.0.0.100/32 dev eth0',
        '# limpet-vip: fd00::100/128 dev eth0',
        `# limpet-track: ${directory.file('t')}`,
        '# limpet-fifo: /run/limpet/notify',
      ]),
    );
    const prefixed = await written('-c', file, ...V4, ...V6, ...ETH0, ...HOSTS);
    expect(prefixed.stdout).toContain('# limpet-vip: 10.0.0.100/24 dev eth0');
    const { code, stderr: wrong } = await written('-c', file, ...V4, ...ETH0, ...HOSTS);
    expect([code, wrong[0]]).toEqual([2, 'error: global.vip has fd00::100 too, add a --vip for it']);
  });

  it('says that a configuration has no pair', async () => {
    const file = directory.write('limpet.yaml', configuration('name: lb1'));
    const { code, stderr } = await written('-c', file, ...ETH0, ...HOSTS);
    expect([code, stderr[0]]).toEqual([2, `error: ${file} has no global.vip, add it: vip: { address: 10.0.0.100 }`]);
  });

  it('says that the configuration has a path that keepalived would misread', async () => {
    const file = directory.write(
      'limpet.yaml',
      configuration('vip: { address: 10.0.0.100, track_file: "/run/a b/track" }'),
    );
    const { code, stderr } = await written('-c', file, ...ETH0, ...HOSTS);
    expect(code).toBe(2);
    expect(stderr[0]).toMatch(/^error: global.vip.track_file \/run\/a b\/track cannot stand in keepalived.conf/);
  });

  const wrong: [string, string[], RegExp][] = [
    ['no address', [...ETH0, ...HOSTS], /no virtual address named, add: --vip 10.0.0.100\/24/],
    ['no interface', [...V4, ...HOSTS], /required option '--interface <name>'/],
    ['no prefix', ['--vip', '10.0.0.100', ...ETH0, ...HOSTS], /'--vip <address>'.* with the prefix of its network/],
    ['priority 255', [...V4, ...ETH0, ...HOSTS, '--priority', '255'], /from 1 to 254/],
    ['router id 0', [...V4, ...ETH0, ...HOSTS, '--router-id', '0'], /from 1 to 255/],
    ['two intervals', [...V4, ...ETH0, ...HOSTS, '--fast', '--advert', '1s'], /cannot be used with option '--advert/],
    ['two ways', [...V4, ...ETH0, ...HOSTS, '--unicast', '--multicast'], /cannot be used with option '--unicast'/],
    ['no such interface here', [...V4, '--interface', 'nic9', '--peer', '10.0.0.2'], /--address is missing/],
    ['one host for two', [...V4, ...ETH0, ...ALONE, '--output-dir', 'x'], /--output-dir writes for two hosts, add/],
    ['the own address', ['--vip', '10.0.0.1/24', ...ETH0, ...HOSTS], /is this host's own address\nChoose a free/],
  ];
  it.each(wrong)('ends with 2: %s', async (_, words, message) => {
    const { code, stdout, stderr } = await written(...words);
    expect(stderr.join('\n')).toMatch(message);
    expect([code, stdout]).toEqual([2, []]);
  });

  it('ends with 1 where it cannot write', async () => {
    const { code, stderr } = await written(...V4, ...ETH0, ...HOSTS, '-o', directory.file('no/such/file'));
    expect(code).toBe(1);
    expect(stderr[0]).toMatch(/cannot be written: there is no such file or folder/);
  });
});

function configuration(line: string): string {
  return `global:
  ${line}
state: { store: redis, redis: { url: "redis://10.0.0.5" } }
frontends:
  mqtt: { bind: "*:1883", default_backend: emqx }
backends:
  emqx:
    servers: { emqx1: "10.0.0.11:1883" }
`;
}
