import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { openHouse } from './house.ts';
import { runScript } from './program.ts';

/** What bash offers for a command line whose cursor is at its end. */
async function offered(line: string, socket: string): Promise<string[]> {
  const script = `source <(limpet completion bash)
LIMPET_SOCKET=$1; export LIMPET_SOCKET
read -ra COMP_WORDS <<< "$2"; [[ $2 == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); COMP_LINE=$2; COMP_POINT=\${#2}
_limpet; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await runScript(script, socket, line);
  expect(stderr).toEqual([]);
  return stdout.filter(word => word !== '');
}

describe('completion in bash', () => {
  const cases: [line: string, expected: string[]][] = [
    ['limpet st', ['status']],
    ['limpet server dr', ['drain', 'drain_new']],
    ['limpet server drain ', ['emqx/emqx1', 'emqx/emqx2', 'other/o1']],
    ['limpet server drain other', ['other/o1']],
    ['limpet server drain emqx/emqx1 --re', ['--reason', '--resume']],
    ['limpet server drain emqx/emqx1 --reason ', ['use_another_server', 'administrative_action']],
    ['limpet server drain --rate 200/s ', ['emqx/emqx1', 'emqx/emqx2', 'other/o1']],
    ['limpet table show ', ['emqx', 'other']],
    ['limpet table show emqx --state c', ['cooling']],
    ['limpet table show emqx --server ', ['emqx1', 'emqx2', 'o1']],
    ['limpet table set emqx key e', ['emqx1', 'emqx2']],
    ['limpet completion ', ['bash', 'zsh', 'fish']],
    ['limpet server weight emqx/emqx1 ', []],
  ];
  it.each(cases)('%s', async (line, expected) => {
    await using house = await openHouse();
    expect(await offered(line, house.path)).toEqual(expected);
  });

  it('asks the proxy that the line names', async () => {
    await using house = await openHouse();
    const line = `limpet server ready --socket ${house.path} other`;
    expect(await offered(line, '/nowhere.sock')).toEqual(['other/o1']);
    expect(await offered('limpet server ready ', '/nowhere.sock')).toEqual([]);
  });
});

describe('the scripts', () => {
  it.each(['bash', 'zsh', 'fish'])('%s understands its own', async shell => {
    if (!isInstalled(shell)) return;
    const { code, stdout, stderr } = await runScript(`limpet completion ${shell} | ${shell} -n`);
    expect([code, stdout, stderr]).toEqual([0, [], []]);
  });

  it('no server’s name is taken for a part of the script', async () => {
    await using house = await openHouse();
    const { facts } = house.control;
    const backends = facts.backends.map(one => ({ ...one, name: '$(touch x)' }));
    house.control.facts = { ...facts, backends };
    expect(await house.run('completion-names', 'backends')).toEqual({ code: 0, stdout: [], stderr: [] });
  });
});

function isInstalled(shell: string): boolean {
  try {
    execFileSync(shell, ['-c', 'true']);
    return true;
  } catch {
    return false;
  }
}
