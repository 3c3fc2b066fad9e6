import { settleSocketShapes } from '../../socket_shapes.ts';
import { serve } from './worker.ts';

/** The program of a worker process: node:cluster starts it, the primary tells it what to do. */
settleSocketShapes();
serve();
