import { chmodSync, readFileSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { LogConfig } from '../../../src/config/resolved.ts';
import { createLog } from '../../../src/log.ts';
import { until } from '../../kit/condition.ts';
import { type Directory, makeDirectory } from '../../kit/directory.ts';
import { DEPLOY } from '../../kit/monitoring.ts';
import { startProcess } from '../../kit/process.ts';

/** As deployed, for a folder and a user that this machine has. `signal` is what is said to the service. */
function configIn(folder: Directory, signal: string): string {
  const { uid, gid } = userInfo();
  const text = readFileSync(`${DEPLOY}logrotate/limpet`, 'utf8')
    .replaceAll('/var/log/limpet', folder.path)
    .replaceAll(/\blimpet limpet$/gm, `${uid} ${gid}`)
    .replace(/systemctl kill --kill-whom=main --signal=SIG(\w+) limpet.service/, signal);
  const config = folder.write('logrotate.conf', text);
  chmodSync(config, 0o600);
  return config;
}

async function logrotate(folder: Directory, ...args: readonly string[]): Promise<string> {
  await using tool = startProcess('logrotate', ['-s', folder.file('state'), ...args]);
  const { code } = await tool.waitForExit();
  expect(code, tool.tail()).toBe(0);
  return tool.lines.map(({ text }) => text).join('\n');
}

test('logrotate understands it', async () => {
  await using folder = await makeDirectory('logrotate');
  folder.write('limpet.log', 'a line\n');
  expect(await logrotate(folder, '-d', '-f', configIn(folder, 'systemctl $1'))).toContain('running postrotate script');
});

test('shellcheck finds nothing wrong with its script', async () => {
  await using folder = await makeDirectory('logrotate');
  const [, script = ''] =
    /postrotate\n(.*?)\n\s*endscript/s.exec(readFileSync(`${DEPLOY}logrotate/limpet`, 'utf8')) ?? [];
  await using tool = startProcess('shellcheck', ['--shell=sh', folder.write('postrotate', `${script}\n`)]);
  expect((await tool.waitForExit()).code, tool.tail()).toBe(0);
  expect(script).toContain('SIGUSR1');
});

test('no line is lost over a rotation, and the next one packs the file', async () => {
  await using folder = await makeDirectory('logrotate');
  const path = folder.file('limpet.log');
  const target = { kind: 'file', path } as const;
  const config: LogConfig = { level: 'info', format: 'json', usernames: false, sample: null, target };
  const log = createLog(config, 'primary');
  let reopened = 0;
  const reopen = (): void => {
    log.reopen();
    reopened += 1;
  };
  process.on('SIGUSR1', reopen);
  try {
    const rotate = configIn(folder, `kill -s $1 ${process.pid}`);
    for (const round of [1, 2]) {
      log.info('before', { round });
      await log.flush();
      await logrotate(folder, '-f', rotate);
      await until(() => reopened === round, { what: 'SIGUSR1' });
    }
    log.info('after');
    await log.flush();
  } finally {
    process.off('SIGUSR1', reopen);
  }
  expect(readFileSync(path, 'utf8')).toMatch(/^[^\n]*"after"[^\n]*\n$/);
  expect(statSync(path).mode & 0o777).toBe(0o640);
  expect(readFileSync(`${path}.1`, 'utf8')).toMatch(/^[^\n]*"before","round":2[^\n]*\n$/);
  const first = gunzipSync(readFileSync(`${path}.2.gz`)).toString();
  expect(first).toMatch(/^[^\n]*"before","round":1[^\n]*\n$/);
});
