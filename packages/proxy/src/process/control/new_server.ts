import type { NewServer } from '../../admin/control.ts';
import { type HostAndPort, readServer } from '../../config/address.ts';
import type { BackendConfig, ServerConfig } from '../../config/resolved.ts';
import { NAME } from '../../config/schema/values.ts';
import { LimpetError } from '../../errors.ts';

/**
 * A server that an operator adds at run time. What it does not say is as the first server of the backend has it: checks,
 * PROXY protocol, TLS, WebSocket.
 * @throws LimpetError BAD_VALUE, SERVER_EXISTS, NO_MODEL
 */
export function newServer(backend: BackendConfig, name: string, what: NewServer): ServerConfig {
  if (!NAME.pattern.test(name)) {
    throw bad(`${JSON.stringify(name.slice(0, 100))} is no name of a server`, NAME.remedy);
  }
  if (backend.servers.some(server => server.name === name)) {
    const remedy = 'Delete it before, or choose another name.';
    throw new LimpetError('SERVER_EXISTS', `${backend.name}/${name} exists already`, remedy);
  }
  const [model] = backend.servers;
  if (model === undefined) {
    const remedy = 'Give it a server in the configuration and reload.';
    throw new LimpetError('NO_MODEL', `backend ${backend.name} has no server to take the settings from`, remedy);
  }
  const { weight = 1, maxconn = null, backup = false, check = true } = what;
  if (!(Number.isInteger(weight) && weight >= 0 && weight <= 256)) {
    throw bad(`${weight} is no weight`, 'Give a whole number from 0 to 256.');
  }
  readMaxconn(maxconn);
  const { host, port } = readAddress(what.address, model.port);
  return { ...model, name, host, port, weight, backup, maxconn, check: check ? model.check : null };
}

/** A host and a port as an operator gives them. @throws LimpetError BAD_VALUE */
export function readServerHost(host: string, port: number): HostAndPort {
  const bare = host.includes(':') ? `[${host.replaceAll(/[[\]]/g, '')}]` : host;
  const read = readServer(bare);
  // What is shown is what was said.
  if (!read.ok) throw bad(read.message.replace('{value}', JSON.stringify(host.slice(0, 100))), read.remedy);
  return readAddress(`${bare}:${port}`, port);
}

/** @throws LimpetError BAD_VALUE */
export function readMaxconn(maxconn: number | null): void {
  if (maxconn === null || (Number.isInteger(maxconn) && maxconn >= 1 && maxconn <= 10_000_000)) return;
  throw bad(`${maxconn} is no maxconn`, 'Give a whole number from 1 to 10000000.');
}

function readAddress(text: string, defaultPort: number): HostAndPort {
  const read = readServer(text);
  if (!read.ok) throw bad(read.message.replace('{value}', JSON.stringify(text.slice(0, 100))), read.remedy);
  return { host: read.value.host, port: read.value.port ?? defaultPort };
}

function bad(what: string, remedy: string): LimpetError {
  return new LimpetError('BAD_VALUE', what, remedy);
}
