import { chmodSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { makeDirectory } from '../../../proxy/test/kit/directory.ts';
import { loadVipConfig } from '../../src/config/load.ts';
import { surveyHost } from '../../src/host/survey.ts';

const good = {
  address: '127.0.0.100/32',
  interface: 'lo',
  self: '127.0.0.1:7946',
  peer: '127.0.0.2:7946',
  secret: '0123456789abcdef',
  track_file: 'track',
  hooks: { on_active: 'true', on_standby: ['./hook', 'x'] },
};

/** The warnings for a host with a hook and a file beside vip.yaml. */
async function survey(extra: object): Promise<string> {
  await using directory = await makeDirectory('vip-survey');
  chmodSync(directory.write('hook', '#!/bin/sh\n'), 0o755);
  chmodSync(directory.write('plain', '#!/bin/sh\n'), 0o644);
  const path = directory.write('vip.yaml', JSON.stringify({ ...good, ...extra }));
  const loaded = loadVipConfig(path);
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  return surveyHost(loaded.config).join('\n').replaceAll(directory.path, '');
}

describe('what a vip.yaml names', () => {
  it('is all here', async () => {
    expect(await survey({})).toBe('');
  });

  it.each([
    [{ interface: 'lp-none' }, '`interface`: lp-none does not exist here; there are: '],
    [{ self: '192.0.2.1:7946' }, '`self`: no interface that is up has 192.0.2.1; there are: 127.0.0.1'],
    [{ track_file: 'missing/track' }, '`track_file`: there is no folder /missing'],
    [{ hooks: { on_fault: './none' } }, '`hooks.on_fault`: there is no program /none'],
    [{ hooks: { on_active: 'lp-none' } }, '`hooks.on_active`: there is no program lp-none'],
    [{ hooks: { on_standby: './plain' } }, '`hooks.on_standby`: /plain cannot be executed\n    chmod +x /plain'],
    [{ hooks: { on_standby: '/' } }, '`hooks.on_standby`: there is no program /'],
  ])('is missed: %j', async (extra, said) => {
    expect(await survey(extra)).toContain(`warning: ${said}`);
  });
});
