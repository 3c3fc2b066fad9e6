import { describe, expect, it } from 'vitest';
import { openScreen } from '../../../proxy/test/flow/admin/runtime/tmux.ts';
import { serverFacts } from '../../../proxy/test/kit/admin_facts.ts';
import { until } from '../../../proxy/test/kit/condition.ts';
import { openHouse } from './house.ts';
import { limpet, limpetCommand, runScript } from './program.ts';

describe('limpet top', () => {
  it('draws, obeys keys, and gives the terminal back', async () => {
    await using house = await openHouse();
    await using screen = await openScreen(
      `${limpetCommand('top', '--socket', house.path)}; echo "ended $?"; stty -a; cat`,
    );
    const first = await screen.waitFor(/^>emqx\/emqx1/m);
    expect(first).toMatch(/^limpet lb1 0\.1\.0 {2}active .* \d\d:\d\d:\d\d$/m);
    expect(first).toMatch(/^drain emqx\/emqx2 \[#+-+\] +33% {2}20 of 30 left, 200\/s/m);
    expect(first).toMatch(/^emqx\/emqx1 10\.0\.0\.1:1883 UP for .*: Layer7 check passed/m);
    await screen.press('j', 'Right', 'Right');
    await screen.waitFor(/^>emqx\/emqx2(.*\n)*.*sort \(SESSIONS\)/m);
    const { facts } = house.control;
    const [emqx, ...others] = facts.backends;
    const servers = [serverFacts('emqx1', { verdict: 'down', reason: 'Layer4 timeout' })];
    house.control.facts = { ...facts, backends: [...(emqx === undefined ? [] : [{ ...emqx, servers }]), ...others] };
    await screen.waitFor(/emqx\/emqx1 +DOWN/);
    await screen.press('?');
    await screen.waitFor(/Any key closes this/);
    await screen.press('q');
    await screen.waitFor(/ended 0(.*\n)*.* echo /);
  });

  it('gives the terminal back on SIGTERM too', async () => {
    await using house = await openHouse();
    const top = `${limpetCommand('top', '--socket', house.path)} & echo $! > ${house.directory.file('pid')}; fg; echo "ended $?"; stty -a; cat`;
    await using screen = await openScreen(`bash -mc '${top}'`);
    await screen.waitFor(/^>emqx\/emqx1/m);
    await runScript('kill "$(cat "$1")"', house.directory.file('pid'));
    await screen.waitFor(/ended 0(.*\n)*.* echo /);
  });

  it('says what to do where there is no terminal', async () => {
    const { code, stderr } = await limpet('top');
    expect(stderr[0]).toBe('error: limpet top needs a terminal; for scripts there is limpet status --json');
    expect(code).toBe(2);
  });
});

describe('on a terminal', () => {
  it('a drain shows a bar; Ctrl-C leaves it running', async () => {
    await using house = await openHouse();
    const drain = limpetCommand('server', 'drain', 'emqx/emqx2', '--rate', '200/s', '--socket', house.path);
    await using screen = await openScreen(`${drain}; echo "ended $?"; cat`);
    await screen.waitFor(/^emqx\/emqx2 \[#+-+\] {2}33% {2}20 of 30 left, 200\/s/m);
    await screen.press('C-c');
    await screen.waitFor(/the drain goes on; .*\n(.*\n)?.*ended 0/);
  });

  it('a whole table is cleared after a question only', async () => {
    await using house = await openHouse();
    const clear = limpetCommand('table', 'clear', 'emqx', '--socket', house.path);
    await using screen = await openScreen(`${clear}; echo "ended $?"; ${clear}; cat`);
    await screen.waitFor(/Clear the whole table of emqx\? \[y\/N\]/);
    await screen.press('n', 'Enter');
    await screen.waitFor(/nothing was removed\nended 1\nClear the whole/);
    await screen.press('y', 'Enter');
    await screen.waitFor(/2 entries removed/);
    await until(() => house.control.orders.length === 1, { what: 'one order' });
  });

  it('a password is asked for twice, and not shown', async () => {
    await using screen = await openScreen(`${limpetCommand('password')}; echo "ended $?"; stty -a; cat`);
    await screen.waitFor(/^Password:/m);
    await screen.press('s', '3', 'c', 'r', 'e', 't', 'Enter');
    await screen.waitFor(/^Again:/m);
    await screen.press('s', '3', 'c', 'r', 'e', 't', 'Enter');
    const text = await screen.waitFor(/ended 0(.*\n)*.* echo /);
    expect(text).toMatch(/^\$scrypt\$ln=15/m);
    expect(text).not.toContain('s3');
  });
});
