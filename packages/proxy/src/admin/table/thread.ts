import { StateError } from '@limpet/state';
import { exportTable } from './export_job.ts';
import { importTable } from './import_job.ts';
import { redisJob } from './redis_job.ts';
import type { TableTask, TaskResult, TaskValues } from './task.ts';

/** The program of a table thread: piscina hands it one task after the other, and a few at a time. */
export default async function run(task: TableTask): Promise<TaskResult<TaskValues[TableTask['kind']]>> {
  try {
    return { ok: true, value: await work(task) };
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    return { ok: false, code: `STATE_${error.code}`, what: error.message, remedy: error.remedy };
  } finally {
    // Messages that were sent before still arrive.
    if ('port' in task) task.port.close();
  }
}

function work(task: TableTask): Promise<TaskValues[TableTask['kind']]> {
  if (task.kind === 'export') return exportTable(task);
  if (task.kind === 'import') return importTable(task);
  return redisJob(task);
}
