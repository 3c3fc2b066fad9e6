import { describe, expect, it } from 'vitest';
import {
  withDisabled,
  withFrontendChanged,
  withMaxconn,
  withoutServer,
  withServer,
  withServerChanged,
} from '../../../src/config/edit.ts';
import { server } from '../route/backend.ts';
import { configOf } from './scratch.ts';

const config = configOf(`
frontends:
  mqtt: { bind: ["127.0.0.1:1", "127.0.0.1:2"], default_backend: a }
  other: { bind: "127.0.0.1:3", default_backend: b }
backends:
  a: { servers: { s1: 10.0.0.1:1883, s2: 10.0.0.2:1883 } }
  b: { servers: { s1: 10.0.0.3:1883 } }
`);
const serversOf = (of: typeof config, backend: string): string[] =>
  of.backends
    .find(({ name }) => name === backend)
    ?.servers.map(({ name, host, maxconn }) => `${name} ${host} ${maxconn}`) ?? [];

describe('edits of a configuration', () => {
  const before = structuredClone(config);

  it('adds, changes and removes a server of one backend only', () => {
    const added = withServer(config, 'a', server('s3', { host: '10.0.0.9' }));
    expect(serversOf(added, 'a')).toEqual(['s1 10.0.0.1 null', 's2 10.0.0.2 null', 's3 10.0.0.9 null']);
    const changed = withServerChanged(added, 'a', 's1', { host: '10.1.1.1', maxconn: 5 });
    expect(serversOf(changed, 'a')[0]).toBe('s1 10.1.1.1 5');
    expect(serversOf(changed, 'b')).toEqual(['s1 10.0.0.3 null']);
    expect(serversOf(withoutServer(changed, 'a', 's2'), 'a')).toEqual(['s1 10.1.1.1 5', 's3 10.0.0.9 null']);
  });

  it('changes a frontend and the global limit', () => {
    expect(withFrontendChanged(config, 'mqtt', { maxconn: 7 }).frontends.map(({ maxconn }) => maxconn)).toEqual([
      7,
      null,
    ]);
    expect(withMaxconn(config, 9).global.maxconn).toBe(9);
  });

  it('takes the binds of disabled frontends away', () => {
    const edited = withDisabled(config, new Set(['mqtt', 'gone']));
    expect(edited.frontends.map(({ binds }) => binds.length)).toEqual([0, 1]);
  });

  it('leaves what it was given as it is', () => {
    expect(config).toEqual(before);
  });
});
