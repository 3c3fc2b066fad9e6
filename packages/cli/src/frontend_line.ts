import type { Config } from '@limpet/proxy';

type Backend = Config['backends'][number];

/** One line per frontend: `frontend mqtt: *:1883 → emqx (roundrobin, stick on client_id, 3 servers)`. */
export function describeFrontends(config: Config): string[] {
  return config.frontends.map(frontend => {
    const backend = config.backends.find(({ name }) => name === frontend.defaultBackend);
    const binds = frontend.binds.map(bind => bind.label).join(', ');
    const target = backend === undefined ? frontend.defaultBackend : `${backend.name} (${describeBackend(backend)})`;
    return `frontend ${frontend.name}: ${binds} → ${target}`;
  });
}

function describeBackend(backend: Backend): string {
  return [backend.balance, describeStick(backend.stick), describeServers(backend.servers)].join(', ');
}

function describeStick(stick: Backend['stick']): string {
  if (stick === null) return 'not sticky';
  return `stick on ${stick.field}${stick.match === null ? '' : ` matching ${stick.match}`}`;
}

function describeServers(servers: Backend['servers']): string {
  const backups = servers.filter(server => server.backup).length;
  const counted = servers.length === 1 ? '1 server' : `${servers.length} servers`;
  return backups === 0 ? counted : `${counted}, ${backups} of them backup`;
}
