import { BindRefused, refusedExit } from '../beat/bind.ts';
import { runWorker } from './worker.ts';

try {
  await runWorker();
  process.exit(0);
} catch (error) {
  process.stderr.write(
    `limpet vip: the worker cannot go on: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exit(error instanceof BindRefused ? refusedExit : 1);
}
