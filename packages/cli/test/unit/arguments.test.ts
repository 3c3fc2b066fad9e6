import { describe, expect, it } from 'vitest';
import { addressText, findPlace, readAddress } from '../../src/admin/address.ts';
import { path, query } from '../../src/admin/admin_client.ts';
import { rate, serverName, share, whole, wholeOr } from '../../src/arguments.ts';

describe('what people write', () => {
  it.each<[(text: string) => unknown, string, unknown]>([
    [rate, '200/s', 200],
    [rate, '200', 200],
    [rate, '0.5/s', 0.5],
    [rate, '600/m', 10],
    [rate, '7200/h', 2],
    [share, '5%', 0.05],
    [share, '0%', 0],
    [share, '7.5%', 0.075],
    [serverName, 'emqx/emqx1', { backend: 'emqx', server: 'emqx1' }],
    [whole(1, 10), '10', 10],
    [wholeOr('none', 1, 10), 'none', null],
  ])('%o %s', (read, text, value) => {
    expect(read(text)).toEqual(value);
  });

  it.each<[(text: string) => unknown, string, RegExp]>([
    [rate, '0', /200\/s/],
    [rate, '-1', /200\/s/],
    [rate, '200/d', /200\/s/],
    [rate, '200/', /200\/s/],
    [rate, '2000000', /200\/s/],
    [share, '5', /with its sign, as in 5%/],
    [share, '0.05', /with its sign/],
    [share, '-5%', /with its sign/],
    [share, '1001%', /at most 1000%/],
    [serverName, 'emqx', /BACKEND\/SERVER/],
    [serverName, 'a/b/c', /BACKEND\/SERVER/],
    [serverName, '/b', /BACKEND\/SERVER/],
    [whole(1, 10), '11', /from 1 to 10/],
    [whole(1, 10), '1e1', /from 1 to 10/],
    [wholeOr('none', 1, 10), '0', /from 1 to 10, or none/],
  ])('%o refuses %s', (read, text, expected) => {
    expect(() => read(text)).toThrow(expected);
  });
});

describe('where the proxy is asked', () => {
  it.each([
    ['/run/x.sock', { kind: 'unix', path: '/run/x.sock' }],
    ['./x', { kind: 'unix', path: './x' }],
    ['x.sock', { kind: 'unix', path: 'x.sock' }],
    ['127.0.0.1:9999', { kind: 'tcp', host: '127.0.0.1', port: 9999 }],
    ['[::1]:9999', { kind: 'tcp', host: '::1', port: 9999 }],
    ['localhost', null],
    ['::1:9999', null],
    ['localhost:0', null],
    ['localhost:65536', null],
    ['', null],
  ])('%s', (text, address) => {
    const read = readAddress(text);
    expect(read).toEqual(address);
    if (read !== null) expect(addressText(read)).toBe(text);
  });

  it('is what the option says, then the environment, then the usual place', () => {
    const env = { LIMPET_SOCKET: '/env.sock' };
    expect(findPlace({ socket: '/flag.sock', config: '/none.yaml' }, env).address).toEqual({
      kind: 'unix',
      path: '/flag.sock',
    });
    expect(findPlace({ config: '/none.yaml' }, env)).toEqual({
      address: { kind: 'unix', path: '/env.sock' },
      from: '$LIMPET_SOCKET',
    });
    expect(findPlace({}, {}).address).toEqual({ kind: 'unix', path: '/run/limpet/limpet.sock' });
    expect(() => findPlace({ socket: 'nowhere' }, {})).toThrow(/neither a path nor a host and a port/);
    expect(() => findPlace({ config: '/none.yaml' }, {})).toThrow(/^\/none.yaml: there is no such file or folder$/);
  });
});

describe('what is asked', () => {
  it('holds any name', () => {
    expect(path`/table/${'a/b'}/${'x y;%\n'}`).toBe('/table/a%2Fb/x%20y%3B%25%0A');
    expect(query({ a: 'x&y', b: undefined, c: 0 })).toBe('?a=x%26y&c=0');
    expect(query({ a: undefined })).toBe('');
    expect(() => path`/clients/${'\ud800'}`).toThrow(/no UTF-8/);
  });
});
