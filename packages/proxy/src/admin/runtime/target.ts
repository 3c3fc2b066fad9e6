import type { ServerRef } from '../control.ts';
import type { BackendFacts, FrontendFacts, ServerFacts, Snapshot } from '../snapshot.ts';
import { Refusal } from './command.ts';

/** A server that a command names, and what is known about it now. */
export interface Target {
  readonly ref: ServerRef;
  readonly facts: ServerFacts;
}

/** Finds `backend/server`. @throws Refusal in HAProxy's words */
export function findServer(snapshot: Snapshot, text: string | undefined): Target {
  const ref = readServerRef(text);
  const facts = findBackend(snapshot, ref.backend).servers.find(({ name }) => name === ref.server);
  if (facts === undefined) throw new Refusal('No such server.');
  return { ref, facts };
}

/** Reads `backend/server`, whether it exists or not. */
export function readServerRef(text: string | undefined): ServerRef {
  const match = /^([^/]+)\/([^/]+)$/.exec(text ?? '');
  if (match === null) throw new Refusal("Require 'backend/server'.");
  return { backend: match[1] ?? '', server: match[2] ?? '' };
}

export function findBackend(snapshot: Snapshot, name: string): BackendFacts {
  const backend = snapshot.backends.find(each => each.name === name);
  if (backend === undefined) throw new Refusal('No such backend.');
  return backend;
}

export function findFrontend(snapshot: Snapshot, name: string | undefined): FrontendFacts {
  if (name === undefined || name === '') throw new Refusal('A frontend name is expected.');
  const frontend = snapshot.frontends.find(each => each.name === name);
  if (frontend === undefined) throw new Refusal('No such frontend.');
  return frontend;
}

/** A whole number, as limits are. @throws Refusal(`missing` or `wrong`) */
export function readCount(text: string | undefined, missing: string, wrong: string = missing): number {
  if (text === undefined || text === '') throw new Refusal(missing);
  if (!/^\d{1,10}$/.test(text)) throw new Refusal(wrong);
  return Number(text);
}
