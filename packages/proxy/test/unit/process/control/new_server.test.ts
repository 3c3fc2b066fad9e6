import { describe, expect, it, test } from 'vitest';
import { LimpetError } from '../../../../src/errors.ts';
import { newServer, readServerHost } from '../../../../src/process/control/new_server.ts';
import { backend, server } from '../../route/backend.ts';

const emqx = backend([server('emqx1', { port: 1884, slowstartMs: 5000 }), server('emqx2')], { name: 'emqx' });

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'none';
  } catch (error) {
    return error instanceof LimpetError ? `${error.code} ${error.message}` : String(error);
  }
}

describe('newServer', () => {
  it('is as the first server where nothing else is said', () => {
    const made = newServer(emqx, 'emqx3', { address: '10.0.0.3' });
    expect(made).toEqual({ ...server('emqx1', { slowstartMs: 5000 }), name: 'emqx3', host: '10.0.0.3', port: 1884 });
  });

  it('takes what is said', () => {
    const made = newServer(emqx, 'e', { address: '[::1]:99', weight: 0, maxconn: 3, backup: true, check: false });
    expect(made).toMatchObject({ host: '::1', port: 99, weight: 0, maxconn: 3, backup: true, check: null });
  });

  test.each([
    ['emqx1', { address: '10.0.0.3' }, 'SERVER_EXISTS emqx/emqx1 exists already'],
    ['a/b', { address: '10.0.0.3' }, 'BAD_VALUE "a/b" is no name of a server'],
    ['e\u001b[2J', { address: '10.0.0.3' }, 'BAD_VALUE "e\\u001b[2J" is no name of a server'],
    ['e', { address: '10.0.0.300' }, 'BAD_VALUE "10.0.0.300" is neither a host name nor an address'],
    ['e', { address: 'h:99999' }, 'BAD_VALUE "h:99999" has a port that does not exist'],
    ['e', { address: 'h', weight: 257 }, 'BAD_VALUE 257 is no weight'],
    ['e', { address: 'h', weight: 1.5 }, 'BAD_VALUE 1.5 is no weight'],
    ['e', { address: 'h', maxconn: 0 }, 'BAD_VALUE 0 is no maxconn'],
  ])('refuses %j %j', (name, what, code) => {
    expect(codeOf(() => newServer(emqx, name, what))).toBe(code);
  });

  it('needs a server to take the settings from', () => {
    expect(codeOf(() => newServer(backend([], { name: 'x' }), 'e', { address: 'h' }))).toMatch(/^NO_MODEL/);
  });
});

describe('readServerHost', () => {
  test.each([
    ['10.0.0.1', 1883, { host: '10.0.0.1', port: 1883 }],
    ['::1', 1, { host: '::1', port: 1 }],
    ['[::1]', 1, { host: '::1', port: 1 }],
    ['broker1.example.com', 8883, { host: 'broker1.example.com', port: 8883 }],
  ])('%s %i', (host, port, expected) => {
    expect(readServerHost(host, port)).toEqual(expected);
  });

  test.each([
    ['a b', 1],
    ['', 1],
    ['10.0.0.1', 0],
    ['10.0.0.1', 70_000],
    ['10.0.0.1:5', 6],
    ['1:2:3', 6],
  ])('%j %i', (host, port) => {
    expect(codeOf(() => readServerHost(host, port))).toMatch(/^BAD_VALUE/);
    if (port === 6) expect(codeOf(() => readServerHost(host, port))).toContain(`${JSON.stringify(host)} is neither`);
  });
});
