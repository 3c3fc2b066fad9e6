/** Programs and scripts that were made for HAProxy, unchanged, on the proxy as its users run it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { openScreen, type Screen } from '../flow/admin/runtime/tmux.ts';
import { Belongings } from '../kit/belongings.ts';
import { type Brokers, startBrokers } from '../kit/cluster.ts';
import { until } from '../kit/condition.ts';
import { type Crowd, connectAll, ids } from '../kit/crowd.ts';
import { type Directory, makeDirectory } from '../kit/directory.ts';
import { faceAddress } from '../kit/faces.ts';
import { connectLight } from '../kit/light_client.ts';
import { type Limpet, startLimpet } from '../kit/limpet.ts';
import { startOnFreePort } from '../kit/port.ts';
import { startProcess } from '../kit/process.ts';
import { readStats } from '../kit/stat_csv.ts';

const run = promisify(execFile);
/** The seeds of this project, and of many a how-to. */
const backend = 'emqx_tcp_back';

let brokers: Brokers;
let directory: Directory;
let limpet: Limpet;
let things: Belongings;
beforeAll(async () => {
  brokers = await startBrokers(3);
});
afterAll(() => brokers[Symbol.asyncDispose]());
beforeEach(async () => {
  things = new Belongings();
  directory = things.own(await makeDirectory('tools'));
  limpet = things.own(await startLimpet(config()));
});
afterEach(() => things[Symbol.asyncDispose]());

function config(): object {
  return {
    global: {
      name: 'lb',
      workers: 2,
      runtime_api: [directory.file('limpet.sock'), '127.0.0.1:0'],
      stats: { bind: '127.0.0.1:0' },
    },
    frontends: { emqx_tcp: { bind: '127.0.0.1:0', default_backend: backend } },
    backends: { [backend]: { check: { inter: '200ms', fall: 2, rise: 1 }, servers: brokers.servers() } },
  };
}

async function crowd(count: number): Promise<Crowd> {
  const clients = things.own(await connectAll(limpet.port('emqx_tcp'), ids('device', count)));
  expect(clients.refused).toEqual([]);
  return clients;
}

/** What a shell prints, with its standard error, and its exit code. */
async function shell(script: string): Promise<{ readonly code: number; readonly output: string }> {
  try {
    const { stdout, stderr } = await run('sh', ['-c', script]);
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

async function statusOf(server: string): Promise<string> {
  const csv = await (await fetch(`http://${faceAddress(limpet, 'stats')}/stats;csv`)).text();
  return readStats(csv).get(`${backend}/${server}`)?.status ?? '';
}

test('socat: the first command after the start is answered whole', async () => {
  things.own(await connectLight(limpet.port('emqx_tcp'), { clientId: 'subscriber1' }));
  const { output } = await shell(
    `echo "show table ${backend}" | socat stdio tcp4-connect:${faceAddress(limpet, 'runtime_api', 1)}`,
  );
  console.log(output);
  const [head, entry, ...rest] = output.split('\n');
  expect(head).toBe(`# table: ${backend}, type: string, size:102400, used:1`);
  expect(entry).toMatch(/^0x[0-9a-f]+: key=subscriber1 use=1 exp=\d+ server_id=(\d) server_key=b\1$/);
  expect(rest).toEqual(['', '']);
});

test('socat: a table of many entries comes whole, on the unix socket too', async () => {
  await crowd(200);
  const { output } = await shell(`echo "show table ${backend}" | socat stdio ${directory.file('limpet.sock')} | sort`);
  const keys = output.split('\n').flatMap(line => /key=(\S+) use=1/.exec(line)?.[1] ?? []);
  expect(keys.sort()).toEqual(ids('device', 200).sort());
});

test('hatop shows real servers, and takes one out of service and back', async () => {
  const clients = await crowd(9);
  await using screen = await openScreen(`hatop -s ${directory.file('limpet.sock')}`);
  const first = await screen.waitFor(/b3 +1 UP +L7OK/);
  console.log(first);
  expect(first).toMatch(new RegExp(`Limpet Version: .* PID: ${limpet.process.pid}`));
  const out = await chooseServer(screen);
  await screen.press('F10');
  console.log(await screen.waitFor(new RegExp(`${out} +1 MAINT`)));
  expect(await statusOf(out)).toBe('MAINT');
  // Maint closes its sessions.
  await until(() => clients.clients.filter(client => client.isClosed).length === 3, { what: 'three clients to leave' });
  await screen.press('F9');
  await until(async () => (await statusOf(out)) === 'UP', { what: `${out} UP again` });
  console.log(await screen.waitFor(new RegExp(`${out} +1 UP`)));
  await screen.press('q');
});

/** Moves the cursor down to a server: only there hatop's last line says `[#iid/#sid]`, and its keys for service mean something. */
async function chooseServer(screen: Screen): Promise<string> {
  for (let row = 0; row < 20; row += 1) {
    await screen.press('Down');
    const shown = async (): Promise<string | undefined> => /\[#\d+\/#([1-9])\]/.exec(await screen.look())?.[1];
    const server = await until(shown, { what: 'a server below the cursor', timeoutMs: 1_500 }).catch(() => null);
    if (server !== null) return `b${server}`;
  }
  throw new Error(`no line of a server:\n${await screen.look()}`);
}

test('prometheus-haproxy-exporter reads /stats;csv', async () => {
  await crowd(9);
  const launch = (port: number) =>
    startProcess('prometheus-haproxy-exporter', [
      `--haproxy.scrape-uri=http://${faceAddress(limpet, 'stats')}/stats;csv`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
  const { process, port } = await startOnFreePort(launch, process => process.waitForLine(/[Ll]istening on/));
  things.own(process);
  const metrics = await until(
    async () => {
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      return text.includes(`haproxy_backend_current_sessions{backend="${backend}"} 9`) && text;
    },
    { what: 'nine sessions in the exporter', seen: () => process.tail() },
  );
  const ours = metrics
    .split('\n')
    .filter(line => /^haproxy_(up|server_(up|current_sessions|check_f)|backend_|front)/.test(line));
  console.log(ours.join('\n'));
  expect(metrics).toContain('\nhaproxy_up 1\n');
  expect(metrics).toContain('\nhaproxy_exporter_csv_parse_failures_total 0\n');
  for (const server of brokers.names) {
    const labels = `{backend="${backend}",server="${server}"}`;
    expect(metrics).toContain(`haproxy_server_up${labels} 1`);
    expect(metrics).toContain(`haproxy_server_current_sessions${labels} 3`);
    expect(metrics).toContain(`haproxy_server_sessions_total${labels} 3`);
  }
  expect(metrics).toContain(`haproxy_frontend_sessions_total{frontend="emqx_tcp"} 9`);
  expect(metrics).toContain(`haproxy_backend_up{backend="${backend}"} 1`);
});

test('a check script, as Nagios runs them, sees a broker die and come back', async () => {
  const check = `echo "show stat" | socat stdio ${directory.file('limpet.sock')} | awk -F, '
    /^#/ || $2 == "FRONTEND" || $2 == "BACKEND" || NF < 18 { next }
    { all++; if ($18 ~ /^UP/) up++; else bad = bad " " $1 "/" $2 "=" $18 "(" $37 ")" }
    END { if (up == all) { print "OK - " up+0 " of " all " servers up|up=" up+0; exit 0 }
          print "CRITICAL - " up+0 " of " all " servers up:" bad "|up=" up+0; exit 2 }'`;
  const outcome = async (code: number): Promise<string> => {
    const seen = await until(
      async () => {
        const checked = await shell(check);
        return checked.code === code && checked;
      },
      { what: `exit code ${code}` },
    );
    console.log(seen.output.trim());
    return seen.output;
  };
  expect(await outcome(0)).toBe('OK - 3 of 3 servers up|up=3\n');
  await brokers.get('b2').kill9();
  expect(await outcome(2)).toMatch(
    new RegExp(`^CRITICAL - 2 of 3 servers up: ${backend}/b2=DOWN\\(L4CON\\)\\|up=2\n$`),
  );
  await brokers.get('b2').restart();
  expect(await outcome(0)).toBe('OK - 3 of 3 servers up|up=3\n');
});
