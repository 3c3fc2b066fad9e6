import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Directory, makeDirectory } from '../../../proxy/test/kit/directory.ts';
import { limpet } from './program.ts';

let directory: Directory;
beforeEach(async () => {
  directory = await makeDirectory('check');
});
afterEach(async () => {
  await directory[Symbol.asyncDispose]();
});

const GOOD = `frontends:
  mqtt:
    bind: "*:1883"
    default_backend: emqx
backends:
  emqx:
    servers:
      emqx1: 10.0.0.1:1883
      emqx2: 10.0.0.2:1883
      emqx3: 10.0.0.3:1883
`;

describe('limpet check', () => {
  it('says in a line what a frontend will do', async () => {
    const file = directory.write('limpet.yaml', GOOD);
    expect(await limpet('check', '-c', file)).toEqual({
      code: 0,
      stdout: ['frontend mqtt: *:1883 → emqx (roundrobin, stick on client_id, 3 servers)'],
      stderr: [],
    });
  });

  it('tells every problem with its place, on stderr', async () => {
    const file = directory.write(
      'limpet.yaml',
      GOOD.replace('default_backend: emqx', 'default_backend: emqy').concat('statee: {}\n'),
    );
    const { code, stdout, stderr } = await limpet('check', '-c', file);
    const places = stderr.filter(line => line.startsWith(file)).map(line => line.slice(file.length).split(': ')[0]);
    expect(places).toEqual([':4:22', ':11:1']);
    expect(stderr.at(-1)).toBe(`limpet: ${file} has 2 problems`);
    expect(stdout).toEqual([]);
    expect(code).toBe(1);
  });

  it('names a file that is not there', async () => {
    const file = directory.file('missing.yaml');
    const { code, stderr } = await limpet('check', '-c', file);
    expect(stderr.join('\n')).toContain(file);
    expect(code).toBe(1);
  });
});

describe('limpet', () => {
  it('ends a wrong command line with 2, and with nothing started', async () => {
    const { code, stdout, stderr } = await limpet('demmo');
    expect(stderr.slice(0, 2)).toEqual(["error: unknown command 'demmo'", '(Did you mean demo?)']);
    expect(stdout).toEqual([]);
    expect(code).toBe(2);
  });

  it('starts nothing from a wrong configuration', async () => {
    const file = directory.write('limpet.yaml', GOOD.replace('frontends', 'frontend'));
    const { code, stderr } = await limpet('run', '-c', file);
    expect(stderr[0]).toMatch(/:1:1: .*frontend/);
    expect(code).toBe(1);
  });
});
