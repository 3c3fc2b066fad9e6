import { describe, expect, it } from 'vitest';
import { infoJson, infoText, infoTyped } from '../../../../src/admin/csv/info.ts';
import { statsCsv, statsJson, statsTyped } from '../../../../src/admin/csv/stat.ts';
import { serverStatus } from '../../../../src/admin/csv/status.ts';
import type { ServerFacts } from '../../../../src/admin/snapshot.ts';
import { PEERS } from '../../../kit/admin_facts.ts';
import { backend, frontend, server, snapshot } from '../runtime/facts.ts';

/** Rows as HAProxy's own tools read them: by the names of the header. */
function read(csv: string): Record<string, string>[] {
  const [head = '', ...lines] = csv.trimEnd().split('\n');
  const names = head.replace(/^# /, '').split(',');
  return lines.map(line => Object.fromEntries(line.split(',').map((cell, index) => [names[index] ?? '', cell])));
}

describe('show stat', () => {
  it('has a row a frontend, a server, a backend, in the order of the configuration', () => {
    const rows = read(statsCsv(snapshot())).map(row => `${row.pxname}/${row.svname} ${row.iid} ${row.sid} ${row.type}`);
    expect(rows).toEqual([
      'mqtt/FRONTEND 2 0 0',
      'emqx/emqx1 3 1 2',
      'emqx/emqx2 3 2 2',
      'emqx/emqx3 3 3 2',
      'emqx/BACKEND 3 0 1',
      'raw/r1 4 1 2',
      'raw/BACKEND 4 0 1',
    ]);
  });

  it('gives every row as many cells as the header has names', () => {
    const widths = statsCsv(snapshot())
      .trimEnd()
      .split('\n')
      .map(line => line.split(',').length);
    expect(new Set(widths).size).toBe(1);
  });

  it.each<[proxy: number | string | null, types: number, sid: number, rows: string[]]>([
    [null, -1, -1, ['FRONTEND', 'emqx1', 'emqx2', 'emqx3', 'BACKEND', 'r1', 'BACKEND']],
    [3, 4, 1, ['emqx1']],
    ['emqx', 6, -1, ['emqx1', 'emqx2', 'emqx3', 'BACKEND']],
    [null, 1, -1, ['FRONTEND']],
    [99, -1, -1, []],
  ])('of proxy %s, types %i, server %i', (proxy, types, sid, rows) => {
    expect(read(statsCsv(snapshot(), { proxy, types, sid })).map(row => row.svname)).toEqual(rows);
  });

  it('fills the columns of a server', () => {
    const [, row] = read(statsCsv(snapshot()));
    expect(row).toMatchObject({
      scur: '1',
      smax: '2',
      slim: '',
      stot: '2',
      bin: '11',
      bout: '22',
      status: 'UP',
      lastchg: '60',
      lbtot: '3',
      check_status: 'L7OK',
      check_code: '0',
      check_duration: '2',
      check_desc: 'Layer7 check passed',
      addr: '10.0.0.1:1883',
      act: '1',
      bck: '0',
      pid: '1',
      '-': '-',
    });
  });

  it('parts refusals into those at the door, those by rule and those for faults', () => {
    const counts = {
      connections: 20,
      'refused:denied': 1,
      'refused:source_maxconn': 2,
      'refused:rule': 4,
      'refused:malformed': 8,
      'refused:too_late': 16,
      'refused:all_failed': 32,
    };
    const [row] = read(statsCsv(snapshot({ frontends: [frontend('mqtt', { counts, maxconn: 9, connRate: 7 })] })));
    expect(row).toMatchObject({
      dcon: '3',
      dreq: '4',
      ereq: '24',
      stot: '17',
      conn_tot: '20',
      slim: '9',
      rate_lim: '7',
    });
  });

  it('keeps a cell a cell', () => {
    const servers = [
      server('a', { lastCheck: { status: 'L4CON', code: null, durationMs: 1, atMs: 0, info: 'x,"y"' } }),
    ];
    expect(statsCsv(snapshot({ backends: [backend('b', servers)] }))).toContain(',"x,""y""",');
  });

  it('writes IPv6 in brackets', () => {
    const servers = [server('a', { address: '2001:db8::1' })];
    expect(read(statsCsv(snapshot({ frontends: [], backends: [backend('b', servers)] })))[0]?.addr).toBe(
      '[2001:db8::1]:1883',
    );
  });

  it('is typed as HAProxy types it', () => {
    const lines = statsTyped(snapshot(), { proxy: 'emqx', types: 6, sid: -1 }).split('\n');
    expect(lines).toContain('S.3.1.0.pxname.1:KNS:str:emqx');
    expect(lines).toContain('S.3.1.4.scur.1:MGP:u32:1');
    expect(lines).toContain('S.3.1.33.rate.1:MRP:u32:0');
    expect(lines).toContain('B.3.0.33.rate.1:MGP:u32:0');
    expect(lines).toContain('S.3.1.73.addr.1:CGS:str:10.0.0.1:1883');
  });

  it('is JSON as HAProxy writes it', () => {
    const [row] = JSON.parse(statsJson(snapshot()));
    expect(row[0]).toEqual({
      objType: 'Frontend',
      proxyId: 2,
      id: 0,
      field: { pos: 0, name: 'pxname' },
      processNum: 1,
      tags: { origin: 'Key', nature: 'Name', scope: 'Service' },
      value: { type: 'str', value: 'mqtt' },
    });
  });
});

describe('the word for a server', () => {
  it.each<[facts: Partial<ServerFacts>, word: string]>([
    [{}, 'UP'],
    [{ verdict: 'no_check' }, 'no check'],
    [{ verdict: 'down' }, 'DOWN'],
    [{ admin: 'maint', verdict: 'down' }, 'MAINT'],
    [{ admin: 'drain' }, 'DRAIN'],
    [{ admin: 'drain_new', verdict: 'no_check' }, 'DRAIN'],
    [{ admin: 'drain', verdict: 'down' }, 'DOWN'],
    [{ weight: 0 }, 'DRAIN'],
  ])('%j is %s', (facts, word) => {
    expect(serverStatus(server('a', facts))).toBe(word);
  });

  it('a backend counts who takes new clients', () => {
    const servers = [
      server('a', { weight: 3 }),
      server('b', { admin: 'drain', weight: 5 }),
      server('c', { backup: true, weight: 7 }),
    ];
    const rows = read(statsCsv(snapshot({ frontends: [], backends: [backend('x', servers)] })));
    expect(rows[3]).toMatchObject({ status: 'UP', weight: '3', act: '1', bck: '1' });
    const away = read(statsCsv(snapshot({ frontends: [], backends: [backend('x', servers.slice(1, 2))] })));
    expect(away[1]).toMatchObject({ status: 'DOWN', weight: '0', act: '0', lastchg: '60' });
  });
});

describe('show info', () => {
  it.each([
    ['Name: Limpet'],
    ['Version: 0.1.0'],
    ['Release_date: -'],
    ['Nbthread: 2'],
    ['Nbproc: 1'],
    ['Process_num: 1'],
    ['Pid: 4711'],
    ['Uptime: 1d 1h01m01s'],
    ['Uptime_sec: 90061'],
    ['Maxconn: 100000'],
    ['node: lb1'],
    ['Listeners: 1'],
  ])('has %s', line => {
    expect(infoText(snapshot()).split('\n')).toContain(line);
  });

  it('tells the role, and how many proxies there are', () => {
    const lines = infoText(snapshot({ proxies: PEERS }, { role: 'standby', roleSinceMs: 1_800_000_000_000 })).split(
      '\n',
    );
    for (const line of ['Role: standby', 'Role_since: 2027-01-15T08:00:00.000Z', 'Proxies: 2', 'Proxies_alive: 1'])
      expect(lines).toContain(line);
    expect(infoText(snapshot()).split('\n')).toContain('Role_since: -');
  });

  it('is typed with the numbers of HAProxy', () => {
    expect(infoTyped(snapshot()).split('\n')).toContain('6.Pid.1:SGP:u32:4711');
    expect(infoTyped(snapshot()).split('\n')).toContain('50.node.1:COS:str:lb1');
    expect(JSON.parse(infoJson(snapshot()))[0].value).toEqual({ type: 'str', value: 'Limpet' });
  });
});
