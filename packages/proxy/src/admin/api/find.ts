import { LimpetError } from '../../errors.ts';
import type { Control } from '../control.ts';
import type { BackendFacts, FrontendFacts } from '../snapshot.ts';
import type { BackendAnswer, ServerAnswer } from './server_schema.ts';

/** @throws LimpetError UNKNOWN_FRONTEND */
export function findFrontend(control: Control, name: string): FrontendFacts {
  const { frontends } = control.snapshot();
  return frontends.find(one => one.name === name) ?? unknown('FRONTEND', 'frontend', name, frontends);
}

/** @throws LimpetError UNKNOWN_BACKEND */
export function findBackend(control: Control, name: string): BackendAnswer {
  const { backends } = control.snapshot();
  return backendAnswer(backends.find(one => one.name === name) ?? unknown('BACKEND', 'backend', name, backends));
}

/** @throws LimpetError UNKNOWN_BACKEND, UNKNOWN_SERVER */
export function findServer(control: Control, backend: string, name: string): ServerAnswer {
  const { servers } = findBackend(control, backend);
  return servers.find(one => one.name === name) ?? unknown('SERVER', `server of ${backend}`, name, servers);
}

export function backendAnswer(backend: BackendFacts): BackendAnswer {
  return { ...backend, servers: backend.servers.map(server => ({ backend: backend.name, ...server })) };
}

const SHOWN = 10;

function unknown(word: string, kind: string, name: string, there: readonly { readonly name: string }[]): never {
  const names = there.slice(0, SHOWN).map(one => one.name);
  const more = there.length > SHOWN ? ', …' : '';
  const remedy = names.length === 0 ? 'There is none.' : `There are: ${names.join(', ')}${more}.`;
  throw new LimpetError(`UNKNOWN_${word}`, `there is no ${kind} named ${JSON.stringify(name)}`, remedy);
}
