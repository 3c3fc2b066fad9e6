/**
 * The clients that come with mosquitto, as a user calls them.
 */
import { type Process, startProcess } from './process.ts';

/** How a program ended, and all that it printed. */
export interface Ended {
  readonly code: number | null;
  readonly text: string;
}

/** `mosquitto_pub ARGS`, to its end; without `-d` it keeps to itself what TLS said. */
export function publish(port: number, args: readonly string[]): Promise<Ended> {
  return endOf(startProcess('mosquitto_pub', ['-p', String(port), '-q', '1', '-d', ...args]));
}

/** `mosquitto_sub ARGS`, until it has one message. */
export function receiveOne(port: number, args: readonly string[]): Promise<Ended> {
  return endOf(startProcess('mosquitto_sub', ['-p', String(port), '-q', '1', '-C', '1', ...args]));
}

async function endOf(program: Process): Promise<Ended> {
  await using running = program;
  const { code } = await running.waitForExit(20_000);
  return { code, text: running.lines.map(line => line.text).join('\n') };
}
