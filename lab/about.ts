/**
 * The machine and the programs, for the report.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';

export function about(): string[] {
  const all = cpus();
  const manifest = readFileSync(new URL('../packages/cli/package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  return [
    `${all.length} × ${all[0]?.model.trim() ?? 'unknown CPU'}, Linux ${release()}, Node ${process.version}`,
    `Limpet ${version}, 2 workers on each host, all on this one machine`,
    [versionOf('keepalived', '--version'), versionOf('redis-server', '--version'), versionOf('mosquitto', '-h')].join(
      ', ',
    ),
    `${new Date().toISOString().slice(0, 10)}`,
  ];
}

/** The program's name and the first number with dots in what it says; some say it on stderr, or with an exit code. */
function versionOf(command: string, word: string): string {
  const said = execFileSync('sh', ['-c', '"$@" 2>&1 || true', 'version', command, word], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` },
  });
  return `${command} ${/\d+(?:\.\d+)+/.exec(said)?.[0] ?? 'of unknown version'}`;
}
