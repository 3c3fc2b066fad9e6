/** Programs made for HAProxy, unchanged. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { statsCsv, statsTyped } from '../../../../src/admin/csv/stat.ts';
import { until } from '../../../kit/condition.ts';
import { startHaproxy } from '../../../kit/haproxy.ts';
import { snapshot } from '../../../unit/admin/runtime/facts.ts';
import { openHouse, TCP_CONFIG, unixConfig } from './house.ts';
import { openScreen } from './tmux.ts';

const run = promisify(execFile);

async function shell(script: string): Promise<string> {
  return (await run('sh', ['-c', script])).stdout;
}

describe('socat', () => {
  it('shows a table, on a unix socket and on TCP', async () => {
    await using house = await openHouse();
    await house.control.table.set('emqx', 'subscriber1', 'emqx2');
    await house.api.reconfigure([unixConfig(house.path), TCP_CONFIG]);
    const table =
      /^# table: emqx, type: string, size:102400, used:1\n0x\w+: key=subscriber1 use=0 exp=\d+ server_id=2 server_key=emqx2\n\n$/;
    expect(await shell(`echo "show table emqx" | socat stdio ${house.path}`)).toMatch(table);
    expect(await shell(`echo "show table emqx" | socat stdio tcp4-connect:${house.api.listening[1]}`)).toMatch(table);
  });

  it('feeds a check that counts columns, as those of Nagios do', async () => {
    await using house = await openHouse();
    const check = `echo "show stat" | socat stdio ${house.path} | awk -F, '$18 == "DOWN" && $2 != "BACKEND" { print $1 "/" $2 " " $37 }'`;
    expect(await shell(check)).toBe('emqx/emqx2 L7OK\n');
  });

  it('carries a table of many lines whole', async () => {
    await using house = await openHouse();
    for (let i = 0; i < 20_000; i++) {
      house.control.table.entries.push({
        key: `k${i}`,
        server: 'emqx1',
        state: 'cooling',
        ttlMs: 1,
        owner: 'a',
        epoch: 1,
      });
    }
    expect(await shell(`echo "show table emqx" | socat stdio ${house.path} | grep -c key=k`)).toBe('20000\n');
  });
});

it('hatop shows the servers, and takes one out and back', async () => {
  await using house = await openHouse();
  await using screen = await openScreen(`hatop -s ${house.path}`);
  // It paints line by line, so a screen is whole only where each of them stands.
  const whole =
    /Limpet Version: 0\.1\.0 .* PID: 4711[\s\S]+emqx1 +1 UP +L7OK[\s\S]+emqx3 +1 - +none[\s\S]+BACKEND +1 UP/;
  await screen.waitFor(whole);
  // Its cursor is down a line with each press; F10 means nothing on lines that are no server.
  await until(
    async () => {
      await screen.press('Down');
      await screen.press('F10');
      return house.control.orders.length > 0;
    },
    { what: 'an order' },
  );
  expect(house.control.orders[0]).toBe('state emqx/emqx1 "maint"');
  await screen.waitFor(/emqx1 +1 MAINT/);
  await screen.press('F9');
  await until(() => house.control.orders.some(order => order.endsWith('"ready"')), { what: 'ready' });
  await screen.press('q');
});

it('has the columns of HAProxy in its order, with its types', async () => {
  await using haproxy = await startHaproxy(
    port => `defaults
  mode tcp
  timeout connect 1s
  timeout client 1s
  timeout server 1s
frontend mqtt
  bind 127.0.0.1:${port}
  rate-limit sessions 50
  default_backend emqx
backend emqx
  server emqx1 127.0.0.1:1 check weight 3 maxconn 20`,
  );
  const theirs = (await haproxy.runtime('show stat')).split('\n')[0]?.split(',') ?? [];
  const ours = statsCsv(snapshot()).split('\n')[0]?.split(',') ?? [];
  expect(ours.slice(0, -1)).toEqual(theirs.slice(0, ours.length - 1));
  expect(ours.at(-2)).toBe('-');

  const types = (typed: string): Map<string, string> =>
    new Map(
      typed.split('\n').flatMap(line => {
        const [, kind, column, tags] = /^([FBS])\.\d+\.\d+\.(\d+\.[^.]+)\.1:(\w+:\w+):/.exec(line) ?? [];
        return tags === undefined ? [] : [[`${kind}.${column}`, tags]];
      }),
    );
  const known = types(await haproxy.runtime('show stat typed'));
  const typed = [...types(statsTyped(snapshot()))].filter(([column]) => known.has(column));
  expect(typed.length).toBeGreaterThan(60);
  expect(typed).toEqual(typed.map(([column]) => [column, known.get(column)]));
});
