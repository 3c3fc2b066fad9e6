import { isIP } from 'node:net';
import type { CheckStatus } from '../../health/check_status.ts';
import { backendIid } from '../csv/rows.ts';
import type { BackendFacts, ServerFacts, Snapshot } from '../snapshot.ts';
import { type Command, Refusal } from './command.ts';

/** HAProxy's server state file, version 1 (management manual, `show servers state`), and its connections. */
export const serverListCommands: readonly Command[] = [
  {
    words: 'show servers state',
    usage: '[<backend>]',
    does: 'dump volatile server information (all or for a single backend)',
    level: 'user',
    run: ([backend], { control }) => serversState(control.snapshot(), backend),
  },
  {
    words: 'show servers conn',
    usage: '[<backend>]',
    does: 'dump server connections status (all or for a single backend)',
    level: 'user',
    run: ([backend], { control }) => serversConn(control.snapshot(), backend),
  },
];

const STATE_HEAD =
  '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight ' +
  'srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state ' +
  'bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr ' +
  'srv_agent_addr srv_agent_port';
const CONN_HEAD =
  '# bkname/svname bkid/svid addr port - purge_delay used_cur used_max need_est unsafe_nb safe_nb idle_lim idle_cur ' +
  'idle_per_thr[1]';

function serversState(snapshot: Snapshot, only: string | undefined): string {
  const lines = serversOf(snapshot, only).map(({ backend, iid, server, sid }) => {
    const port = server.port;
    const fqdn = isIP(server.host) === 0 ? server.host : '-';
    const sinceS = Math.max(0, Math.floor((snapshot.atMs - server.sinceMs) / 1000));
    const weights = `${server.weight} ${server.weightConfigured}`;
    const states = `${server.verdict === 'down' || server.admin === 'maint' ? 0 : 2} ${adminMask(server)}`;
    return (
      `${iid} ${backend.name} ${sid} ${server.name} ${server.address ?? '-'} ${states} ${weights} ${sinceS} ` +
      `${checkFields(server)} 0 0 0 ${fqdn} ${port} - 0 0 - - 0`
    );
  });
  return ['1', STATE_HEAD, ...lines].join('\n');
}

function serversConn(snapshot: Snapshot, only: string | undefined): string {
  const lines = serversOf(snapshot, only).map(({ backend, iid, server, sid }) => {
    const used = `${server.conns} ${server.sessionsMax} 0`;
    // MQTT sessions are never reused: nothing idle is kept.
    return `${backend.name}/${server.name} ${iid}/${sid} ${server.address ?? '-'} ${server.port} - 0 ${used} 0 0 -1 0 0`;
  });
  return [CONN_HEAD, ...lines].join('\n');
}

interface Listed {
  readonly backend: BackendFacts;
  readonly iid: number;
  readonly server: ServerFacts;
  readonly sid: number;
}

function serversOf(snapshot: Snapshot, only: string | undefined): readonly Listed[] {
  const backends = snapshot.backends
    .map((backend, index) => ({ backend, iid: backendIid(snapshot, index) }))
    .filter(({ backend, iid }) => only === undefined || backend.name === only || String(iid) === only);
  if (only !== undefined && backends.length === 0) throw new Refusal("Can't find backend.");
  return backends.flatMap(({ backend, iid }) =>
    backend.servers.map((server, index) => ({ backend, iid, server, sid: index + 1 })),
  );
}

/** SRV_ADMF_FMAINT and SRV_ADMF_FDRAIN. */
function adminMask({ admin }: ServerFacts): number {
  if (admin === 'maint') return 0x01;
  return admin === 'ready' ? 0 : 0x08;
}

/** HAProxy's numbers (its enum healthcheck_status). */
const CHECK_NUMBERS: Readonly<Record<CheckStatus, number>> = {
  L4OK: 6,
  L4TOUT: 7,
  L4CON: 8,
  L6OK: 9,
  L6TOUT: 10,
  L6RSP: 11,
  L7TOUT: 12,
  L7RSP: 13,
  L7OK: 15,
  L7STS: 17,
};

/** Status, result (0 unknown, 2 failed, 3 passed), health, and state: 2 configured, 4 enabled, 8 paused. */
function checkFields(server: ServerFacts): string {
  const { lastCheck } = server;
  if (server.verdict === 'no_check') return '1 0 0 0';
  const state = (server.checksEnabled ? 6 : 2) + (server.admin === 'maint' ? 8 : 0);
  if (lastCheck === null) return `1 0 0 ${state}`;
  const passed = lastCheck.status.endsWith('OK');
  return `${CHECK_NUMBERS[lastCheck.status]} ${passed ? 3 : 2} ${passed ? 1 : 0} ${state}`;
}
