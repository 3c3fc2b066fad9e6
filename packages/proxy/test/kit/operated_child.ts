/** The proxy from its sources, with its paced tasks at the command of the parent: `{ call, name, argument }`, each answered. */
import type { AdminStore } from '@limpet/state';
import { loadConfig } from '../../src/config/load.ts';
import type { Drains } from '../../src/process/drains.ts';
import { startProxy } from '../../src/process/primary.ts';

interface Order {
  readonly call: number;
  readonly name: 'drain' | 'rebalance' | 'pause' | 'resume' | 'cancel' | 'tasks' | 'states' | 'asked';
  readonly argument: never;
}

const loaded = loadConfig(process.argv[2] ?? '');
if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
const proxy = (await startProxy(loaded.config)) as Awaited<ReturnType<typeof startProxy>> & {
  readonly drains: Drains;
  readonly admin: AdminStore;
};
const answerTo = (name: Order['name'], argument: never): unknown => {
  if (name === 'states') return states(argument);
  return name === 'asked' ? asked : proxy.drains[name](argument);
};
const states = (backend: string): Record<string, string> =>
  Object.fromEntries([...proxy.admin.records(backend)].map(([server, { state }]) => [server, state]));
process.on('message', ({ call, name, argument }: Order) => {
  process.send?.({ call, answer: answerTo(name, argument) });
});
/** When so many had been asked to leave, by the first task: what the pace is measured by. */
const asked: [atMs: number, moved: number][] = [];
setInterval(() => {
  const [task] = proxy.drains.tasks();
  if (task?.state === 'running') asked.push([performance.now(), task.moved]);
}, 10);
process.on('disconnect', () => proxy.kill());
process.send?.({ call: 0, answer: proxy.binds.map(({ port }) => port) });
