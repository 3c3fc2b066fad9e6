import { writePath } from './locate.ts';
import { besideFile } from './named_file.ts';
import { type Notes, noteKey, noteValue } from './notes.ts';
import { addressPath, runtimeApiPath } from './resolve_admin.ts';
import type { RuntimeApiConfig } from './resolved.ts';
import type { RawRuntimeApi } from './schema/runtime_api.ts';
import type { Path } from './tree.ts';

/** sockaddr_un has 108 bytes, one of them for the end (unix(7)). */
const LONGEST_UNIX_PATH_BYTES = 107;
const PRIVATE = 0o600;

function listenOf(raw: RawRuntimeApi, path: Path, notes: Notes): RuntimeApiConfig['listen'] {
  const { address } = raw;
  if (address.kind === 'tcp') {
    for (const key of ['mode', 'user', 'group'] as const) {
      if (raw[key] === undefined) continue;
      const remedy = 'Write the path of a unix socket as `address`, or remove the key.';
      noteKey([...path, key], 'a port has no owner and no mode', remedy, notes);
    }
    return { kind: 'tcp', host: address.host, port: address.port };
  }
  const place = addressPath(path, 'address', notes);
  const name = besideFile(address.path, place, notes.tree);
  checkUnixPath(name, place, notes);
  return { kind: 'unix', path: name, mode: raw.mode ?? PRIVATE, user: raw.user ?? null, group: raw.group ?? null };
}

/** Whether the kernel takes it as the name of a socket. */
export function checkUnixPath(name: string, path: Path, notes: Notes): void {
  const bytes = Buffer.byteLength(name);
  if (bytes <= LONGEST_UNIX_PATH_BYTES) return;
  const what = `the path of this socket has ${bytes} bytes, and the kernel takes ${LONGEST_UNIX_PATH_BYTES}`;
  noteValue(path, what, 'Write a shorter one: /run/limpet/limpet.sock.', notes);
}

/** The sockets of the runtime API with everything filled in. */
export function resolveRuntimeApi(raws: readonly RawRuntimeApi[], notes: Notes): readonly RuntimeApiConfig[] {
  const paths = new Map<string, Path>();
  return raws.map((raw, index) => {
    const path = runtimeApiPath(index, notes);
    const listen = listenOf(raw, path, notes);
    if (listen.kind === 'unix') {
      const place = addressPath(path, 'address', notes);
      const first = paths.get(listen.path);
      if (first === undefined) paths.set(listen.path, place);
      else noteValue(place, `{value} is taken by \`${writePath(first)}\``, 'Remove one of them.', notes);
    }
    return {
      label: raw.address.label,
      listen,
      level: raw.level ?? (listen.kind === 'unix' ? 'admin' : 'operator'),
      timeoutMs: raw.timeout,
    };
  });
}
