/** A runtime API on a unix socket, before a Control that is no proxy, for the commands that ask a running one. */
import { handleApi } from '../../../proxy/src/admin/api/handler.ts';
import { type RuntimeApi, startRuntimeApi } from '../../../proxy/src/admin/runtime/runtime_api.ts';
import type { AdminLevel } from '../../../proxy/src/config/resolved.ts';
import { SILENT } from '../../../proxy/src/log.ts';
import { FakeControl } from '../../../proxy/test/kit/admin_control.ts';
import { type Directory, makeDirectory } from '../../../proxy/test/kit/directory.ts';
import { type Ended, limpet } from './program.ts';

export interface House extends AsyncDisposable {
  readonly control: FakeControl;
  readonly directory: Directory;
  /** Of the socket. */
  readonly path: string;
  /** Runs `limpet … --socket PATH` to its end, with nothing on stdin. */
  run(...args: string[]): Promise<Ended>;
}

export async function openHouse(level: AdminLevel = 'admin'): Promise<House> {
  const directory = await makeDirectory('cli');
  const control = new FakeControl();
  const path = directory.file('limpet.sock');
  const listen = { kind: 'unix', path, mode: 0o600, user: null, group: null } as const;
  const config = { label: path, listen, level, timeoutMs: 10_000 };
  const api: RuntimeApi = await startRuntimeApi([config], control, handleApi, SILENT);
  return {
    control,
    directory,
    path,
    run: (...args) => limpet(...args, '--socket', path),
    [Symbol.asyncDispose]: async () => {
      await api.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}
