/**
 * `openssl s_client` as an MQTT client that keeps its TLS session in a file, as a device keeps it over a reboot.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { generate } from 'mqtt-packet';
import { within } from './condition.ts';

export interface OpensslVisit {
  /** By what it printed: `Reused` or `New`. */
  readonly resumed: boolean;
  readonly printed: string;
}

/**
 * Connects with the session in the file, if there is one, says CONNECT, and leaves when it has its CONNACK: by then the
 * newest ticket is in the file.
 */
export async function visitByOpenssl(
  port: number,
  clientId: string,
  sessionFile: string,
  args: readonly string[] = [],
): Promise<OpensslVisit> {
  const earlier = existsSync(sessionFile) ? ['-sess_in', sessionFile] : [];
  const session = [...earlier, '-sess_out', sessionFile];
  const where = ['-connect', `127.0.0.1:${port}`, '-servername', 'localhost'];
  const child = spawn('openssl', ['s_client', ...where, '-ign_eof', ...session, ...args], { stdio: 'pipe' });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString('latin1');
      if (printed.includes('\x20\x02\x00\x00')) child.kill('SIGINT');
    });
  }
  child.stdin.on('error', () => undefined);
  child.stdin.write(generate({ cmd: 'connect', clientId, clean: true, keepalive: 0, protocolId: 'MQTT' }));
  try {
    await within(once(child, 'close'), { what: 'the end of openssl s_client', timeoutMs: 20_000, seen: () => printed });
  } finally {
    child.kill('SIGKILL');
  }
  const [, how] = /^(New|Reused), TLSv1\.[23]/m.exec(printed) ?? [];
  if (how === undefined) throw new Error(`openssl s_client has no session:\n${printed}`);
  return { resumed: how === 'Reused', printed };
}
