import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { until } from '../../../proxy/test/kit/condition.ts';
import { childrenOf } from '../../../proxy/test/kit/proc.ts';
import { ip, Network, vip6 } from '../kit/network.ts';

/** Of this machine, which others use too: printed, and bounded generously. */
function tell(what: string, ms: number): void {
  console.log(`${what}: the other host held the address after ${ms} ms`);
  expect(ms).toBeLessThan(5_000);
}

async function pair(letter: string, extra: object = {}): Promise<{ network: Network; holder: number }> {
  const network = await Network.open(letter);
  await network.startRedis();
  for (const host of [1, 2]) network.start(host, extra);
  for (const host of [1, 2]) await network.program(host).waitForLine(/vip_listened/);
  const holder = await network.settled();
  return { network, holder };
}

/** What is in a FIFO now. */
function readNow(fifo: number, buffer: Buffer): number {
  try {
    return readSync(fifo, buffer);
  } catch {
    // EAGAIN: nothing.
    return 0;
  }
}

// Namespaces need root; without it there is nothing that could be tested here.
describe.skipIf(process.getuid?.() !== 0)('a pair of hosts', () => {
  it('moves the address when the proxy is not ready, tells the neighbours, and does not move back', async () => {
    const { network, holder } = await pair('a');
    await using _ = network;
    const other = 3 - holder;
    expect(network.redisSays('get', 'limpet:vip:limpet')).toMatch(
      new RegExp(`^10\\.99\\.0\\.${holder}:7946 \\d+ \\d+$`),
    );
    network.touch();
    expect(network.neighbour()).toBe(network.hardware(holder));
    const sniffer = network.run(network.switchName, ['tcpdump', '-nn', '-l', '-i', 'br0', 'arp or icmp6']);
    await sniffer.waitForLine(/listening on br0/);
    const fifo = openSync(network.directory.file(`fifo${other}`), 'r+');
    tell('track file', await network.move(holder, () => network.track(holder, '1')));
    expect(await network.settled(other)).toBe(other);
    expect(network.holders(vip6)).toEqual([other]);
    await sniffer.waitForLine(/who-has 10\.99\.0\.100 .* tell 10\.99\.0\.100/);
    await sniffer.waitForLine(/neighbor advertisement, tgt is fd99::100/);
    const buffer = Buffer.alloc(200);
    expect(buffer.toString('latin1', 0, readSync(fifo, buffer))).toBe('INSTANCE "limpet" MASTER 100\n');
    // Whoever had the old neighbour in its cache has the new one, without having asked.
    await until(() => network.neighbour() === network.hardware(other), { what: 'the neighbours to know' });
    network.track(holder, '0');
    await network
      .program(holder)
      .waitUntil('BACKUP', () => network.program(holder).lines.at(-1)?.text.includes('BACKUP'));
    expect(network.holders()).toEqual([other]);
  });

  it('moves it when the worker is killed, when it hangs, and when the supervisor is killed', async () => {
    const { network, holder } = await pair('b');
    await using _ = network;
    tell('kill -9 of the worker', await network.move(holder, () => process.kill(network.workerPid(holder), 'SIGKILL')));
    const second = await network.settled(3 - holder);
    await network.program(holder).waitUntil('a new worker that has listened', () => network.listened(holder) === 2);
    tell('SIGSTOP of the worker', await network.move(second, () => process.kill(network.workerPid(second), 'SIGSTOP')));
    const third = await network.settled(holder);
    await network.program(second).waitForLine(/gives no sign of life/);
    await network.program(second).waitUntil('a new worker that has listened', () => network.listened(second) === 2);
    tell('kill -9 of the supervisor', await network.move(third, () => network.program(third).signal('SIGKILL')));
    expect(await network.settled(3 - third)).toBe(3 - third);
  });

  it('moves it when the link is lost, and moves nothing when Redis is', async () => {
    const { network, holder } = await pair('c');
    await using _ = network;
    await network.redis.kill();
    for (const host of [1, 2]) await network.program(host).waitForLine(/vip_redis_away/);
    expect(network.holders()).toEqual([holder]);
    const port = ['-n', network.switchName, 'link', 'set', `p${holder}`];
    tell('link down, Redis gone', await network.move(holder, () => void ip(...port, 'down')));
    await network.settled(3 - holder);
    ip(...port, 'up');
    await network.program(holder).waitForLine(/vip_state.*"state":"BACKUP","fence":[^0]/);
    expect(network.holders()).toEqual([3 - holder]);
  });

  it('lets go when it is told to stop, and leaves the lease free', async () => {
    const { network, holder } = await pair('d');
    await using _ = network;
    const program = network.program(holder);
    tell('SIGTERM', await network.move(holder, () => program.signal('SIGTERM')));
    expect(await program.waitForExit()).toEqual({ code: 0, signal: null });
    expect(await network.settled(3 - holder)).toBe(3 - holder);
    await network.program(3 - holder).kill('SIGTERM');
    expect(network.holders()).toEqual([]);
    expect(network.redisSays('get', 'limpet:vip:limpet')).toMatch(/^- \d+ \d+$/);
  });

  it('leaves no address behind where both its processes were killed, once its unit has cleaned up', async () => {
    const { network, holder } = await pair('f');
    await using _ = network;
    const worker = network.workerPid(holder);
    process.kill(worker, 'SIGSTOP');
    network.program(holder).signal('SIGKILL');
    process.kill(worker, 'SIGKILL');
    await network.program(3 - holder).waitUntil('the other host', () => network.holders().includes(3 - holder));
    expect(network.holders()).toContain(holder);
    // The file has become wrong meanwhile, elsewhere.
    const path = network.directory.file(`vip${holder}.yaml`);
    const broken = { ...(JSON.parse(readFileSync(path, 'utf8')) as object), peer: 'nobody', colour: 'blue' };
    network.directory.write(`vip${holder}.yaml`, JSON.stringify(broken));
    const cleaner = network.run(network.namespace(holder), [...network.command(holder), '--release']);
    expect(await cleaner.waitForExit()).toEqual({ code: 0, signal: null });
    expect(cleaner.lines.some(({ text }) => text.includes('`colour`: this key is not known here'))).toBe(true);
    expect(network.holders()).toEqual([3 - holder]);
  });

  it('removes the address though the `ip` that it keeps running hangs', async () => {
    const { network, holder } = await pair('h');
    await using _ = network;
    for (const pid of childrenOf(network.workerPid(holder))) {
      if (readFileSync(`/proc/${pid}/comm`, 'latin1') === 'ip\n') process.kill(pid, 'SIGSTOP');
    }
    network.track(holder, '1');
    expect(await network.settled(3 - holder)).toBe(3 - holder);
  });

  it('keeps the other host waiting while the address cannot be removed', async () => {
    await using network = await Network.open('i');
    await network.startRedis();
    network.track(2, '1');
    const program = network.start(1, {}, [`PATH=${network.brittleIp()}`]);
    const other = network.start(2);
    for (const host of [1, 2]) await network.program(host).waitForLine(/vip_listened/);
    expect(await network.settled(1)).toBe(1);
    network.breakIp(1);
    network.track(2, '0');
    network.track(1, '1');
    await program.waitForLine(/vip_address.*tried once a second/);
    expect(network.holders()).toEqual([1]);
    expect(other.lines.some(({ text }) => text.includes('vip_active'))).toBe(false);
    expect(program.lines.some(({ text }) => text.includes('vip_released'))).toBe(false);
    network.mendIp();
    expect(await network.settled(2)).toBe(2);
    await program.waitForLine(/vip_released.*the proxy is not ready/);
  });

  it('waits with what an earlier life has left, and it cannot remove', async () => {
    await using network = await Network.open('j');
    ip('-n', network.namespace(1), 'address', 'add', `${vip6}/64`, 'dev', 'eth0', 'nodad');
    const way = `PATH=${network.brittleIp()}`;
    network.directory.write('broken', '');
    const program = network.start(1, { redis: undefined }, [way]);
    await program.waitForLine(/vip_address.*tried once a second/);
    network.start(2, { redis: undefined });
    await network.program(2).waitForLine(/vip_listened/);
    expect(network.holders(vip6)).toEqual([1]);
    program.signal('SIGTERM');
    expect(await program.waitForExit()).toEqual({ code: 1, signal: null });
    expect(program.lines.at(-1)?.text).toContain('it is still on this host');
    network.mendIp();
  });

  it('sets the address again that something else has removed, until that goes too far', async () => {
    const { network, holder } = await pair('k', { redis: undefined });
    await using _ = network;
    const program = network.program(holder);
    const said = (what: string): number => program.lines.filter(({ text }) => text.includes(what)).length;
    for (const times of [1, 2, 3]) {
      network.removeAddress(holder);
      await program.waitUntil('it to be set again', () => said('something else had removed it') === times);
      expect(network.holders()).toEqual([holder]);
    }
    network.removeAddress(holder);
    await program.waitForLine(/vip_state.*this host is FAULT: the address could not be set, kept or removed/);
    expect(said('removed the address 4 times within 10 s')).toBe(1);
    expect(await network.settled(3 - holder)).toBe(3 - holder);
  });

  it.each([
    ['n', { interface: 'eth9' }, 'there is no interface eth9'],
    ['o', { interface: 'lo2' }, 'lo2 is down'],
    ['p', { track_file: '/nowhere/track' }, 'the track file /nowhere/track is missing'],
    ['q', {}, 'says \\"1\\"'],
  ])('says why it is in FAULT: %s', async (letter, extra, why) => {
    await using network = await Network.open(letter);
    ip('-n', network.namespace(1), 'link', 'add', 'lo2', 'type', 'veth', 'peer', 'name', 'lo3');
    network.track(1, '1');
    const track = network.directory.file('track1');
    if (letter !== 'q') network.track(1, '0');
    const program = network.start(1, { redis: undefined, ...extra });
    await program.waitForLine(/vip_state.*this host is FAULT/);
    expect(program.lines.find(({ text }) => text.includes('this host is FAULT'))?.text).toContain(
      letter === 'q' ? `the track file ${track} ${why}` : why,
    );
  });

  it('is not disturbed by a second start, or by cleaning up beside it', async () => {
    await using network = await Network.open('l');
    await network.startRedis();
    const program = network.start(1);
    expect(await network.settled(1)).toBe(1);
    await program.waitForLine(/vip_active/);
    const count = program.lines.length;
    const extra = network.write(1, 'other', { name: 'other', address: '10.99.0.101/24' });
    const beside = async (...args: readonly string[]): Promise<string> => {
      const command = args.length > 0 ? args : network.command(1);
      const second = network.run(network.namespace(1), command);
      expect(await second.waitForExit()).toEqual({ code: 1, signal: null });
      return second.lines.map(({ text }) => text).join('\n');
    };
    expect(await beside()).toContain('runs on this host already');
    expect(await beside(...network.command(1), '--release')).toContain('The address was left where it is');
    expect(await beside(...network.command(1, extra))).toContain('10.99.0.1:7946 cannot be used (EADDRINUSE)');
    expect(network.holders()).toEqual([1]);
    expect(program.lines.slice(count).map(({ text }) => text)).toEqual([]);
    program.signal('SIGTERM');
    expect(await program.waitForExit()).toEqual({ code: 0, signal: null });
  });

  it('ends where the address of `self` is not on this host', async () => {
    await using network = await Network.open('m');
    const program = network.start(1, { redis: undefined, self: '10.99.0.7:7946' });
    expect(await program.waitForExit()).toEqual({ code: 1, signal: null });
    expect(program.lines.map(({ text }) => text).join('\n')).toContain('10.99.0.7:7946 cannot be used (EADDRNOTAVAIL)');
    expect(program.lines.some(({ text }) => text.includes('started again'))).toBe(false);
  });

  it('removes what an earlier life has left, before anything else', async () => {
    await using network = await Network.open('g');
    ip('-n', network.namespace(1), 'address', 'add', `${vip6}/64`, 'dev', 'eth0', 'nodad');
    network.track(1, '1');
    const program = network.start(1, { redis: undefined });
    await program.waitForLine(/vip_listened/);
    expect(network.holders(vip6)).toEqual([]);
    network.track(1, '0');
    expect(await network.settled(1)).toBe(1);
    network.directory.write('track1', 'nonsense');
    await until(() => network.holders().length === 0, { what: 'the holder to let go' });
  });

  it('runs hooks in place of the address', async () => {
    await using network = await Network.open('e');
    await network.startRedis();
    for (const host of [1, 2]) {
      const hook = network.hook(host);
      network.start(host, { address_by: 'hook', hooks: { on_active: hook, on_standby: [hook], on_fault: hook } });
    }
    const isDone = (host: number, word: string) => (): boolean =>
      network.program(host).lines.some(({ text }) => text.includes(`the hook for ${word} is done`));
    const holder = await until(() => [1, 2].find(host => isDone(host, 'MASTER')()), { what: 'a holder' });
    // The proxy cannot see where the address is, so it is told again and again.
    const fifo = openSync(network.directory.file(`fifo${holder}`), constants.O_RDWR | constants.O_NONBLOCK);
    const heard = Buffer.alloc(500);
    let length = 0;
    const hasTwoLines = (): boolean => {
      length += readNow(fifo, heard.subarray(length));
      return heard.toString('latin1', 0, length).split('\n').length > 2;
    };
    await until(hasTwoLines, { what: 'two words' });
    closeSync(fifo);
    expect([...new Set(heard.toString('latin1', 0, length).trim().split('\n'))]).toEqual([
      'INSTANCE "limpet" MASTER 100',
    ]);
    await network.move(holder, () => network.track(holder, '1'));
    await network.program(3 - holder).waitUntil('its hook', isDone(3 - holder, 'MASTER'));
    await network.program(holder).waitUntil('its hook', isDone(holder, 'FAULT'));
    expect(network.hooked(holder)).toEqual(['BACKUP', 'MASTER', 'FAULT']);
    expect(network.hooked(3 - holder).at(-1)).toBe('MASTER');
    expect(network.holders()).toEqual([]);
  });
});
