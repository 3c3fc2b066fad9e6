import { copyFileSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Directory, makeDirectory } from '../../kit/directory.ts';
import { DEPLOY } from '../../kit/monitoring.ts';
import { startProcess } from '../../kit/process.ts';

const UNIT = readFileSync(`${DEPLOY}systemd/limpet.service`, 'utf8');

/** What the unit starts, on a machine where Limpet is installed as docs/operations.md says. */
const PROGRAM = '/usr/bin/node /opt/limpet/packages/cli/dist/bin.js';

/** keepalived's unit, and what it starts. */
const PAIR_UNIT = readFileSync(`${DEPLOY}systemd/limpet-keepalived.service`, 'utf8');
const GUARD = '/opt/limpet/deploy/keepalived/limpet-keepalived';

/** The unit of `limpet vip`. */
const VIP_UNIT = readFileSync(`${DEPLOY}vip/limpet-vip.service`, 'utf8');

interface Said {
  readonly code: number | null;
  readonly said: string;
}

async function run(command: string, ...args: readonly string[]): Promise<Said> {
  await using tool = startProcess(command, args);
  const { code } = await tool.waitForExit();
  return { code, said: tool.lines.map(({ text }) => text).join('\n') };
}

/** The unit, on a machine where Limpet is not installed. */
function unitIn(folder: Directory, change: (unit: string) => string = unit => unit): string {
  return folder.write('limpet.service', change(UNIT).replaceAll(PROGRAM, '/bin/true'));
}

test('systemd-analyze verify finds nothing wrong with the unit', async () => {
  await using folder = await makeDirectory('systemd');
  expect(await run('systemd-analyze', 'verify', unitIn(folder))).toEqual({ code: 0, said: '' });
});

test('unit, drop-in and terminal start the same: the program of the package', async () => {
  const { bin } = JSON.parse(readFileSync(`${DEPLOY}../packages/cli/package.json`, 'utf8')) as {
    bin: { limpet: string };
  };
  expect(PROGRAM.endsWith(`/packages/cli/${bin.limpet}`)).toBe(true);
  const script = `${DEPLOY}systemd/limpet.sh`;
  const dropIn = readFileSync(`${DEPLOY}systemd/limpet.service.d/local.conf`, 'utf8');
  const page = readFileSync(`${DEPLOY}../docs/operations.md`, 'utf8').replaceAll('\n', ' ');
  for (const text of [UNIT, dropIn, page, readFileSync(script, 'utf8')]) expect(text).toContain(PROGRAM);
  expect(await run('shellcheck', script)).toEqual({ code: 0, said: '' });
});

test('it would find a word that systemd does not know', async () => {
  await using folder = await makeDirectory('systemd');
  const unit = unitIn(folder, text => text.replace('KillMode=mixed', 'KillMode=gently'));
  expect((await run('systemd-analyze', 'verify', unit)).said).toContain('gently');
});

test('the drop-in, all of it in use', async () => {
  await using folder = await makeDirectory('systemd');
  const dropIn = readFileSync(`${DEPLOY}systemd/limpet.service.d/local.conf`, 'utf8');
  const used = dropIn.replaceAll(/^#(?=[A-Z]\w+=)/gm, '').replaceAll(PROGRAM, '/bin/true');
  expect(used).toMatch(/^ExecReload=\/bin\/true/m);
  const unit = unitIn(folder, text => text + used.slice(used.indexOf('[Service]')));
  expect(await run('systemd-analyze', 'verify', unit)).toEqual({ code: 0, said: '' });
});

test('the exposure is under 3, and would be told if it were not', async () => {
  await using folder = await makeDirectory('systemd');
  const security = ['security', '--offline=true', '--no-pager'];
  const { code, said } = await run('systemd-analyze', ...security, '--threshold=29', unitIn(folder));
  expect(code, said).toBe(0);
  expect(said).toMatch(/Overall exposure level for limpet.service: [012]\.[0-9]/);
  const bare = unitIn(folder, text => text.replaceAll(/^(?:Protect|Private|Restrict|SystemCall).*\n/gm, ''));
  expect((await run('systemd-analyze', ...security, '--threshold=29', bare)).code).not.toBe(0);
});

test('systemd-sysusers makes the user that the unit names', async () => {
  await using folder = await makeDirectory('sysusers');
  const folderOfUsers = folder.file('etc/sysusers.d');
  mkdirSync(folderOfUsers, { recursive: true });
  copyFileSync(`${DEPLOY}systemd/limpet.sysusers.conf`, `${folderOfUsers}/limpet.conf`);
  expect(await run('systemd-sysusers', `--root=${folder.path}`, 'limpet.conf')).toMatchObject({ code: 0 });
  const passwd = readFileSync(folder.file('etc/passwd'), 'utf8');
  expect(passwd).toMatch(/^limpet:.*:\/usr\/sbin\/nologin$/m);
  expect(UNIT).toContain('\nUser=limpet\nGroup=limpet\n');
});

function pairUnitIn(folder: Directory, change: (unit: string) => string = unit => unit): string {
  return folder.write('limpet-keepalived.service', change(PAIR_UNIT).replaceAll(GUARD, '/bin/true'));
}

test("keepalived's unit: nothing wrong with it, its exposure under 3.5, and what it starts is there", async () => {
  await using folder = await makeDirectory('systemd');
  expect(await run('systemd-analyze', 'verify', pairUnitIn(folder))).toEqual({ code: 0, said: '' });
  const security = ['security', '--offline=true', '--no-pager', '--threshold=35'];
  const { code, said } = await run('systemd-analyze', ...security, pairUnitIn(folder));
  expect(code, said).toBe(0);
  expect(PAIR_UNIT.match(new RegExp(`=${GUARD} \\w+`, 'g'))).toEqual([`=${GUARD} run`, `=${GUARD} release`]);
  const guard = `${DEPLOY}keepalived/limpet-keepalived`;
  expect(statSync(guard).mode & 0o111).toBe(0o111);
  expect(await run('shellcheck', guard)).toEqual({ code: 0, said: '' });
});

test("a wrong word in keepalived's unit would be found", async () => {
  await using folder = await makeDirectory('systemd');
  const unit = pairUnitIn(folder, text => text.replace('Type=exec', 'Type=never'));
  expect((await run('systemd-analyze', 'verify', unit)).said).toContain('never');
});

test("the unit of `limpet vip`: nothing wrong with it, and it and keepalived's end each other", async () => {
  await using folder = await makeDirectory('systemd');
  const unit = folder.write('limpet-vip.service', VIP_UNIT.replaceAll(PROGRAM, '/bin/true'));
  expect(await run('systemd-analyze', 'verify', unit)).toEqual({ code: 0, said: '' });
  expect(VIP_UNIT).toMatch(/^Conflicts=(.* )?limpet-keepalived\.service( |$)/m);
  expect(PAIR_UNIT).toMatch(/^Conflicts=(.* )?limpet-vip\.service( |$)/m);
});
