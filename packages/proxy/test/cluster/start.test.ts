import { expect, test } from 'vitest';
import { until } from '../kit/condition.ts';
import { configFor } from '../kit/config.ts';
import { makeDirectory } from '../kit/directory.ts';
import { Limpet, runLimpet } from '../kit/limpet.ts';
import { askRuntime, askRuntimeApi } from '../kit/runtime_api.ts';

interface Workers {
  readonly workers: readonly { readonly pid: number; readonly state: string }[];
}

test('`ready` is said when the last worker serves; a reload that is asked for before waits for it', async () => {
  const directory = await makeDirectory('limpet');
  const socket = directory.file('limpet.sock');
  const config = (workers: number): object => configFor({ servers: [9], workers, global: { runtime_api: socket } });
  const file = directory.write('limpet.yaml', JSON.stringify(config(2)));
  await using limpet = new Limpet(directory, file, runLimpet(['run', '-c', file]));
  const workers = async (): Promise<Workers['workers']> => {
    // It does not listen yet.
    const answer = await askRuntimeApi<Workers>(socket, 'GET /workers').catch(() => null);
    return answer?.workers ?? [];
  };
  const said = (): unknown[] => {
    const lines = limpet.events(({ event }) => event === 'ready' || event === 'reload');
    return lines.map(({ event }) => event);
  };

  const last = await limpet.process.waitUntil('a second worker', async () => (await workers())[1], 20_000);
  process.kill(last.pid, 'SIGSTOP');
  await limpet.process.waitUntil('the first worker', async () => (await workers())[0]?.state === 'ready', 20_000);
  limpet.writeConfig(config(1));
  const reloaded = askRuntime(socket, 'reload');
  // What is answered after it has been asked.
  expect((await workers()).map(({ state }) => state)).toEqual(['ready', 'starting']);
  expect(said()).toEqual([]);

  process.kill(last.pid, 'SIGCONT');
  expect(await reloaded).toContain('global: workers 2 → 1');
  await until(() => said().length === 2, { what: 'both lines of the log' });
  expect(said()).toEqual(['ready', 'reload']);
  await until(async () => (await workers()).length === 1, { what: 'the end of the surplus worker' });
});
